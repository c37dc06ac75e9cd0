//! [`Credentials`], by which one proves who one is.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderValue;

use crate::error::{Error, Problem};

/// The age at which a token file is read again. Kubernetes changes it well before it
/// ends.
const TOKEN_FILE_AGE: Duration = Duration::from_secs(50);

/// Credentials for the `Authorization` header, beside a client certificate.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// By a bearer token.
    Token(Secret),
    /// By a bearer token in a file, which changes.
    TokenFile(TokenFile),
    /// By user name and password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
}

/// Text that is not shown.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl<T: Into<Arc<str>>> From<T> for Secret {
    fn from(text: T) -> Self {
        Secret(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A token that is read again from its file from time to time. If that fails, the last one that was read is used.
#[derive(Clone)]
pub struct TokenFile {
    path: Arc<PathBuf>,
    read: Arc<Mutex<(Secret, Instant)>>,
}

impl TokenFile {
    fn load(path: &PathBuf) -> Result<Secret, Error> {
        let what = || format!("token file {}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| Error::config(what(), error))?;
        match text.trim() {
            "" => Err(Error::config(what(), Problem("it is empty".to_owned()))),
            token => Ok(token.into()),
        }
    }

    fn current(&self) -> Secret {
        let mut read = self.read.lock().expect("no panics while held");
        if read.1.elapsed() > TOKEN_FILE_AGE {
            match TokenFile::load(&self.path) {
                Ok(token) => read.0 = token,
                Err(error) => tracing::warn!(?error, "the token is not renewed"),
            }
            read.1 = Instant::now();
        }
        read.0.clone()
    }
}

impl Credentials {
    /// A bearer token.
    pub fn token(token: impl Into<Arc<str>>) -> Self {
        Credentials::Token(Secret(token.into()))
    }

    /// A bearer token in a file, which is read now and again as it grows old.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is empty.
    pub fn token_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let token = TokenFile::load(&path)?;
        let read = Arc::new(Mutex::new((token, Instant::now())));
        Ok(Credentials::TokenFile(TokenFile { path: Arc::new(path), read }))
    }

    /// User name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<Arc<str>>) -> Self {
        Credentials::Basic { username: username.into(), password: Secret(password.into()) }
    }

    /// The `Authorization` header, if there is one to send.
    ///
    /// # Errors
    ///
    /// If it holds what no header can.
    pub(crate) fn header(&self) -> Result<Option<HeaderValue>, Error> {
        let text = match self {
            Credentials::None => return Ok(None),
            Credentials::Token(token) => format!("Bearer {}", token.0.trim()),
            Credentials::TokenFile(file) => format!("Bearer {}", file.current().0),
            Credentials::Basic { username, password } => {
                format!("Basic {}", BASE64.encode(format!("{username}:{}", password.0)))
            }
        };
        let mut value = HeaderValue::try_from(text).map_err(|_| {
            Error::config(
                "credentials",
                Problem("the token has characters that no header can hold".to_owned()),
            )
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::None => f.write_str("None"),
            Credentials::Token(_) => f.write_str("Token(***)"),
            Credentials::TokenFile(file) => write!(f, "TokenFile({})", file.path.display()),
            Credentials::Basic { username, .. } => write!(f, "Basic({username}, ***)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_is_read_again_when_it_has_grown_old() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let credentials = Credentials::token_file(&path).unwrap();
        let Credentials::TokenFile(file) = &credentials else { panic!("it is a file") };
        let age = || {
            let long_ago = Instant::now().checked_sub(TOKEN_FILE_AGE + Duration::from_secs(1));
            file.read.lock().unwrap().1 = long_ago.expect("the machine has been up for a minute");
        };
        let header = || credentials.header().unwrap().unwrap();

        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(header(), "Bearer one");
        age();
        assert_eq!(header(), "Bearer two");
        assert!(header().is_sensitive());
        // What cannot be read leaves the token as it was.
        std::fs::write(&path, "").unwrap();
        age();
        assert_eq!(header(), "Bearer two");
        std::fs::remove_file(&path).unwrap();
        age();
        assert_eq!(credentials.clone().header().unwrap().unwrap(), "Bearer two");
    }
}
