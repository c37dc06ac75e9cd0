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
    /// If the file cannot be written; it is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let write = || {
            make_folder(path)?;
            // A link stays one, and its target is written.
            let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            let text = self.to_yaml();
            let is_device = fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file());
            let replaced = if is_device {
                Err(io::ErrorKind::ResourceBusy.into())
            } else {
                replace(&target, text.as_bytes())
            };
            match replaced {
                Err(error) if is_in_place(&error) => {
                    create(OpenOptions::new().truncate(true), &target)?.write_all(text.as_bytes())
                }
                replaced => replaced,
            }
        };
        write().map_err(|error: io::Error| Error::config(format!("kubeconfig {}", path.display()), error))
    }
}

/// Returns true if the file can be written but not replaced: its folder cannot be written, it is a mount or a device, or
/// it has another owner.
fn is_in_place(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Writes a file beside the target, and puts it in its place.
fn replace(target: &Path, text: &[u8]) -> io::Result<()> {
    let beside = Beside::new(target);
    let mut file = create(OpenOptions::new().create_new(true), &beside.0)?;
    // First, so that there is room for the text wherever it is written.
    file.write_all(text)?;
    file.sync_all()?;
    if let Ok(present) = fs::metadata(target) {
        file.set_permissions(present.permissions())?;
        if !has_same_owner(&present, &file.metadata()?) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_none_is_written_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt as _;
        let folder = tempfile::tempdir().expect("there is room");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo is part of every Unix").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe)
        });
        Kubeconfig::default().write(&pipe).expect("it can be written");
        assert!(fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo());
        let written = reader.join().expect("it does not panic").expect("it is text");
        assert!(written.contains("kind: Config"), "{written}");
    }
}
