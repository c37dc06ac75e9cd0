//! [`ProxyTunnel`], the way through a proxy.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio_rustls::TlsConnector;
use tower::{ServiceExt as _, service_fn};

use super::BoxError;
use super::server_name::name_of;
use super::socket::Socket;
use super::tls;
use crate::config::{Config, ProxyUrl};
use crate::error::proxy_error::ProxyError;
use crate::error::{Error, Problem};
use crate::port::port_of;

/// The remedy if a proxy wants a user and a password.
const NO_USER: &str = ": the URL of the proxy has no user name and password";

/// Opens tunnels through a proxy.
#[derive(Clone)]
pub(super) struct ProxyTunnel {
    url: ProxyUrl,
    /// TLS of an `https` proxy.
    tls: Option<Arc<ClientConfig>>,
    user_agent: Option<HeaderValue>,
}

impl ProxyTunnel {
    /// The way through the proxy of a configuration, if it has one.
    ///
    /// # Errors
    ///
    /// If the URL of the proxy or the certificate authorities cannot be used.
    pub(super) fn of(config: &Config) -> Result<Option<ProxyTunnel>, Error> {
        let Some(url) = config.proxy.for_server(&config.url)? else { return Ok(None) };
        let is_https = url.uri().scheme_str() == Some("https");
        let tls = is_https.then(|| tls::proxy_config(&config.tls)).transpose()?;
        Ok(Some(ProxyTunnel { url, tls: tls.map(Arc::new), user_agent: config.user_agent.parse().ok() }))
    }

    /// The URL of the proxy, without user and password.
    pub(super) fn uri(&self) -> &Uri {
        self.url.uri()
    }

    /// The header `Proxy-Authorization` of requests that go to the proxy themselves, as all do to an `http` server.
    pub(super) fn request_authorization(&self, server: &Uri) -> Option<&HeaderValue> {
        self.url.authorization().filter(|_| server.scheme_str() == Some("http"))
    }

    /// Opens a tunnel to a server over a connection to the proxy. The connection is returned as it is if it leads to an
    /// HTTP proxy and the server speaks plain HTTP.
    pub(super) async fn open(&self, connection: Socket, server: &Uri) -> Result<Socket, BoxError> {
        let connection = match &self.tls {
            Some(tls) => {
                let handshake = TlsConnector::from(tls.clone()).connect(name_of(self.uri())?, connection);
                Socket::new(Box::new(handshake.await.map_err(|error| self.unreachable(error.into()))?))
            }
            None => connection,
        };
        if self.url.is_socks() {
            return self.socks(connection, server).await;
        }
        if server.scheme_str() == Some("http") {
            return Ok(connection.with_proxy_requests());
        }
        self.connect(connection, server).await
    }

    /// Opens a tunnel with SOCKS5. The proxy resolves the name.
    async fn socks(&self, connection: Socket, server: &Uri) -> Result<Socket, BoxError> {
        let mut connection = Some(TokioIo::new(connection));
        let opened = service_fn(move |_: Uri| {
            ready(Ok::<_, Infallible>(connection.take().expect("a tunnel is opened once")))
        });
        let mut socks = SocksV5::new(self.uri().clone(), opened);
        if let Some((user, password)) = self.url.user() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        let tunnel = socks.oneshot(with_port(server)).await.map_err(|error| {
            let mut problem = error.to_string();
            // The same error for a proxy that accepts none without a user as for one that accepts none with a user.
            if self.url.user().is_none() && problem.ends_with("user/pass authentication") {
                problem = format!("SOCKS error: user and password are required{NO_USER}");
            }
            self.refused(server, Problem(problem).into())
        })?;
        Ok(tunnel.into_inner())
    }

    /// Opens a tunnel with the method CONNECT (RFC 9110 section 9.3.6).
    async fn connect(&self, connection: Socket, server: &Uri) -> Result<Socket, BoxError> {
        let fail = |error: hyper::Error| self.refused(server, error.into());
        // As Go writes the names of headers; proxies of old take no others.
        let mut http1 = hyper::client::conn::http1::Builder::new();
        let handshake = http1.title_case_headers(true).handshake(TokioIo::new(connection));
        let (mut sender, connection) = handshake.await.map_err(fail)?;
        // It ends with the sender, or when the tunnel is open.
        tokio::spawn(connection.with_upgrades());
        let authority = with_port(server).authority().cloned().expect("a server has one");
        let mut request = Request::connect(authority.as_str())
            .header(header::HOST, authority.as_str())
            .body(Empty::<Bytes>::new())?;
        let headers = request.headers_mut();
        if let Some(agent) = &self.user_agent {
            headers.insert(header::USER_AGENT, agent.clone());
        }
        if let Some(authorization) = self.url.authorization() {
            headers.insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        let response = sender.send_request(request).await.map_err(fail)?;
        if response.status() != StatusCode::OK {
            return Err(self.refused(server, Problem(self.refusal(response.status())).into()).into());
        }
        let tunnel = hyper::upgrade::on(response).await.map_err(fail)?;
        Ok(Socket::new(Box::new(TokioIo::new(tunnel))))
    }

    /// The status of a proxy that opens no tunnel, and its remedy.
    fn refusal(&self, status: StatusCode) -> String {
        let remedy = match (status, self.url.authorization()) {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, None) => NO_USER,
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(_)) => {
                ": check the user and password in its URL"
            }
            _ => "",
        };
        format!("{status}{remedy}")
    }

    /// The error of a proxy to which there is no connection.
    pub(super) fn unreachable(&self, cause: BoxError) -> ProxyError {
        ProxyError { proxy: self.url.to_string(), server: None, cause }
    }

    /// The error of a proxy that opens no tunnel to a server.
    pub(super) fn refused(&self, server: &Uri, cause: BoxError) -> ProxyError {
        let server = with_port(server).authority().map(ToString::to_string);
        ProxyError { proxy: self.url.to_string(), server, cause }
    }
}

/// The URL of a server with its port.
fn with_port(server: &Uri) -> Uri {
    let authority = format!("{}:{}", server.host().unwrap_or_default(), port_of(server));
    let parts = Uri::builder().scheme("https").authority(authority).path_and_query("/");
    parts.build().expect("host and port are those of a URL")
}
