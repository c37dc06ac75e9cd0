//! `klient gateway`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use http::Uri;
use klient_apimachinery::go::{os_error, quoted};
use klient_config_flags::ConfigFlags;
use klient_gateway::{Access, Context, Gateway, Limits, Options, Tls};
use tokio::net::TcpListener;

use crate::error::CliError;
use crate::session::{OtherContext, Session};

pub(crate) const EXAMPLES: &str = "\
The page is at the address that is printed, which has the token. It shows the contexts of the kubeconfig, unless flags \
select a server or a user, or users bring permissions of their own.

Programs send the token as bearer token: /v1/table/apps/v1/deployments has a live table, /v1/changes/apps/v1/deployments \
its changes as server-sent events, /api and /apis the API of the cluster, and /openapi.json describes all of it. The header \
X-Klient-Context chooses another context.

Examples:
  # See the cluster of the kubeconfig, without changing anything
  klient gateway

  # Change objects, too, and run commands in containers
  klient gateway --allow-writes --allow-exec

  # Serve users of the cluster by their own tokens, over TLS and a name
  klient gateway --address=0.0.0.0 --host=gateway.example --access=bearer --tls-cert-file=tls.crt \
--tls-private-key-file=tls.key

  # Serve users whom a proxy in front has signed in, who has the token, with their own permissions
  klient gateway --access=impersonate --access-token-file=token";

/// Arguments of `gateway`.
#[derive(Args, Debug)]
pub(crate) struct GatewayArgs {
    /// IP address on which to serve; other machines can reach it unless it is 127.0.0.1 or ::1
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
    /// Port on which to serve; port 0 selects a free port
    #[arg(long, short = 'p', default_value_t = 8888)]
    port: u16,
    /// Name by which browsers reach the gateway, beside localhost; can be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Users of the gateway: everyone with the token that is printed, with the permissions of this program (token); users
    /// of the cluster by their bearer tokens (bearer); users whom a proxy in front has signed in, by impersonation
    /// (impersonate)
    #[arg(long, value_enum, default_value = "token")]
    access: AccessArg,
    /// File with the token, in place of a random one, with --access=token or impersonate; letters and digits
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    access_token_file: Option<PathBuf>,
    /// Header in which the proxy in front names the user, with --access=impersonate; X-Remote-User by default
    #[arg(long, value_name = "HEADER")]
    user_header: Option<String>,
    /// Header in which the proxy in front names the groups of the user, one each, with --access=impersonate; X-Remote-Group by
    /// default
    #[arg(long, value_name = "HEADER")]
    group_header: Option<String>,
    /// Pass on requests that create, change and delete
    #[arg(long)]
    allow_writes: bool,
    /// Pass on exec, attach, port-forward and proxy
    #[arg(long)]
    allow_exec: bool,
    /// Show the values of Secrets
    #[arg(long)]
    show_secrets: bool,
    /// File with the certificate of the gateway, to serve HTTPS; it is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file")]
    tls_cert_file: Option<PathBuf>,
    /// File with the private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,
}

/// The users of the gateway.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AccessArg {
    Token,
    Bearer,
    Impersonate,
}

impl AccessArg {
    /// The word of the flag.
    fn as_str(self) -> &'static str {
        match self {
            AccessArg::Token => "token",
            AccessArg::Bearer => "bearer",
            AccessArg::Impersonate => "impersonate",
        }
    }
}

impl GatewayArgs {
    /// The file with the token. An empty value is the same as no flag, for manifests that have it in a variable.
    fn token_file(&self) -> Option<&PathBuf> {
        self.access_token_file.as_ref().filter(|path| !path.as_os_str().is_empty())
    }

    /// A flag that would be ignored because of `--access`, and the reason.
    fn flag_without_effect(&self, connection: &ConfigFlags) -> Option<(&'static str, &'static str)> {
        let (of_token, of_headers) = (
            "there is no token of the gateway, since each request has one of the cluster",
            "only a proxy in front, with --access=impersonate, names users in headers",
        );
        let of_user = "each request acts as its own user";
        let (has_users, has_headers) = match self.access {
            AccessArg::Token => (false, false),
            AccessArg::Bearer => (true, false),
            AccessArg::Impersonate => (true, true),
        };
        let has_token = !matches!(self.access, AccessArg::Bearer);
        let flags = [
            ("--access-token-file", self.token_file().is_some() && !has_token, of_token),
            ("--user-header", self.user_header.is_some() && !has_headers, of_headers),
            ("--group-header", self.group_header.is_some() && !has_headers, of_headers),
            ("--as", !connection.impersonate.is_empty() && has_users, of_user),
            ("--as-uid", !connection.impersonate_uid.is_empty() && has_users, of_user),
            ("--as-group", !connection.impersonate_groups.is_empty() && has_users, of_user),
            ("--as-user-extra", !connection.impersonate_user_extra.is_empty() && has_users, of_user),
        ];
        let ignored = flags.into_iter().find(|(_, is_ignored, _)| *is_ignored);
        ignored.map(|(flag, _, reason)| (flag, reason))
    }
}

