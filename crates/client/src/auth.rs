//! [`Credentials`], the authentication of a client.

mod provider;
mod token_file;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderValue;

pub use provider::{AuthProvider, Provider};
use token_file::TokenFile;

use crate::error::{Error, Problem};

/// Credentials for the `Authorization` header, beside a client certificate.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// None.
    #[default]
    None,
    /// A bearer token.
    Token(Secret),
    /// User name and password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Credentials that change: see [`Credentials::provider`].
    Provider(Provider),
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

/// The `Authorization` header of one request.
pub(crate) struct Authorization {
    pub(crate) header: Option<HeaderValue>,
    /// The number of refreshes before it.
    refreshes: u64,
}

impl Credentials {
    /// A bearer token.
    pub fn token(token: impl Into<Arc<str>>) -> Self {
        Credentials::Token(Secret(token.into()))
    }

    /// A bearer token in a file, which is read again each minute and when the server refuses the token.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is empty.
    pub fn token_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        TokenFile::open(path.into()).map(Self::provider)
    }

    /// User name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<Arc<str>>) -> Self {
        Credentials::Basic { username: username.into(), password: Secret(password.into()) }
    }

    /// Credentials from a provider, which is called before each request and again when the server refuses them: see
    /// [`AuthProvider`].
    pub fn provider(provider: impl AuthProvider) -> Self {
        Credentials::Provider(Provider::new(provider))
    }

    /// The header for a request, which names it in errors.
    ///
    /// # Errors
    ///
    /// If the credential is no valid header value, or its provider fails or does not answer within the limit.
    pub(crate) async fn authorization(
        &self,
        request: &(dyn fmt::Display + Sync),
        limit: Option<Duration>,
    ) -> Result<Authorization, Error> {
        let text = match self {
            Credentials::None => return Ok(Authorization { header: None, refreshes: 0 }),
            Credentials::Provider(provider) => return provider.authorization(request, limit).await,
            Credentials::Token(token) => format!("Bearer {}", token.0.trim()),
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
        Ok(Authorization { header: Some(value), refreshes: 0 })
    }

    /// Another header than one that the server refused, if there is one.
    ///
    /// # Errors
    ///
    /// If the provider fails or does not answer within the limit.
    pub(crate) async fn refresh(
        &self,
        refused: &Authorization,
        request: &(dyn fmt::Display + Sync),
        limit: Option<Duration>,
    ) -> Result<Option<Authorization>, Error> {
        match self {
            Credentials::Provider(provider) => provider.refresh(refused, request, limit).await,
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::None => f.write_str("None"),
            Credentials::Token(_) => f.write_str("Token(***)"),
            Credentials::Basic { username, .. } => write!(f, "Basic({username}, ***)"),
            Credentials::Provider(provider) => provider.fmt(f),
        }
    }
}
