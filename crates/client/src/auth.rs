//! [`Credentials`], the authentication of a client.

pub(crate) mod exec;
mod header;
pub(crate) mod oidc;
mod provider;
mod token_file;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderValue;

use exec::{ExecConfig, ExecPlugin};
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
    /// A credential plugin: see [`Credentials::exec`].
    Exec(ExecPlugin),
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

/// A client certificate and its key, in PEM.
pub(crate) type Identity = [Arc<[u8]>; 2];

/// The `Authorization` header of one request.
#[derive(Default)]
pub(crate) struct Authorization {
    pub(crate) header: Option<HeaderValue>,
    /// The number of refreshes before it.
    refreshes: u64,
    /// The plugin's credential that it is of.
    exec: Option<Arc<exec::Credential>>,
}

impl Authorization {
    fn exec(credential: Arc<exec::Credential>) -> Self {
        Authorization { header: credential.header.clone(), refreshes: 0, exec: Some(credential) }
    }
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

    /// Credentials from a program: client-go's exec credential plugins. In a kubeconfig they are the `exec` of a user.
    ///
    /// The plugin is run by the first request and its credential is used until it expires or is refused. A client
    /// certificate that it gives takes effect with new connections; requests on those from before are finished there.
    ///
    /// ```
    /// # use klient_client::{Config, Credentials, ExecConfig, Kubeconfig, Overrides, PluginPolicy};
    /// # use std::time::Duration;
    /// # fn f(mut config: Config) -> Result<(), klient_client::Error> {
    /// // A plugin of a kubeconfig, with another limit than one minute, if it is one of two that may be run.
    /// if let Credentials::Exec(plugin) = &config.credentials {
    ///     let allowed = ["aws", "gke-gcloud-auth-plugin"].map(str::to_owned).to_vec();
    ///     config.credentials = Credentials::exec(ExecConfig {
    ///         timeout: Some(Duration::from_secs(20)),
    ///         policy: PluginPolicy::Allowlist(allowed),
    ///         ..plugin.config().clone()
    ///     })?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the configuration is not valid. A plugin that fails is an error of the request, of kind
    /// [`Auth`](crate::ErrorKind::Auth), which names the command and the user.
    pub fn exec(plugin: ExecConfig) -> Result<Self, Error> {
        let what = format!("exec plugin {}", plugin.command);
        let plugin = ExecPlugin::new(plugin).map_err(|problem| Error::config(what, problem))?;
        Ok(Credentials::Exec(plugin))
    }

    /// The auth provider `oidc` of a kubeconfig.
    pub(crate) fn oidc(settings: oidc::Settings) -> Result<Self, Error> {
        oidc::Oidc::new(settings).map(Self::provider)
    }

    /// A bearer token in a file, and the one to use until the file can be read.
    pub(crate) fn token_file_or(path: PathBuf, token: String) -> Self {
        Self::provider(TokenFile::open_or(path, token))
    }

    /// The client certificate of a plugin, if it gave one.
    pub(crate) fn identity(&self) -> Option<Identity> {
        match self {
            Credentials::Exec(plugin) => plugin.identity(),
            _ => None,
        }
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
        let value = match self {
            Credentials::None => return Ok(Authorization::default()),
            Credentials::Exec(plugin) => return plugin.authorization(request).await,
            Credentials::Provider(provider) => return provider.authorization(request, limit).await,
            Credentials::Token(token) => header::authorization("Bearer", token.0.trim()),
            Credentials::Basic { username, password } => {
                header::authorization("Basic", &BASE64.encode(format!("{username}:{}", password.0)))
            }
        };
        let invalid = || Problem("the token has characters that no header can hold".to_owned());
        let value = value.ok_or_else(|| Error::config("credentials", invalid()))?;
        Ok(Authorization { header: Some(value), ..Authorization::default() })
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
            Credentials::Exec(plugin) => plugin.refresh(refused, request).await,
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
            Credentials::Exec(plugin) => plugin.fmt(f),
        }
    }
}
