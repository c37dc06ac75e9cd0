//! [`Config`], how to reach a cluster.

mod dialer;
mod http2_env;
mod in_cluster;
mod kubeconfig;
mod masked_url;
mod no_proxy;
mod pem;
mod proxy;
mod user_agent;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use dialer::Dialer;
pub(crate) use dialer::Stream;
use http::Uri;
use klient_apimachinery::go::quoted;
pub use kubeconfig::{
    AuthInfo, Cluster, ConfigurationInvalid, Context, Kubeconfig, LoadErrors, LoadingRules, Named, Overrides,
    Preferences,
};
pub(crate) use masked_url::without_user;
pub use pem::Pem;
pub use proxy::{Proxy, ProxyUrl};
pub use user_agent::user_agent;

use crate::auth::Credentials;
use crate::error::{Error, Problem};
use crate::http_trace::HttpTrace;
use crate::impersonation::Impersonation;
use crate::rate_limiter::RateLimiter;
use crate::warning::WarningHandler;

/// Configuration of a client: the cluster and the credentials for it.
///
/// ```no_run
/// use klient_client::{Client, Config};
/// # fn f() -> Result<(), klient_client::Error> {
/// let client = Client::new(Config::infer()?)?;
/// # Ok(()) }
/// ```
#[doc(alias = "rest::Config")]
#[doc(alias = "RESTClientConfig")]
#[derive(Clone)]
pub struct Config {
    /// The server's URL. Its path is a prefix of every request's path.
    pub url: Uri,
    /// The namespace where none is named.
    pub namespace: String,
    /// TLS settings.
    pub tls: Tls,
    /// A user: credentials.
    pub credentials: Credentials,
    /// Another user to act as.
    pub impersonate: Option<Impersonation>,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// The proxy between the client and the server; by default that of the environment.
    pub proxy: Proxy,
    /// Opens the connections; TCP by default.
    pub dialer: Option<Dialer>,
    /// The time after which a connection gets no more requests, so that the load moves to API servers that were added
    /// behind a load balancer. Each connection gets a random time of at most this and at least three quarters of it;
    /// requests and watches in progress end on the old connection. No limit by default.
    pub max_connection_age: Option<Duration>,
    /// The `User-Agent` header: see [`user_agent`]. By default it has the name of the program's file.
    pub user_agent: String,
    /// Versions of HTTP that are offered.
    pub http: HttpVersion,
    /// Encoding of objects.
    pub encoding: Encoding,
    /// Asks the server for responses that are not compressed. It is true by default, other than in client-go: compression
    /// saves time on a slow network, and costs both sides some on a fast one. False asks for gzip; API servers compress
    /// lists and other responses of more than 128 KiB, which are decompressed as they arrive.
    ///
    /// [`Overrides::disable_compression`] goes before the default; `disable-compression: true` of a kubeconfig is the
    /// default, and `false` there cannot be told from no value.
    pub disable_compression: bool,
    /// Takes the warnings that the server sends beside its responses.
    pub warnings: WarningHandler,
    /// The client's own limit of requests per second. None by default: the server limits its clients.
    pub rate_limiter: Option<RateLimiter>,
    /// Detail of the HTTP trace for subscribers without verbosities: a klog has that of its own.
    pub http_trace: HttpTrace,
    /// Commands in containers, copies and forwarded ports go over SPDY, and WebSocket is not offered: for a proxy that lets
    /// WebSocket begin and breaks it then.
    pub spdy_only: bool,
}

/// Versions of HTTP that are offered to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/2, and HTTP/1.1 where the server does not speak that. Over plain HTTP it is HTTP/1.1. A [`Config`] that is
    /// made while the environment has `DISABLE_HTTP2`, as client-go reads it, begins with [`Http11`](Self::Http11).
    #[default]
    Negotiate,
    /// HTTP/1.1 only, whose connections can be upgraded to another protocol. Each concurrent request has a connection
    /// of its own.
    Http11,
}

