//! [`LoadingRules`], the files of a kubeconfig.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Kubeconfig;
use crate::error::{Error, Problem};

/// The files of a kubeconfig, and the rules by which they are merged (client-go's `ClientConfigLoadingRules`).
///
/// The first file wins for each entry by its name, as a whole, and for each scalar. Missing files are passed over, except
/// that of [`explicit_path`](Self::explicit_path). Relative paths in a file begin at its folder.
#[doc(alias = "ClientConfigLoadingRules")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadingRules {
    /// The only file, such as that of a flag. It must exist, and the others are not read.
    pub explicit_path: Option<PathBuf>,
    /// The files that are merged.
    pub precedence: Vec<PathBuf>,
}

impl LoadingRules {
    /// The files in `$KUBECONFIG`, else `~/.kube/config`.
    pub fn from_env() -> Self {
        let precedence = match std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
            Some(list) => {
                let mut files = Vec::new();
                for file in std::env::split_paths(&list) {
                    if !file.as_os_str().is_empty() && !files.contains(&file) {
                        files.push(file);
                    }
                }
                files
            }
            None => std::env::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect(),
        };
        LoadingRules { explicit_path: None, precedence }
    }

    /// One file, which must exist.
    pub fn explicit(path: impl Into<PathBuf>) -> Self {
        LoadingRules { explicit_path: Some(path.into()), precedence: Vec::new() }
    }

    /// The files in the order in which they are merged.
    pub fn files(&self) -> &[PathBuf] {
        match &self.explicit_path {
            Some(path) => std::slice::from_ref(path),
            None => &self.precedence,
        }
    }

    /// The file for new entries: the first that exists, else the last in the list (kubectl's `GetDefaultFilename`).
    ///
    /// # Errors
    ///
    /// If there is none, because `$KUBECONFIG` is not set and the user has no home.
    pub fn default_file(&self) -> Result<PathBuf, Error> {
        let files = self.files();
        let file = files.iter().find(|file| file.exists()).or(files.last());
        file.cloned().ok_or_else(|| {
            let problem = "there is no file for it: set KUBECONFIG to the path of one".to_owned();
            Error::config("kubeconfig", Problem(problem))
        })
    }

    /// Reads and merges the files.
    ///
    /// # Errors
    ///
    /// If the explicit file is missing, or a file cannot be read or is no kubeconfig. The cause of an error of several
    /// files is [`LoadErrors`].
    pub fn load(&self) -> Result<Kubeconfig, Error> {
        let mut merged = Kubeconfig::default();
        let mut errors = Vec::new();
        for path in self.files() {
            match Kubeconfig::read(path) {
                Ok(file) if merged.files.is_empty() => merged = file,
                Ok(file) => merged.merge(file),
                Err(error) if self.explicit_path.is_none() && is_missing(&error) => {
                    tracing::debug!("there is no kubeconfig {}", path.display());
                }
                Err(error) => errors.push(error),
            }
        }
        match errors.len() {
            0 => Ok(merged),
            1 => Err(errors.remove(0)),
            _ => Err(Error::config("kubeconfig", LoadErrors(errors))),
        }
    }

    /// As [`load`](Self::load); an explicit file that is missing is an empty kubeconfig, as for changes of it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or is no kubeconfig.
    pub fn load_or_default(&self) -> Result<Kubeconfig, Error> {
        match self.load() {
            Err(error) if is_missing(&error) => Ok(Kubeconfig::default()),
            loaded => loaded,
        }
    }
}

/// The errors of several files of a kubeconfig: the [cause](Error::cause) of an error.
#[derive(Debug)]
pub struct LoadErrors(Vec<Error>);

impl LoadErrors {
    /// The error of each file.
    pub fn errors(&self) -> &[Error] {
        &self.0
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}

/// Returns true if a file could not be read because it does not exist.
pub(super) fn is_missing(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// A file as it is named in an error.
pub(super) fn files_in_error(files: &[PathBuf]) -> String {
    match files {
        [] => "kubeconfig".to_owned(),
        files => {
            let files: Vec<String> = files.iter().map(|file| Path::new(file).display().to_string()).collect();
            format!("kubeconfig {}", files.join(", "))
        }
    }
}
