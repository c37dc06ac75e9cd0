//! A web service in front of a Kubernetes API server: tables from informers, which are alive, a guarded proxy, and a page.
//!
//! - [`Gateway`]: the service, for any server that takes a `tower` service, with a [server](Gateway::serve) of its own;
//! - [`Options`]: what it allows: reads only, and no values of Secrets, until told otherwise;
//! - [`Access`]: who may use it, and with whose permissions.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_client::{Client, Config};
//! use klient_gateway::{Gateway, Options};
//!
//! let cluster = klient_apiserver::TestServer::start().await?;
//! let client = Client::new(Config::from_kubeconfig(&cluster.kubeconfig())?)?;
//! let gateway = Gateway::new(client, Options::default())?;
//!
//! // A `tower` service, whose requests may come from any server.
//! let token = gateway.token().unwrap_or_default();
//! let request = http::Request::get("/v1/table/core/v1/namespaces").header("host", "localhost");
//! let request = request.header("authorization", format!("Bearer {token}")).body(String::new())?;
//! assert_eq!(gateway.answer(request).await.status(), 200);
//!
//! // And a server of its own.
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! println!("http://{}{}", listener.local_addr()?, gateway.page());
//! # let shutdown = async {};
//! gateway.serve(listener, shutdown).await?;
//! # Ok(()) }
//! ```
//!
//! # Routes
//!
//! | route | answer |
//! |---|---|
//! | `/v1/session` | the user, the cluster, and what the gateway allows |
//! | `/v1/contexts`, `/v1/namespaces`, `/v1/kinds` | what there is to choose from |
//! | `/v1/table/{group}/{version}/{resource}` | rows with the server's columns; the core group is `core` |
//! | `/v1/changes/{group}/{version}/{resource}` | their changes, as server-sent events |
//! | `/v1/object/{group}/{version}/{resource}/{name}` | an object with its events, owners and what it owns |
//! | `/v1/overview`, `/v1/overview/changes` | nodes, pods and workloads by state, and warnings, of the cluster or a `namespace`; events when they change |
//! | `POST /v1/diff` | an object before and after it is applied, without storing it |
//! | `/api/…`, `/apis/…`, `/openapi/…`, `/version` | the API of the cluster, with upgrades to WebSocket and SPDY |
//! | `/ping`, `/pod/list`, `/{resource}/{group}/{version}` | whole objects, in an envelope with `code`, `message`, `data` |
//! | `/metrics`, `/healthz`, `/readyz`, `/openapi.json` | the gateway itself |
//! | `/` | the page; `POST` signs a browser in |
//!
//! A failure has a status, and `{"error": {"code", "message", "status"}}`; `/openapi.json` has the codes. Cells of a row are
//! those of the last change of its object: the column Age is told by `metadata.creationTimestamp`.
//!
//! The objects that an object owns are of any kind; each has `goes`: true if it is deleted with the object, since it has no owner
//! that stays (`others`). `ownedComplete` is false if a kind could not be listed as a whole, which `problems` names. The parameter
//! `depth` limits the chain of owners; with 0 no kind is listed.
//!
//! # Contexts
//!
//! With [`Options::contexts`] a gateway serves several clusters, or one for several users. A request chooses by the header
//! `X-Klient-Context`, or by the parameter `context`, for streams that a browser opens; without either it is for the gateway's
//! own. The API behind the gateway is chosen in the same way, but the parameter is left to pods and services behind their proxy,
//! and the path can choose, too: `/context/{name}/api/…`, with a slash in the name encoded twice. Such links stay in their context.
//!
//! # Caches
//!
//! An informer of a kind starts when somebody asks for it, and stops when nobody has for [`Options::idle`]. Each user has
//! informers of his own, with his own permissions. The changes of an informer are in a ring; a stream of changes is a position
//! in it, so that one that is not read costs the gateway nothing but its connection. A client that comes back goes on behind the
//! last event that it has seen, or gets the event `reset`.

mod admission;
mod assets;
mod changes;
mod clusters;
mod digest;
mod error;
mod failure;
mod feed;
mod gateway;
mod generated;
mod guard;
mod identity;
mod masked;
mod meters;
mod openapi;
mod options;
mod overviews;
mod pool;
mod query;
mod readiness;
mod response;
mod routes;
mod selection;
mod server;
mod service;
mod state;
mod streams;

pub use error::Error;
pub use gateway::Gateway;
pub use klient_certificate::Tls;
pub use klient_proxy::PeerAddress;
pub use options::{Access, Context, Limits, Options};