/// Encoding of objects. Kinds that are not built in always go in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Built-in kinds go in protobuf, and in JSON where the server does not know that.
    #[default]
    Negotiate,
    /// All go in JSON.
    Json,
    /// Built-in kinds go in protobuf, and a server that does not know that is an error.
    Protobuf,
}

/// TLS settings: trusted authorities, server name, client certificate.
///
/// Files are read again before each connection, and each minute while there are requests. After a change new requests
/// get new connections, and the old ones are closed when the requests and watches on them have ended. If files cannot be
/// read or used, the last that could be are.
#[derive(Clone, Default)]
pub struct Tls {
    /// Certificates of authorities that are trusted. Without any, those of the system are, or those in `SSL_CERT_FILE`
    /// and `SSL_CERT_DIR`.
    pub ca: Option<Pem>,
    /// The name the server's certificate must be for, if not that in the URL.
    pub server_name: Option<String>,
    /// Skips verification of the server's certificate. An attacker on the network can then read and change all traffic.
    pub insecure: bool,
    /// The client certificate and its key.
    pub client: Option<ClientIdentity>,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate, and those between it and its authority.
    pub certificate: Pem,
    /// The private key.
    pub key: Pem,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(***)")
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("ca", &self.ca)
            .field("server_name", &self.server_name)
            .field("insecure", &self.insecure)
            .field("client", &self.client)
            .finish()
    }
}

/// Time-outs.
///
/// A request as a whole is not limited by default, as in client-go: the server limits it. That the other side is
/// gone is found out by TCP keep-alive and HTTP/2 pings. `None` is no limit.
///
/// ```
/// use std::time::Duration;
/// use klient_client::Timeouts;
///
/// let Timeouts { auth, connect, tls, first_byte, whole, watch_idle, unread, .. } = Timeouts::default();
/// assert_eq!(auth, Some(Duration::from_secs(30)));
/// assert_eq!([connect, tls], [30, 10].map(Duration::from_secs));
/// assert_eq!((first_byte, whole), (Some(Duration::from_secs(75)), None));
/// assert_eq!([watch_idle, unread], [Some(Duration::from_secs(300)); 2]);
/// ```
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// The credentials of a request, from an [`AuthProvider`](crate::AuthProvider), and again where the server refused
    /// them. The request then fails with an error of kind [`Auth`](crate::ErrorKind::Auth). The default is 30 s. A
    /// credential plugin has a limit of its own: [`ExecConfig::timeout`](crate::ExecConfig::timeout).
    pub auth: Option<Duration>,
    /// A TCP connection. The default is 30 s, as in client-go.
    pub connect: Duration,
    /// The TLS handshake behind it. The default is 10 s, as in client-go.
    pub tls: Duration,
    /// An HTTP/2 connection without data, after which it is pinged; `None` for no pings. The default is 30 s, or
    /// `HTTP2_READ_IDLE_TIMEOUT_SECONDS` of the environment, where 0 means none, as in client-go.
    pub http2_read_idle: Option<Duration>,
    /// The answer to that ping, without which the connection is closed and its requests fail. The default is 15 s, or
    /// `HTTP2_PING_TIMEOUT_SECONDS` of the environment.
    pub http2_ping: Duration,
    /// From a request to the head of its response. The default is 75 s: a server ends a request after 60 s. It is at
    /// least the time-out of the request itself, such as [`whole`](Self::whole). It does not apply to logs, proxied
    /// requests and [`Request::stream`](crate::Request::stream), whose heads may come with their first data.
    pub first_byte: Option<Duration>,
    /// A request and its whole response, not a watch or another stream. It is sent to the server as the parameter
    /// `timeout`. The wait for a [`RateLimiter`](crate::RateLimiter) is not part of it. There is none by default.
    pub whole: Option<Duration>,
    /// The idle limit of a watch with bookmarks, which a server sends every minute. The default is 300 s.
    pub watch_idle: Option<Duration>,
    /// A list, a watch or another stream that has data and is not read. It then ends with an error of kind
    /// [`Timeout`](crate::ErrorKind::Timeout) and its memory is freed; until then it holds 1 MiB at most. The default
    /// is 300 s.
    pub unread: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            auth: Some(Duration::from_secs(30)),
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(10),
            http2_read_idle: http2_env::read_idle(),
            http2_ping: http2_env::ping(),
            first_byte: Some(Duration::from_secs(75)),
            whole: None,
            watch_idle: Some(Duration::from_secs(300)),
            unread: Some(Duration::from_secs(300)),
        }
    }
}