pub(crate) async fn run(args: GatewayArgs, session: &mut Session) -> Result<(), CliError> {
    if let Some((flag, reason)) = args.flag_without_effect(&session.connection) {
        let access = args.access.as_str();
        let problem = format!("{flag} has no effect with --access={access}: {reason}");
        return Err(CliError::usage(&session.program, "gateway", &problem));
    }
    let cluster = session.cluster()?;
    warn_of_missing_files(&session.connection, &cluster.client().config().url);
    let token = match args.token_file() {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::Message(format!("cannot read {}: {}", path.display(), os_error(&error)))
            })?;
            Some(text.trim().to_owned())
        }
    };
    let access = match args.access {
        AccessArg::Token => Access::Token,
        AccessArg::Bearer => Access::Bearer,
        AccessArg::Impersonate => Access::Impersonate {
            user_header: args.user_header.clone().unwrap_or_else(|| "X-Remote-User".to_owned()),
            group_header: Some(args.group_header.clone().unwrap_or_else(|| "X-Remote-Group".to_owned())),
        },
    };
    let (context, others) = session.contexts()?;
    let contexts = match access {
        Access::Token => others.into_iter().filter_map(usable).collect(),
        _ => Vec::new(),
    };
    let tls = args.tls_cert_file.as_ref().zip(args.tls_private_key_file.as_ref());
    let options = Options {
        address: args.address,
        hosts: args.host.clone(),
        access,
        token,
        context,
        contexts,
        writes: args.allow_writes,
        exec: args.allow_exec,
        secrets: args.show_secrets,
        tls: tls.map(|(certificate, key)| Tls::files(certificate, key)),
        limits: limits(),
        ..Options::default()
    };
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let gateway = Gateway::new(cluster.client().clone(), options).map_err(message)?;
    let listener = TcpListener::bind((args.address, args.port)).await.map_err(|error| {
        let address = quoted(format!("{}:{}", args.address, args.port));
        CliError::Message(format!("cannot listen on {address}: {}", os_error(&error)))
    })?;
    let address = listener.local_addr().map_err(|error| CliError::Message(os_error(&error)))?;
    if !args.address.is_loopback() && scheme == "http" {
        tracing::warn!("the gateway is open to the network without TLS: see --tls-cert-file");
    }
    // All addresses are none that a browser can open.
    let shown = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    };
    session.console.println(format_args!("Serving at {scheme}://{shown}{}", gateway.page()))?;
    session.console.println(format_args!("Press Ctrl-C to stop"))?;
    session.console.print("")?;
    let interrupt = session.interrupt.clone();
    let shutdown = async move {
        interrupt.wait().await;
    };
    gateway.serve(listener, shutdown).await.map_err(message)
}

/// Warns of files of the kubeconfig that do not exist. As by kubectl, they are passed over; without any there is no cluster but
/// one on this machine, and nobody who starts the gateway may look at its requests.
fn warn_of_missing_files(connection: &ConfigFlags, server: &Uri) {
    let rules = connection.loading_rules();
    let is_named =
        rules.explicit_path.is_none() && std::env::var_os("KUBECONFIG").is_some_and(|list| !list.is_empty());
    let is_default = server.authority().is_some_and(|authority| authority == "localhost:8080");
    for file in rules.files().iter().filter(|file| !file.exists()) {
        if is_named || is_default {
            let host = server.authority().map_or("", |authority| authority.as_str());
            let host = host.rsplit('@').next().unwrap_or_default();
            let file = quoted(file.display().to_string());
            tracing::warn!("the kubeconfig {file} does not exist: the gateway serves the cluster at {host}");
        }
    }
}

/// The limits, with no more connections than the system lets this program have open files, and some of these for the cluster.
fn limits() -> Limits {
    let limits = Limits::default();
    let Some(files) = open_files() else { return limits };
    Limits { connections: limits.connections.min(files - files / 4), ..limits }
}

/// The limit of open files, which is raised as far as the system allows, as in programs in Go.
#[cfg(unix)]
fn open_files() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files could not be raised");
            limit.current
        }
    };
    current.and_then(|files| usize::try_from(files).ok())
}

#[cfg(not(unix))]
fn open_files() -> Option<usize> {
    None
}

/// A context, unless its entry in the kubeconfig is broken.
fn usable((name, config): OtherContext) -> Option<Context> {
    match config {
        Ok(config) => Some(Context { name, config }),
        Err(error) => {
            tracing::warn!("the context {} is left out: {error}", quoted(name));
            None
        }
    }
}

fn message(error: klient_gateway::Error) -> CliError {
    CliError::Message(error.to_string())
}
