//! [`AuthProvider`], where credentials that change come from.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use klient_apimachinery::BoxFuture;
use tokio::sync::Mutex;

use super::Authorization;
use crate::error::step_timeout::StepTimeout;
use crate::error::{Error, ErrorKind};
use crate::transport::BoxError;

/// A source of credentials that change, such as a cloud's token service.
///
/// Calls of one provider are serialized, so that concurrent requests share the result of one call. When the server
/// answers 401, [`refresh`](Self::refresh) is called once for all requests that were sent with the credential; if it
/// returns another, they are sent once more.
///
/// A request waits for its provider for [`Timeouts::auth`](crate::Timeouts::auth), 30 s by default, and for those
/// before it in the same provider within that time. Then it fails with an error that names the provider, and the call that
/// it made is dropped.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::HeaderValue;
/// use klient_apimachinery::BoxFuture;
/// use klient_client::{AuthProvider, BoxError, Client, Config, Credentials};
///
/// struct TokenService { token: String }
///
/// impl AuthProvider for TokenService {
///     fn name(&self) -> &str {
///         "token service of the example"
///     }
///
///     fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
///         Box::pin(async { Ok(Some(HeaderValue::try_from(format!("Bearer {}", self.token))?)) })
///     }
/// }
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let mut config = Config::from_kubeconfig(&server.kubeconfig())?;
/// config.credentials = Credentials::provider(TokenService { token: server.admin_token().into() });
/// Client::new(config)?.discovery().version().await?;
/// # Ok(()) }
/// ```
pub trait AuthProvider: Send + Sync + 'static {
    /// The name of the provider in errors and logs.
    fn name(&self) -> &str;

    /// The `Authorization` header for a request, or `None` to send none. It is called before each request: cache a
    /// credential that is still valid. The header's value is never printed.
    ///
    /// # Errors
    ///
    /// If no credential is available. The request fails with an error of kind [`Auth`](ErrorKind::Auth), which names
    /// the provider and prints this error: keep secrets out of its text.
    fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>>;

    /// The header after the server has refused the present one with 401; a cached credential must not be returned
    /// again. Calls [`authorization`](Self::authorization) by default.
    ///
    /// # Errors
    ///
    /// As [`authorization`](Self::authorization).
    fn refresh(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        self.authorization()
    }
}

/// An [`AuthProvider`] and the state of its refreshes. Clones share both.
#[derive(Clone)]
pub struct Provider(Arc<Inner<dyn AuthProvider>>);

struct Inner<P: ?Sized> {
    /// The number of refreshes.
    refreshes: Mutex<u64>,
    provider: P,
}

impl Provider {
    pub(super) fn new(provider: impl AuthProvider) -> Self {
        Provider(Arc::new(Inner { refreshes: Mutex::new(0), provider }))
    }

    /// The header for a request, within a time limit.
    pub(super) async fn authorization(
        &self,
        request: &(dyn fmt::Display + Sync),
        limit: Option<Duration>,
    ) -> Result<Authorization, Error> {
        let call = async {
            let refreshes = self.0.refreshes.lock().await;
            (self.0.provider.authorization().await, *refreshes)
        };
        let (header, refreshes) = within(limit, call).await.unwrap_or_else(|error| (Err(error), 0));
        self.given(header, refreshes, request)
    }

    /// A header other than the refused one, within a time limit. The first of several requests with the same header
    /// refreshes it.
    pub(super) async fn refresh(
        &self,
        refused: &Authorization,
        request: &(dyn fmt::Display + Sync),
        limit: Option<Duration>,
    ) -> Result<Option<Authorization>, Error> {
        let call = async {
            let mut refreshes = self.0.refreshes.lock().await;
            if *refreshes > refused.refreshes {
                return (self.0.provider.authorization().await, *refreshes);
            }
            tracing::debug!(provider = self.0.provider.name(), "the server refused the credentials");
            let header = self.0.provider.refresh().await;
            *refreshes += 1;
            (header, *refreshes)
        };
        let (header, refreshes) = within(limit, call).await.unwrap_or_else(|error| (Err(error), 0));
        let fresh = self.given(header, refreshes, request)?;
        Ok(Some(fresh).filter(|fresh| fresh.header.is_some() && fresh.header != refused.header))
    }

    fn given(
        &self,
        header: Result<Option<HeaderValue>, BoxError>,
        refreshes: u64,
        request: &(dyn fmt::Display + Sync),
    ) -> Result<Authorization, Error> {
        let mut header = header.map_err(|cause| {
            let error = ProviderError { provider: self.0.provider.name().to_owned(), cause };
            Error::new(ErrorKind::Auth, request.to_string(), error)
        })?;
        header.iter_mut().for_each(|value| value.set_sensitive(true));
        Ok(Authorization { header, refreshes, exec: None })
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.0.provider.name())
    }
}

/// Waits for a call of a provider, and drops it when the time is up.
async fn within<T>(limit: Option<Duration>, call: impl Future<Output = T>) -> Result<T, BoxError> {
    let Some(limit) = limit else { return Ok(call.await) };
    tokio::time::timeout(limit, call).await.map_err(|_| StepTimeout { step: "credentials", limit }.into())
}

/// A provider that failed.
#[derive(Debug)]
struct ProviderError {
    provider: String,
    cause: BoxError,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.provider)
    }
}

impl StdError for ProviderError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}
