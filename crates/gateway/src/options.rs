//! [`Options`] of a gateway, and who may use it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::HeaderName;
use klient_certificate::Tls;
use klient_client::Config;

/// The header with the name of the context of a request.
pub(crate) const CONTEXT_HEADER: HeaderName = HeaderName::from_static("x-klient-context");

/// The parameter with the name of the context, for requests that cannot have the header: `EventSource` and `WebSocket`.
pub(crate) const CONTEXT_PARAMETER: &str = "context";

/// Options of a [`Gateway`](crate::Gateway). By default it reads only, and shows no values of Secrets, to those who have its
/// token.
#[derive(Clone)]
pub struct Options {
    /// The IP address that the gateway is reached at, which is then right in the header `Host`; by default 127.0.0.1. Names and
    /// addresses of the loopback interface always are.
    pub address: IpAddr,
    /// Other names that are right in the header `Host`, without a port, such as that of an ingress. A name that is not in the
    /// list is refused, so that no web site can lead a browser here by a DNS name of its own.
    pub hosts: Vec<String>,
    /// The users, and whose permissions a request has.
    pub access: Access,
    /// The token of [`Access::Token`] and [`Access::Impersonate`]; random by default. There is none of [`Access::Bearer`].
    pub token: Option<String>,
    /// The certificate of the server, which then speaks TLS only; none by default.
    pub tls: Option<Tls>,
    /// The name of the client's context; by default the address of its server.
    pub context: Option<String>,
    /// Other contexts that requests can choose, with [`Access::Token`] only; none by default.
    pub contexts: Vec<Context>,
    /// Passes on requests that write; false by default.
    pub writes: bool,
    /// Passes on exec, attach, port-forward and proxy of pods, services and nodes; false by default.
    pub exec: bool,
    /// Shows the values of Secrets; false by default.
    pub secrets: bool,
    /// The time after which an informer that nobody asks for stops; 5 minutes by default.
    pub idle: Duration,
    /// The longest wait of a request for the first list of an informer; 15 s by default.
    pub sync_timeout: Duration,
    /// The longest time for which a permission or a bearer token that the cluster has taken away still counts; 1 minute by
    /// default. The cluster is asked again about tokens, and informers begin another watch, at this interval.
    pub recheck: Duration,
    /// The longest time for which a client may take nothing of a response that has an end; 1 minute by default. The connection is
    /// then closed, which makes room for another. Streams and switched connections have no such limit, since a log or a shell
    /// may be paused. It is a limit of [`Gateway::serve`](crate::Gateway::serve).
    pub unread_timeout: Duration,
    /// Limits of requests, streams and informers.
    pub limits: Limits,
}

/// A cluster with a user, as a context of a kubeconfig names them. Nothing is sent to it before a request chooses it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The name by which requests choose it.
    pub name: String,
    /// The server, and the credentials of the user.
    pub config: Config,
}

/// The users of a gateway, and the permissions that their requests have in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everyone with the gateway's token acts as the gateway itself. A browser gets the token by its address, `/?token=…`, and
    /// keeps it in a cookie.
    #[default]
    Token,
    /// A request acts by its own bearer token, which is sent to the cluster. There is no token of the gateway.
    Bearer,
    /// A proxy in front of the gateway has signed the user in: it sends the gateway's token as bearer token, and the user's
    /// name and groups in headers. The gateway impersonates the user, for which it needs the permission.
    Impersonate {
        /// The header with the name, such as `X-Remote-User`.
        user_header: String,
        /// The header with the groups, which may be there several times; no groups if absent.
        group_header: Option<String>,
    },
}

impl Access {
    /// The word of the option `--access`.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Access::Token => "token",
            Access::Bearer => "bearer",
            Access::Impersonate { .. } => "impersonate",
        }
    }
}

/// Limits of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The limit of the body of a request, in bytes; 4 MiB by default.
    pub body_bytes: u64,
    /// The limit of the names and values of a request's headers, in bytes; 32 KiB by default.
    pub header_bytes: usize,
    /// The limit of open streams (changes, watches, logs that are followed, upgraded connections); 2,048 by default.
    pub streams: usize,
    /// The limit of open streams of a client: of an identity, or of an address where all have the same identity; 1,024 by
    /// default.
    pub streams_per_client: usize,
    /// The limit of informers of an identity; 64 by default. The one that was unused for the longest time makes room.
    pub informers: usize,
    /// The limit of identities that have caches; 128 by default. The one that was unused for the longest time makes room.
    pub identities: usize,
    /// The number of changes of an informer that a stream can go on from; 4,096 by default.
    pub history: usize,
    /// The limit of the bytes of these changes; 32 MiB by default. Large rows are kept for fewer changes.
    pub history_bytes: usize,
    /// The limit of connections; 4,096 by default. More wait to be accepted.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 4 << 20,
            header_bytes: 32 << 10,
            streams: 2048,
            streams_per_client: 1024,
            informers: 64,
            identities: 128,
            history: 4096,
            history_bytes: 32 << 20,
            connections: 4096,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            address: Ipv4Addr::LOCALHOST.into(),
            hosts: Vec::new(),
            access: Access::default(),
            token: None,
            tls: None,
            context: None,
            contexts: Vec::new(),
            writes: false,
            exec: false,
            secrets: false,
            idle: Duration::from_secs(300),
            sync_timeout: Duration::from_secs(15),
            recheck: Duration::from_secs(60),
            unread_timeout: Duration::from_secs(60),
            limits: Limits::default(),
        }
    }
}

/// Does not show the token.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("address", &self.address)
            .field("hosts", &self.hosts)
            .field("access", &self.access)
            .field("tls", &self.tls)
            .field("context", &self.context)
            .field("contexts", &self.contexts)
            .field("writes", &self.writes)
            .field("exec", &self.exec)
            .field("secrets", &self.secrets)
            .field("idle", &self.idle)
            .field("recheck", &self.recheck)
            .field("unread_timeout", &self.unread_timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
