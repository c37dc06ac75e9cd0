//! [`Named`], an entry of a list with its name and the file that it comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{AuthInfo, Cluster};
use crate::clean_path::clean_path;

/// An entry with a name.
#[derive(Clone, Default, PartialEq)]
pub struct Named<T> {
    /// Its name.
    pub name: String,
    /// The named entry.
    pub value: T,
    /// The file of the entry, to whose folder paths are relative.
    pub(super) origin: Option<PathBuf>,
    /// The entry as it was read, with fields that are not known.
    pub(super) raw: Map<String, Value>,
}

/// The fields that were read are left out, since they may be secret.
impl<T: fmt::Debug> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("name", &self.name)
            .field("value", &self.value)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl<T> Named<T> {
    /// An entry that is in no file yet.
    pub fn new(name: impl Into<String>, value: T) -> Self {
        Named { name: name.into(), value, origin: None, raw: Map::new() }
    }

    /// The file that it comes from (client-go's `LocationOfOrigin`), if it was read from one. A change of the entry is
    /// written there.
    pub fn origin(&self) -> Option<&Path> {
        self.origin.as_deref()
    }

    /// The path that a field means: relative paths begin at the folder of the file that names them. It is absolute if
    /// there is a file.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        match self.origin.as_deref().and_then(Path::parent) {
            Some(folder) => {
                let path = folder.join(path);
                clean_path(&std::path::absolute(&path).unwrap_or(path))
            }
            None => path.to_owned(),
        }
    }

    /// A field of it, for messages.
    pub(super) fn field(&self, field: &str) -> String {
        let name = klient_apimachinery::go::quoted(&self.name);
        match &self.origin {
            Some(file) => format!("{field} of {name} in kubeconfig {}", file.display()),
            None => format!("{field} of {name} in kubeconfig"),
        }
    }
}

impl Named<Cluster> {
    /// Makes the paths relative to the folder of a kubeconfig, if they are below it (client-go's
    /// `RelativizeClusterLocalPaths`).
    pub fn relativize_paths(&mut self, kubeconfig: &Path) {
        relativize(self, kubeconfig, |cluster| vec![&mut cluster.certificate_authority]);
    }
}

impl Named<AuthInfo> {
    /// Makes the paths relative to the folder of a kubeconfig, if they are below it (client-go's
    /// `RelativizeAuthInfoLocalPaths`).
    pub fn relativize_paths(&mut self, kubeconfig: &Path) {
        relativize(self, kubeconfig, |user| {
            vec![&mut user.client_certificate, &mut user.client_key, &mut user.token_file]
        });
    }
}

fn relativize<T>(named: &mut Named<T>, kubeconfig: &Path, fields: fn(&mut T) -> Vec<&mut Option<PathBuf>>) {
    let folder = kubeconfig.parent().unwrap_or(Path::new(""));
    // The working folder is gone: the paths stay as they are.
    let Ok(folder) = std::path::absolute(folder.join(".")) else { return };
    let folder = clean_path(&folder);
    let origin = named.origin.clone();
    for field in fields(&mut named.value) {
        let Some(path) = field.as_ref().filter(|path| !path.as_os_str().is_empty()) else { continue };
        let from = origin.as_deref().and_then(Path::parent).map_or(path.clone(), |origin| origin.join(path));
        let Ok(absolute) = std::path::absolute(from) else { continue };
        *field = match clean_path(&absolute).strip_prefix(&folder) {
            Ok(relative) if relative.as_os_str().is_empty() => Some(PathBuf::from(".")),
            Ok(relative) => Some(relative.to_owned()),
            Err(_) => Some(clean_path(&absolute)),
        };
    }
}