impl Config {
    /// A server at a URL, without credentials. A URL without a scheme is taken as `http`, as in client-go:
    /// `localhost:8080` is `http://localhost:8080`.
    ///
    /// ```
    /// use klient_client::Config;
    ///
    /// assert_eq!(Config::from_url("localhost:8080")?.url, "http://localhost:8080/");
    /// # Ok::<(), klient_client::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is no `http` or `https` URL.
    pub fn from_url(url: &str) -> Result<Config, Error> {
        server_url(url).map(Config::at).map_err(|problem| Error::config("server URL", problem))
    }

    fn at(url: Uri) -> Config {
        Config {
            url,
            namespace: "default".to_owned(),
            tls: Tls::default(),
            credentials: Credentials::None,
            impersonate: None,
            timeouts: Timeouts::default(),
            proxy: Proxy::default(),
            dialer: None,
            max_connection_age: None,
            user_agent: user_agent::default_user_agent(),
            http: if http2_env::is_disabled() { HttpVersion::Http11 } else { HttpVersion::Negotiate },
            encoding: Encoding::Negotiate,
            disable_compression: true,
            warnings: WarningHandler::default(),
            rate_limiter: None,
            http_trace: HttpTrace::default(),
            spdy_only: false,
        }
    }

    /// The configuration that kubectl uses: the files in `$KUBECONFIG`, else `~/.kube/config`; in a pod where these select
    /// no cluster, its service account; elsewhere `http://localhost:8080`.
    ///
    /// # Errors
    ///
    /// If the configuration found cannot be used.
    #[doc(alias = "try_default")]
    pub fn infer() -> Result<Config, Error> {
        Config::load(&LoadingRules::from_env(), &Overrides::default())
    }

    /// As [`infer`](Self::infer), with other files, and with overrides such as those of flags.
    ///
    /// # Errors
    ///
    /// If a file that exists cannot be read, or the configuration found cannot be used.
    #[doc(alias = "NewNonInteractiveDeferredLoadingClientConfig")]
    pub fn load(rules: &LoadingRules, overrides: &Overrides) -> Result<Config, Error> {
        Config::load_or(rules, overrides, in_cluster::lack(), Config::in_cluster)
    }

    fn load_or(
        rules: &LoadingRules,
        overrides: &Overrides,
        lack: Option<String>,
        in_cluster: impl FnOnce() -> Result<Config, Error>,
    ) -> Result<Config, Error> {
        let kubeconfig = rules.load()?;
        let is_pod = lack.is_none();
        let config = kubeconfig.config_or(overrides, is_pod.then_some(in_cluster))?;
        if let Some(lack) = lack.filter(|_| kubeconfig.selects_nothing(overrides)) {
            let files: Vec<String> = rules.files().iter().map(|path| path.display().to_string()).collect();
            let files = files.join(", ");
            tracing::warn!("no cluster is selected in kubeconfig {files}, and {lack}: using {}", config.url);
        }
        Ok(config)
    }

    /// A pod's service account. If its certificate authority (`ca.crt`) cannot be read, that is logged as an error and
    /// the authorities of the system are trusted, as in client-go.
    ///
    /// # Errors
    ///
    /// If this is no pod, or its token cannot be read.
    #[doc(alias = "InClusterConfig")]
    pub fn in_cluster() -> Result<Config, Error> {
        in_cluster::config()
    }

