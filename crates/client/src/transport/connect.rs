//! Opening connections.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower::Service;

use super::BoxError;
use super::tls;
use crate::config::Config;
use crate::error::{Error, Problem};

/// How often the system asks whether a silent peer is still there.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Opens connections, each within its time.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<HttpConnector>,
    timeout: Duration,
}

/// No connection came about in time.
#[derive(Debug)]
pub(crate) struct ConnectTimeout(Duration);

impl fmt::Display for ConnectTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection and TLS handshake within {} s", self.0.as_secs_f64())
    }
}

impl StdError for ConnectTimeout {}

pub(super) fn connector(config: &Config) -> Result<Connector, Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(config.timeouts.connect));
    http.set_keepalive(Some(TCP_KEEP_ALIVE));
    http.set_nodelay(true);
    let builder =
        HttpsConnectorBuilder::new().with_tls_config(tls::client_config(&config.tls)?).https_or_http();
    let builder = match &config.tls.server_name {
        Some(name) => {
            let name = ServerName::try_from(name.clone()).map_err(|error| {
                Error::config(format!("tls-server-name {name:?}"), Problem(error.to_string()))
            })?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
        None => builder,
    };
    let https = builder.enable_all_versions().wrap_connector(http);
    Ok(Connector { https, timeout: config.timeouts.connect + config.timeouts.tls })
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, limit) = (self.https.call(uri), self.timeout);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(ConnectTimeout(limit).into()),
            }
        })
    }
}

/// How far a request came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There was no connection, so nothing was sent.
    Connect,
    /// It may have been sent.
    Sent,
}

/// How far a request came, by what the transport says of it.
pub(crate) fn stage(error: &(dyn StdError + 'static)) -> Stage {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>()
            && error.is_connect()
        {
            return Stage::Connect;
        }
        cause = error.source();
    }
    Stage::Sent
}
