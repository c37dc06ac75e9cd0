//! [`Folder`], objects in files for another program to read.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;

use klient_apimachinery::yaml;
use serde_json::Value;
use tempfile::TempDir;

use crate::failure::Failure;

/// A folder that only its maker may look into, and which goes when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    /// A new one, with a number behind its name.
    pub(super) fn new(name: &str) -> Result<Self, Failure> {
        let number = RandomState::new().hash_one(name) % 10_000_000_000;
        let name = format!("{name}-{number}");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&name).rand_bytes(0);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir();
        folder.map(Folder).map_err(|error| failed(&std::env::temp_dir().join(&name), &error))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes an object to a file; an empty file if there is none.
    pub(super) fn write(&self, name: &str, object: Option<&Value>) -> Result<(), Failure> {
        let path = self.0.path().join(name);
        let text = object.map(yaml::to_string).unwrap_or_default();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o700);
        let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| failed(&path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Message(format!("cannot write {}: {error}", path.display()))
}
