//! `klient proxy`.

mod answer;
mod files;
mod filter;
mod listener;
mod path;
mod routes;

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use klient_apimachinery::go::os_error;
use klient_client::{Config, Dialer};
use klient_proxy::{ReverseProxy, ReverseProxyOptions};
use tokio::net::TcpStream;

use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::session::Session;
use filter::Filter;
use listener::Listener;
use routes::Routes;

/// The port of `--port` where none is given.
const DEFAULT_PORT: i64 = 8001;

/// Headers of a request. Go limits their bytes alone.
const MAX_HEADERS: usize = 1_000;

/// The time after which a connection without a request is closed.
const IDLE: Duration = Duration::from_secs(180);

/// The pause after a connection that could not be accepted, as without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Serve the API at a free port
  klient proxy --port=0

  # Serve files beside the API, which is below /k8s/
  klient proxy --www=site --www-prefix=/ --api-prefix=/k8s/

  # Let requests read pods only
  klient proxy --accept-paths='^/api/v1/(namespaces/[^/]+/)?pods' --reject-methods=POST,PUT,PATCH,DELETE";

/// Arguments of `proxy`.
#[derive(Args, Debug)]
pub(crate) struct ProxyArgs {
    /// Also serve static files from the given directory under the specified prefix
    #[arg(long, short = 'w', value_name = "DIR", default_value = "", hide_default_value = true)]
    www: String,
    /// Prefix to serve static files under, if static file directory is specified
    #[arg(long, short = 'P', value_name = "PREFIX", default_value = "/static/")]
    www_prefix: String,
    /// Prefix to serve the proxied API under
    #[arg(long, value_name = "PREFIX", default_value = "/")]
    api_prefix: String,
    /// Regular expressions for paths that the proxy should accept, separated by commas
    #[arg(long, value_name = "REGEXPS", default_value = "^.*")]
    accept_paths: String,
    /// Regular expressions for paths that the proxy should reject, even if --accept-paths accepts them
    #[arg(long, value_name = "REGEXPS", default_value = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach")]
    reject_paths: String,
    /// Regular expressions for hosts that the proxy should accept
    #[arg(long, value_name = "REGEXPS", default_value = r"^localhost$,^127\.0\.0\.1$,^\[::1\]$")]
    accept_hosts: String,
    /// Regular expressions for HTTP methods that the proxy should reject, such as POST,PUT,PATCH
    #[arg(long, value_name = "REGEXPS", default_value = "^$")]
    reject_methods: String,
    /// Port on which to run the proxy; port 0 selects a free port
    #[arg(long, short = 'p', default_value_t = DEFAULT_PORT)]
    port: i64,
    /// IP address on which to serve
    #[arg(long, default_value = "127.0.0.1")]
    address: String,
    /// Do not filter requests; with an accessible port, this is open to cross-site request forgery
    #[arg(long)]
    disable_filter: bool,
    /// Unix socket on which to run the proxy
    #[arg(long, short = 'u', value_name = "PATH", default_value = "", hide_default_value = true)]
    unix_socket: String,
    /// Keep-alive period of connections to the server, as 30s; 0 is the default of the client
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    keepalive: Timeout,
    /// Append the path of the server in the kubeconfig to the path of each request
    #[arg(long)]
    append_server_path: bool,
}

pub(crate) async fn run(args: ProxyArgs, session: &mut Session) -> Result<(), CliError> {
    let keepalive = args.keepalive.0.to_std().unwrap_or_default();
    let cluster = session.discovery_cluster_with(|config| keep_alive(config, keepalive))?;
    let base = cluster.client().config().url.path();
    if !args.append_server_path && !matches!(base, "" | "/") {
        tracing::warn!(
            "Your kube context contains a server path {base}, use --append-server-path to automatically append the \
             path to each request"
        );
    }
    let filter = if args.disable_filter {
        if args.unix_socket.is_empty() {
            tracing::warn!(
                "Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious"
            );
        }
        None
    } else {
        if args.reject_paths.is_empty() || args.reject_methods.is_empty() {
            tracing::warn!(
                "Request filter has been relaxed, your proxy may be vulnerable to attacks, please be cautious"
            );
        }
        Some(Filter::of(&args)?)
    };
    if args.port != DEFAULT_PORT && !args.unix_socket.is_empty() {
        return Err(CliError::message("cannot set --unix-socket and --port at the same time"));
    }
    if !args.www.is_empty() {
        let folder = &args.www;
        match std::fs::metadata(folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => tracing::warn!("Static file directory {folder} is not a directory"),
            Err(error) => {
                let problem = os_error(&error);
                tracing::warn!("Failed to stat static file directory {folder}: stat {folder}: {problem}");
            }
        }
    }
    let options =
        ReverseProxyOptions { append_server_path: args.append_server_path, ..ReverseProxyOptions::default() };
    let proxy = ReverseProxy::new(cluster.client().clone(), options);
    let routes = Arc::new(Routes::new(&args, proxy, filter)?);
    let listener = match args.unix_socket.is_empty() {
        true => Listener::tcp(&args.address, args.port).await,
        false => Listener::unix(Path::new(&args.unix_socket)),
    };
    let listener = listener?;
    session.console.println(format_args!("Starting to serve on {}", listener.name()))?;
    session.console.print("")?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let routes = routes.clone();
                let service = service_fn(move |request| {
                    let routes = routes.clone();
                    async move { Ok::<_, Infallible>(routes.answer(request, peer).await) }
                });
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(IDLE).max_headers(MAX_HEADERS);
                let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection was lost");
                    }
                });
            }
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Opens the connections of a client with a keep-alive period of their own.
fn keep_alive(config: &mut Config, period: Duration) {
    if period.is_zero() {
        return;
    }
    config.dialer = Some(Dialer::new(move |host: String, port| async move {
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        let keepalive = socket2::TcpKeepalive::new().with_time(period).with_interval(period);
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok::<_, io::Error>(stream)
    }));
}
