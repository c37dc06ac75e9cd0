//! Changes of kubeconfigs (client-go's `ModifyConfig`): each entry goes back to the file that it came from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::decode::Entry;
use super::loading_rules::is_missing;
use super::lock::FileLock;
use super::{AuthInfo, Cluster, Context, Kubeconfig, LoadingRules, Named};
use crate::error::{Error, Problem};

impl Kubeconfig {
    /// Changes a file: reads it under its lock, and writes it back if `change` changed it. A missing file is made.
    ///
    /// The lock is that of client-go, `FILE.lock`. The call blocks, for a second at most if another program holds it.
    ///
    /// ```
    /// # fn f() -> Result<(), klient_client::Error> {
    /// use klient_client::Kubeconfig;
    /// Kubeconfig::modify("config".as_ref(), |kubeconfig| {
    ///     kubeconfig.current_context = "staging".to_owned();
    ///     Ok::<_, klient_client::Error>(())
    /// })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be locked, read or written, and those of `change`, after which nothing is written.
    pub fn modify<T, E: From<Error>>(
        path: &Path,
        change: impl FnOnce(&mut Kubeconfig) -> Result<T, E>,
    ) -> Result<T, E> {
        LoadingRules::explicit(path).modify(change)
    }
}

impl LoadingRules {
    /// Changes the merged kubeconfig of the files. A changed entry is written to the file that it came from, a new one to
    /// the [default file](Self::default_file); the current context as well, or it is removed where it is set first.
    ///
    /// The files are locked meanwhile: see [`Kubeconfig::modify`].
    ///
    /// # Errors
    ///
    /// If a file cannot be locked, read or written, and those of `change`, after which nothing is written.
    pub fn modify<T, E: From<Error>>(
        &self,
        change: impl FnOnce(&mut Kubeconfig) -> Result<T, E>,
    ) -> Result<T, E> {
        let _locks = self.lock()?;
        let start = self.load_or_default()?;
        let mut new = start.clone();
        let result = change(&mut new)?;
        if new != start {
            self.write_changes(&start, new)?;
        }
        Ok(result)
    }

    /// Locks the files, always in the same order.
    fn lock(&self) -> Result<Vec<FileLock>, Error> {
        let mut files: Vec<&PathBuf> =
            self.files().iter().filter(|file| !file.as_os_str().is_empty()).collect();
        files.sort();
        files.dedup();
        files.into_iter().map(|file| FileLock::acquire(file)).collect()
    }

    fn write_changes(&self, start: &Kubeconfig, new: Kubeconfig) -> Result<(), Error> {
        let mut changed = Changed { default_file: self.default_file()?, files: BTreeMap::new() };
        if new.current_context != start.current_context {
            let file = match new.current_context.as_str() {
                "" if self.explicit_path.is_none() => self.first(|file| !file.current_context.is_empty())?,
                _ => changed.default_file.clone(),
            };
            changed.file(&file)?.current_context = new.current_context;
        }
        if new.preferences != start.preferences {
            let file = match self.explicit_path {
                Some(_) => changed.default_file.clone(),
                None => self.first(|file| file.preferences != new.preferences)?,
            };
            changed.file(&file)?.preferences = new.preferences;
        }
        changed.entries::<Cluster>(&start.clusters, new.clusters)?;
        changed.entries::<Context>(&start.contexts, new.contexts)?;
        changed.entries::<AuthInfo>(&start.users, new.users)?;
        changed.files.into_iter().try_for_each(|(path, kubeconfig)| kubeconfig.write(&path))
    }

    /// The first file that fulfils a condition.
    fn first(&self, condition: impl Fn(&Kubeconfig) -> bool) -> Result<PathBuf, Error> {
        for file in self.files() {
            if condition(&read_or_default(file)?) {
                return Ok(file.clone());
            }
        }
        self.default_file()
    }
}

/// The files that are to be written.
struct Changed {
    default_file: PathBuf,
    files: BTreeMap<PathBuf, Kubeconfig>,
}

impl Changed {
    fn file(&mut self, path: &Path) -> Result<&mut Kubeconfig, Error> {
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), read_or_default(path)?);
        }
        self.files.get_mut(path).ok_or_else(|| Error::config("kubeconfig", Problem("is missing".to_owned())))
    }

    fn entries<T: Entry>(&mut self, start: &[Named<T>], new: Vec<Named<T>>) -> Result<(), Error> {
        let kept: HashSet<&str> = new.iter().map(|named| named.name.as_str()).collect();
        for before in start.iter().filter(|before| !kept.contains(before.name.as_str())) {
            let path = before.origin.clone().unwrap_or_else(|| self.default_file.clone());
            T::list_mut(self.file(&path)?).retain(|named| named.name != before.name);
        }
        let before: HashMap<&str, &Named<T>> =
            start.iter().map(|named| (named.name.as_str(), named)).collect();
        for mut named in new {
            if before.get(named.name.as_str()).is_some_and(|before| **before == named) {
                continue;
            }
            let path = named.origin.clone().unwrap_or_else(|| self.default_file.clone());
            named.origin = Some(path.clone());
            let list = T::list_mut(self.file(&path)?);
            match list.iter_mut().find(|other| other.name == named.name) {
                Some(before) => *before = named,
                None => list.push(named),
            }
        }
        Ok(())
    }
}

fn read_or_default(path: &Path) -> Result<Kubeconfig, Error> {
    match Kubeconfig::read(path) {
        Err(error) if is_missing(&error) => Ok(Kubeconfig::default()),
        read => read,
    }
}
