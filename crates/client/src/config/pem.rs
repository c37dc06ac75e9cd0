//! [`Pem`], certificates or a key.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Certificates or a key in PEM, or the file that holds them.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

impl Pem {
    /// A file, which is read when it is needed.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Pem(Source::File(path.into()))
    }

    /// Replaces the path of a file.
    pub(crate) fn resolve(&mut self, path: impl FnOnce(&Path) -> PathBuf) {
        if let Source::File(file) = &mut self.0 {
            *file = path(file);
        }
    }

    /// Returns true for a file, whose contents may change.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.0, Source::File(_))
    }

    /// The bytes. Files are read, which blocks.
    pub(crate) fn read(&self) -> io::Result<Arc<[u8]>> {
        match &self.0 {
            Source::Bytes(bytes) => Ok(bytes.clone()),
            Source::File(path) => Ok(std::fs::read(path)?.into()),
        }
    }

    /// The name of it in errors: `certificate authority PATH`.
    pub(crate) fn named(&self, what: &str) -> String {
        match &self.0 {
            Source::Bytes(_) => what.to_owned(),
            Source::File(path) => format!("{what} {}", path.display()),
        }
    }
}

impl<T: Into<Vec<u8>>> From<T> for Pem {
    fn from(bytes: T) -> Self {
        Pem(Source::Bytes(bytes.into().into()))
    }
}

/// Keys are secret.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Source::File(path) => write!(f, "{}", path.display()),
        }
    }
}
