//! [`TokenFile`], a bearer token in a file that changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use klient_apimachinery::BoxFuture;
use tokio::time::Instant;

use super::header::authorization;
use super::{AuthProvider, Secret};
use crate::error::{Error, Problem};
use crate::transport::BoxError;

/// The age at which a token file is read again. Kubernetes changes it well before it
/// ends.
const TOKEN_FILE_AGE: Duration = Duration::from_secs(50);

/// A token that is read again from its file as it ages, or when it is refused. If that fails, the last token is used.
pub(super) struct TokenFile {
    path: Arc<Path>,
    /// `token file PATH`.
    name: String,
    /// The token, and when it was read.
    read: Mutex<(Secret, Instant)>,
}

impl TokenFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is empty.
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let name = format!("token file {}", path.display());
        let token = load(&path).map_err(|cause| Error::config(name.clone(), cause))?;
        Ok(TokenFile { path: path.into(), name, read: Mutex::new((token, Instant::now())) })
    }

    /// Reads a file, in place of a token that it had when the kubeconfig was written.
    pub(super) fn open_or(path: PathBuf, token: String) -> Self {
        let name = format!("token file {}", path.display());
        let token = load(&path).unwrap_or_else(|error| {
            tracing::warn!(error, "the token of the kubeconfig is used in place of that of {name}");
            token.into()
        });
        TokenFile { path: path.into(), name, read: Mutex::new((token, Instant::now())) }
    }

    /// Reads the file again, on a thread that may wait for it.
    async fn reload(&self) {
        let path = self.path.clone();
        let loaded = tokio::task::spawn_blocking(move || load(&path)).await.map_err(BoxError::from);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match loaded.and_then(|loaded| loaded) {
            Ok(token) => read.0 = token,
            Err(error) => tracing::warn!(error, "the token of {} is not renewed", self.name),
        }
        read.1 = Instant::now();
    }

    fn header(&self) -> Result<Option<HeaderValue>, BoxError> {
        let token = self.read.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        let invalid = || Problem("the token has characters that no header can hold".to_owned());
        Ok(Some(authorization("Bearer", &token.0).ok_or_else(invalid)?))
    }
}

fn load(path: &Path) -> Result<Secret, BoxError> {
    match std::fs::read_to_string(path)?.trim() {
        "" => Err(Problem("it is empty".to_owned()).into()),
        token => Ok(token.into()),
    }
}

impl AuthProvider for TokenFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        Box::pin(async {
            let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).1;
            if read.elapsed() > TOKEN_FILE_AGE {
                self.reload().await;
            }
            self.header()
        })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        Box::pin(async {
            self.reload().await;
            self.header()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_file_is_read_again_when_it_has_grown_old_or_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let file = TokenFile::open(path.clone()).unwrap();
        let age = || tokio::time::advance(TOKEN_FILE_AGE + Duration::from_secs(1));
        let header = async || file.authorization().await.unwrap().unwrap();

        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(header().await, "Bearer one");
        age().await;
        assert_eq!(header().await, "Bearer two");
        std::fs::write(&path, "three\n").unwrap();
        assert_eq!(file.refresh().await.unwrap().unwrap(), "Bearer three");
        // What cannot be read leaves the token as it was.
        std::fs::write(&path, "").unwrap();
        age().await;
        assert_eq!(header().await, "Bearer three");
        std::fs::remove_file(&path).unwrap();
        age().await;
        assert_eq!(header().await, "Bearer three");
    }
}
