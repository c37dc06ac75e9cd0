//! Writes of a kubeconfig's file, which other programs never read half.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Kubeconfig;
use super::lock::make_folder;
use crate::error::Error;

impl Kubeconfig {
    /// Writes a file. A new one can be read by its owner only; one that exists keeps its mode and owner, and a link
    /// keeps its target. Comments are lost; fields that klient does not know are kept.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let write = || {
            make_folder(path)?;
            // A link stays one, and its target is written.
            let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            let text = self.to_yaml();
            match replace(&target, text.as_bytes()) {
                Ok(()) => Ok(()),
                // The folder cannot be written, the file is a mount, or it has another owner.
                Err(_) => create(OpenOptions::new().truncate(true), &target)?.write_all(text.as_bytes()),
            }
        };
        write().map_err(|error: io::Error| Error::config(format!("kubeconfig {}", path.display()), error))
    }
}

/// Writes a file beside the target, and puts it in its place.
fn replace(target: &Path, text: &[u8]) -> io::Result<()> {
    let beside = Beside::new(target);
    let mut file = create(OpenOptions::new().create_new(true), &beside.0)?;
    if let Ok(present) = fs::metadata(target) {
        file.set_permissions(present.permissions())?;
        if !has_same_owner(&present, &file.metadata()?) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&beside.0, target)
}

/// A file that is removed unless it was renamed.
struct Beside(PathBuf);

impl Beside {
    fn new(target: &Path) -> Self {
        let mut path = target.as_os_str().to_owned();
        path.push(format!(".{}.tmp", std::process::id()));
        Beside(path.into())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It is missing after the rename.
        let _ = fs::remove_file(&self.0);
    }
}

fn create(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.write(true).create(true).open(path)
}

#[cfg(unix)]
fn has_same_owner(present: &fs::Metadata, new: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (present.uid(), present.gid(), present.nlink()) == (new.uid(), new.gid(), 1)
}

#[cfg(not(unix))]
fn has_same_owner(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}
