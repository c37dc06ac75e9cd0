//! Opening connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower::Service;

use super::BoxError;
use super::tls::TlsSettings;
use crate::config::{Config, Timeouts};
use crate::error::step_timeout::StepTimeout;
use crate::error::{Error, Problem};

/// The interval of TCP keep-alive probes.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Opens connections: first TCP, then TLS, each within its time.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Arc<TlsSettings>,
    server_name: Option<ServerName<'static>>,
    timeouts: Timeouts,
}

pub(super) fn connector(config: &Config) -> Result<Connector, Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(config.timeouts.connect));
    tcp.set_keepalive(Some(TCP_KEEP_ALIVE));
    tcp.set_nodelay(true);
    let server_name = match &config.tls.server_name {
        Some(name) => Some(ServerName::try_from(name.clone()).map_err(|error| {
            Error::config(format!("tls-server-name {name:?}"), Problem(error.to_string()))
        })?),
        None => None,
    };
    let tls = Arc::new(TlsSettings::new(&config.tls, &config.credentials, config.http)?);
    Ok(Connector { tcp, tls, server_name, timeouts: config.timeouts.clone() })
}

impl Connector {
    /// TLS settings of the next connections.
    pub(super) fn tls(&self) -> &Arc<TlsSettings> {
        &self.tls
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(BoxError::from)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = within(self.timeouts.connect, "connection", self.tcp.call(uri.clone()));
        let (tls, limit, name) = (self.tls.clone(), self.timeouts.tls, self.server_name.clone());
        Box::pin(async move {
            let tcp = connecting.await?;
            if uri.scheme_str() != Some("https") {
                return Ok(MaybeHttpsStream::Http(tcp));
            }
            let name = name.map_or_else(|| name_of(&uri), Ok)?;
            let tls = TlsConnector::from(tls.current().await);
            let stream = within(limit, "TLS handshake", tls.connect(name, TokioIo::new(tcp))).await?;
            Ok(MaybeHttpsStream::Https(TokioIo::new(stream)))
        })
    }
}

/// The name that a server's certificate must be for.
fn name_of(uri: &Uri) -> Result<ServerName<'static>, BoxError> {
    let host = uri.host().unwrap_or_default();
    // An IPv6 address has brackets in a URL.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(ServerName::try_from(bare.to_owned())?)
}

async fn within<T, E: Into<BoxError>>(
    limit: Duration,
    what: &'static str,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, BoxError> {
    match tokio::time::timeout(limit, future).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(StepTimeout { step: what, limit }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_for_the_host_of_the_url() {
        for (url, name) in [
            ("https://api.example:6443/k8s", "api.example"),
            ("https://10.0.0.1", "10.0.0.1"),
            ("https://[fd00::1]:6443", "fd00::1"),
        ] {
            assert_eq!(name_of(&url.parse().unwrap()).unwrap().to_str(), name);
        }
        assert!(name_of(&"https://a_b..c".parse().unwrap()).is_err());
    }
}