    /// The current context of a kubeconfig file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or used.
    #[doc(alias = "BuildConfigFromFlags")]
    pub fn from_kubeconfig_file(path: impl Into<PathBuf>) -> Result<Config, Error> {
        Kubeconfig::read(&path.into())?.config(&Overrides::default())
    }

    /// The current context of a kubeconfig given as text.
    ///
    /// # Errors
    ///
    /// If the text is no kubeconfig or cannot be used.
    pub fn from_kubeconfig(text: &str) -> Result<Config, Error> {
        Kubeconfig::parse(text)?.config(&Overrides::default())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("namespace", &self.namespace)
            .field("tls", &self.tls)
            .field("credentials", &self.credentials)
            .field("impersonate", &self.impersonate)
            .field("timeouts", &self.timeouts)
            .field("proxy", &self.proxy)
            .field("dialer", &self.dialer)
            .field("max_connection_age", &self.max_connection_age)
            .field("user_agent", &self.user_agent)
            .field("http", &self.http)
            .field("encoding", &self.encoding)
            .field("disable_compression", &self.disable_compression)
            .field("warnings", &self.warnings)
            .field("rate_limiter", &self.rate_limiter)
            .field("http_trace", &self.http_trace)
            .field("spdy_only", &self.spdy_only)
            .finish()
    }
}

/// Reads a server's URL; without a scheme it is plain HTTP, as in client-go.
fn server_url(text: &str) -> Result<Uri, Problem> {
    if text.contains('@') {
        // Not repeated: it is a secret.
        return Err(Problem("user and password do not belong into it".to_owned()));
    }
    let refuse = |problem: &str| Problem(format!("{}: {problem}", quoted(text)));
    let invalid = |error: http::uri::InvalidUri| refuse(&error.to_string());
    if text.is_empty() || text.ends_with("://") {
        return Err(refuse("it names no host"));
    }
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url: Uri = full.parse().map_err(invalid)?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(refuse("it must begin with http:// or https://"));
    }
    let authority = url.authority().ok_or_else(|| refuse("it names no host"))?;
    let path = url.path().trim_end_matches('/');
    format!("{}://{authority}{path}", url.scheme_str().unwrap_or("http")).parse().map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "{clusters: [{name: a, cluster: {server: 'https://kubeconfig'}}],
        contexts: [{name: a, context: {cluster: a}}], current-context: a}";

    /// The URL of the configuration that is inferred with these texts in the files of `$KUBECONFIG`.
    #[track_caller]
    fn check(files: &[&str], is_pod: bool, expected: &str) {
        let folder = tempfile::TempDir::new().unwrap();
        let paths: Vec<_> = (0..files.len()).map(|number| folder.path().join(number.to_string())).collect();
        for (path, text) in paths.iter().zip(files) {
            std::fs::write(path, text).unwrap();
        }
        let precedence = [paths, vec![folder.path().join("missing")]].concat();
        let rules = LoadingRules { precedence, ..LoadingRules::default() };
        let lack = (!is_pod).then(|| "this is no pod".to_owned());
        let inferred =
            Config::load_or(&rules, &Overrides::default(), lack, || Config::from_url("https://pod"));
        let told = inferred.map_or_else(|error| format!("{error:?}"), |config| config.url.to_string());
        assert_eq!(told.replace(folder.path().to_str().unwrap(), "FOLDER"), expected);
    }

    #[test]
    fn a_pod_uses_its_service_account_if_the_kubeconfig_selects_no_cluster() {
        let empty =
            "{apiVersion: v1, kind: Config, clusters: [], contexts: null, users: [], preferences: {}}";
        let without_context = &KUBECONFIG.replace("current-context: a", "current-context: ''");
        for files in [&[][..], &[""], &[empty], &["", empty], &[without_context]] {
            check(files, true, "https://pod/");
            check(files, false, "http://localhost:8080/");
        }
        check(&[KUBECONFIG], true, "https://kubeconfig/");
        check(&[empty, KUBECONFIG], true, "https://kubeconfig/");
    }
}
