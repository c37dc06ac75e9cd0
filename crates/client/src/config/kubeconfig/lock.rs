//! [`FileLock`], the lock of a kubeconfig that client-go's programs respect.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use klient_apimachinery::go::os_error;

use crate::error::{Error, Problem};

/// The time for which another program may hold the lock. It holds it as long as it takes to write a file.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// A lock of a kubeconfig: the file `FILE.lock` beside it, which is removed when the lock is dropped.
pub(super) struct FileLock(PathBuf);

impl FileLock {
    /// Takes the lock, for which it waits a second at most. The folder of the file is made if it is missing.
    ///
    /// # Errors
    ///
    /// If another program holds the lock, or the folder cannot be written.
    pub(super) fn acquire(file: &Path) -> Result<Self, Error> {
        let mut lock = file.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let refuse =
            |problem: String| Error::config(format!("kubeconfig {}", file.display()), Problem(problem));
        make_folder(file).map_err(|error| {
            let folder = file.parent().unwrap_or(Path::new("")).display();
            refuse(format!("mkdir {folder}: {}", os_error(&error)))
        })?;
        let until = Instant::now() + PATIENCE;
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(_) => return Ok(FileLock(lock)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if Instant::now() >= until {
                        return Err(refuse(format!(
                            "open {}: file exists: another program changes the kubeconfig, or it ended without removing \
                             this file: then remove it",
                            lock.display()
                        )));
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(refuse(format!("open {}: {}", lock.display(), os_error(&error)))),
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, "the lock {} cannot be removed", self.0.display());
        }
    }
}

/// Makes the folder of a file.
pub(super) fn make_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}
