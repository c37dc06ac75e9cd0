//! [`VersionDirectory`], the files of one side of a diff (kubectl's `DiffVersion`).

use std::fs::OpenOptions;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;

use klient_apimachinery::yaml;
use serde_json::Value;
use tempfile::TempDir;

use crate::error::CliError;

/// A temporary directory, readable by its owner only, that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct VersionDirectory(TempDir);

impl VersionDirectory {
    /// Creates a directory with a random number after its name: `LIVE-123`.
    pub(super) fn new(name: &str) -> Result<Self, CliError> {
        let number = RandomState::new().hash_one(name) % 10_000_000_000;
        let name = format!("{name}-{number}");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&name).rand_bytes(0);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir();
        folder.map(VersionDirectory).map_err(|error| failed(&std::env::temp_dir().join(&name), &error))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes an object in YAML to a file; `None` makes the file empty.
    pub(super) fn write(&self, name: &str, object: Option<&Value>) -> Result<(), CliError> {
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

fn failed(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Message(format!("cannot write {}: {error}", path.display()))
}
