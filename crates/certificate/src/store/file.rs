//! [`FileStore`], certificates in files, as client-go's.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use klient_apimachinery::{BoxFuture, Time};

use super::CertificateStore;
use crate::certificate::Certificate;
use crate::error::Error;

/// Keeps certificates in the files of client-go's store, which kubelets have in `/var/lib/kubelet/pki`:
///
/// - `PREFIX-YYYY-MM-DD-HH-MM-SS.pem`: a certificate and its key, readable for the user alone, with the time in UTC;
/// - `PREFIX-current.pem`: a symbolic link to the last of them;
/// - `PREFIX-updated.pem`: a link that is about to become the current one.
///
/// A file is complete and on disk before the link is replaced, so that readers see one certificate or the other as a
/// whole. Older files stay. As long as there is no current link, the store reads the pair of [`or_pair`](Self::or_pair),
/// and else `PREFIX.crt` with `PREFIX.key`.
///
/// A client follows the certificate with [`Pem::file`](klient_client::Pem::file) of
/// [`current_path`](Self::current_path), as certificate and as key.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: PathBuf,
    prefix: String,
    pair: Option<(PathBuf, PathBuf)>,
}

impl FileStore {
    /// A store in a directory, which is created with the first certificate.
    pub fn new(directory: impl Into<PathBuf>, prefix: impl Into<String>) -> Self {
        FileStore { directory: directory.into(), prefix: prefix.into(), pair: None }
    }

    /// Files of a certificate and its key that are read until the store has one of its own.
    #[must_use]
    pub fn or_pair(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.pair = Some((certificate.into(), key.into()));
        self
    }

    /// The path of the current certificate and its key.
    pub fn current_path(&self) -> PathBuf {
        self.path("current")
    }

    fn path(&self, qualifier: &str) -> PathBuf {
        self.directory.join(format!("{}-{qualifier}.pem", self.prefix))
    }

    fn read(&self) -> Result<Option<Certificate>, Error> {
        let current = self.current_path();
        if !exists(&current)? {
            self.recover(&current)?;
        }
        if exists(&current)? {
            return read_pair(&current, &current).map(Some);
        }
        let beside = |extension: &str| self.directory.join(format!("{}.{extension}", self.prefix));
        for (certificate, key) in self.pair.iter().cloned().chain([(beside("crt"), beside("key"))]) {
            if exists(&certificate)? && exists(&key)? {
                return read_pair(&certificate, &key).map(Some);
            }
        }
        Ok(None)
    }

    /// Finishes an update that was interrupted between its two links.
    fn recover(&self, current: &Path) -> Result<(), Error> {
        let updated = self.path("updated");
        if is_link(&updated)? && exists(&updated)? {
            fs::rename(&updated, current).map_err(|error| failed("rename", &updated, error))?;
        }
        Ok(())
    }

    fn write(&self, certificate: &Certificate) -> Result<(), Error> {
        let directory = &self.directory;
        fs::create_dir_all(directory).map_err(|error| failed("create", directory, error))?;
        // Before the key is written: with a file in place of the link it would be of no use.
        let current = self.current_path();
        is_link(&current)?;
        let name = format!("{}-{}.pem", self.prefix, timestamp(Time::now()));
        let path = directory.join(&name);
        let file = tempfile::NamedTempFile::new_in(directory);
        let mut file = file.map_err(|error| failed("write", directory, error))?;
        let written =
            file.write_all(certificate.to_pem().as_bytes()).and_then(|()| file.as_file().sync_all());
        written.map_err(|error| failed("write", &path, error))?;
        file.persist(&path).map_err(|error| failed("write", &path, error.error))?;

        let updated = self.path("updated");
        if is_link(&updated)? {
            fs::remove_file(&updated).map_err(|error| failed("remove", &updated, error))?;
        }
        // Relative to the directory, which may move as a whole.
        symlink(&name, &updated).map_err(|error| failed("create", &updated, error))?;
        fs::rename(&updated, &current).map_err(|error| failed("replace", &current, error))?;
        sync_directory(directory).map_err(|error| failed("write", directory, error))
    }
}

impl CertificateStore for FileStore {
    fn current(&self) -> BoxFuture<'_, Result<Option<Certificate>, Error>> {
        let store = self.clone();
        Box::pin(async move { blocking(move || store.read()).await })
    }

    fn update(&self, certificate: Certificate) -> BoxFuture<'_, Result<(), Error>> {
        let store = self.clone();
        Box::pin(async move { blocking(move || store.write(&certificate)).await })
    }
}

async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(task).await.unwrap_or_else(|_| Err(Error::stopped()))
}

fn read_pair(certificate: &Path, key: &Path) -> Result<Certificate, Error> {
    let read = |path: &Path| fs::read(path).map_err(|error| failed("read", path, error));
    let pem = read(certificate)?;
    let key_pem = if key == certificate { pem.clone() } else { read(key)? };
    Certificate::parse(&pem, &key_pem).map_err(|problem| {
        let paths = match key == certificate {
            true => certificate.display().to_string(),
            false => format!("{} and {}", certificate.display(), key.display()),
        };
        Error::store(
            format!("{paths}: not a certificate with its key, remove it to request another"),
            problem,
        )
    })
}

/// Returns true if there is a file behind a path.
fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|error| failed("read", path, error))
}

/// Returns true if there is a symbolic link, and false if there is nothing.
///
/// # Errors
///
/// If there is a file that is none.
fn is_link(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Ok(true),
        Ok(_) => {
            let what = format!("{}: not a symbolic link, move it away to have it made", path.display());
            Err(Error::store(what, "the store replaces links only"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("read", path, error)),
    }
}

fn failed(verb: &str, path: &Path, error: io::Error) -> Error {
    Error::store(format!("certificate store: cannot {verb} {}", path.display()), error)
}

/// A time as it is in the names of files: `2026-01-02-15-04-05`.
fn timestamp(time: Time) -> String {
    time.to_string().trim_end_matches('Z').replace(['T', ':'], "-")
}

#[cfg(unix)]
fn symlink(name: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(name, link)
}

#[cfg(windows)]
fn symlink(name: &str, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(name, link)
}

/// Makes the names in a directory survive a power failure.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

#[cfg(windows)]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
