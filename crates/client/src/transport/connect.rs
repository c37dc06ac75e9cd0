//! Opening connections.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower::ServiceExt as _;

use super::BoxError;
use super::proxy::ProxyTunnel;
use super::resolver::Resolver;
use super::server_name::name_of;
use super::socket::Socket;
use super::tls::TlsSettings;
use crate::config::{Config, Dialer, Timeouts};
use crate::error::not_sent::NotSent;
use crate::error::step_timeout::StepTimeout;
use crate::error::{Error, Problem};
use crate::http_trace::{ConnectTimes, Step};
use crate::port::port_of;

/// The interval of TCP keep-alive probes.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Opens connections: first TCP or that of a dialer, then the tunnel of a proxy, then TLS, each within its time.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    dialer: Option<Dialer>,
    proxy: Option<ProxyTunnel>,
    tls: Arc<TlsSettings>,
    server_name: Option<ServerName<'static>>,
    /// Offers HTTP/1.1 only.
    is_http11: bool,
    timeouts: Timeouts,
}

pub(super) fn connector(config: &Config) -> Result<Connector, Error> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::default());
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
    let tls = Arc::new(TlsSettings::new(
        &config.tls,
        &config.credentials,
        config.http,
        config.url.scheme_str() == Some("http"),
    )?);
    let (dialer, proxy) = (config.dialer.clone(), ProxyTunnel::of(config)?);
    Ok(Connector {
        tcp,
        dialer,
        proxy,
        tls,
        server_name,
        is_http11: false,
        timeouts: config.timeouts.clone(),
    })
}

impl Connector {
    /// The same connector, which offers HTTP/1.1 only.
    pub(super) fn http11(self) -> Self {
        Connector { is_http11: true, ..self }
    }

    /// The time-outs of the configuration.
    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// TLS settings of the next connections.
    pub(super) fn tls(&self) -> &Arc<TlsSettings> {
        &self.tls
    }

    /// The header that a proxy wants in each request: see [`ProxyTunnel::request_authorization`].
    pub(super) fn proxy_authorization(&self, server: &Uri) -> Option<&HeaderValue> {
        self.proxy.as_ref()?.request_authorization(server)
    }

    /// Opens a connection to a server, up to the point where HTTP starts.
    ///
    /// # Errors
    ///
    /// [`NotSent::Connect`].
    pub(super) async fn open(&self, server: &Uri) -> Result<Socket, NotSent> {
        let opened = async {
            let socket = self.reach(server).await?;
            if server.scheme_str() == Some("https") { self.encrypt(socket, server).await } else { Ok(socket) }
        };
        opened.await.map_err(NotSent::Connect)
    }

    /// Opens a connection to a server without TLS, through the proxy if there is one.
    async fn reach(&self, server: &Uri) -> Result<Socket, BoxError> {
        let Some(proxy) = &self.proxy else { return self.dial(server).await };
        let connection = self.dial(proxy.uri()).await.map_err(|error| proxy.unreachable(error))?;
        let limit = self.timeouts.connect;
        match tokio::time::timeout(limit, proxy.open(connection, server)).await {
            Ok(opened) => opened,
            Err(_) => {
                let error = StepTimeout { step: "response of the proxy", limit };
                Err(proxy.refused(server, error.into()).into())
            }
        }
    }

    /// Opens a connection to the host of a URL.
    async fn dial(&self, uri: &Uri) -> Result<Socket, BoxError> {
        let limit = self.timeouts.connect;
        let (host, port) = (uri.host().unwrap_or_default(), port_of(uri));
        let Some(dialer) = &self.dialer else {
            let connecting = within(limit, "connection", self.tcp.clone().oneshot(uri.clone()));
            let connection = ConnectTimes::step(Step::Connect, connecting)
                .await
                .inspect_err(|error| ConnectTimes::log_dial_failure(host, port, &**error))?
                .into_inner();
            if let Ok(peer) = connection.peer_addr() {
                ConnectTimes::log_dial(peer);
            }
            return Ok(connection.into());
        };
        within(limit, "connection", dialer.dial(host, port)).await.map(Socket::new)
    }

    /// Starts TLS with a server.
    async fn encrypt(&self, socket: Socket, server: &Uri) -> Result<Socket, BoxError> {
        let name = self.server_name.clone().map_or_else(|| name_of(server), Ok)?;
        let mut settings = self.tls.current().await;
        if self.is_http11 {
            Arc::make_mut(&mut settings).alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let handshake = TlsConnector::from(settings).connect(name, socket);
        let stream =
            ConnectTimes::step(Step::Tls, within(self.timeouts.tls, "TLS handshake", handshake)).await?;
        Ok(Socket::encrypted(stream))
    }
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
