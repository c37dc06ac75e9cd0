//! [`PortForwarder`], connections to ports of a pod, or of an object with pods.

mod candidate;
mod listener;
mod mapping;
mod port;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, Unstructured, verbs};
use klient_streams::port_forward::{PROTOCOL, PortConnection, PortForward, TUNNEL_PROTOCOL, Transport};
use tokio::sync::Mutex;

use super::Api;
use super::exec::{kind_of, of_refusal};
use super::switching::{Carrier, Offer, switch};
use super::target_pods::{Target, TargetPods};
use crate::error::{Broken, Error, ErrorKind, Problem};
use crate::stream_protocols::Purpose;

pub use listener::{LocalAddress, PortForwardEvent, PortListener, PortListeners};
pub use mapping::PortMapping;
pub use port::RemotePort;

/// The protocols, best first.
const OFFERS: [Offer; 2] = [
    Offer { carrier: Carrier::WebSocket, protocols: &[TUNNEL_PROTOCOL] },
    Offer { carrier: Carrier::Spdy, protocols: &[PROTOCOL] },
];

/// Settings of port forwarding.
#[derive(Clone, Debug, PartialEq)]
pub struct PortForwardOptions {
    /// Continues with another pod when the one in use ends or the connection to it breaks; with the same one if the
    /// object is a pod. Each connection then reads the pod first, to know. Connections that exist end with their pod.
    pub reconnect: bool,
    /// The time to wait for a pod that runs.
    pub pod_running_timeout: Duration,
}

impl Default for PortForwardOptions {
    /// One pod, for which it waits 60 s, as kubectl.
    fn default() -> Self {
        PortForwardOptions { reconnect: false, pod_running_timeout: Duration::from_secs(60) }
    }
}

/// Connections to ports of a pod, over one connection to the API server. Clones share it.
///
/// - [`connect`](Self::connect) opens a connection without a local port, for `hyper` or a database driver: it has tokio's
///   `AsyncRead` and `AsyncWrite`, and `hyper` takes it in `hyper_util::rt::TokioIo` (of the crate `hyper-util`, with the
///   feature `tokio`), as the example `port_forward` shows;
/// - [`listen`](Self::listen) forwards local ports.
///
/// A [`Client`](crate::Client) of an HTTP server in a pod takes its connections by a [`Dialer`](crate::Dialer):
///
/// ```no_run
/// # async fn f(forwarder: klient_client::PortForwarder) -> Result<(), Box<dyn std::error::Error>> {
/// use klient_client::{Client, Config, Dialer};
///
/// let mut config = Config::from_url("http://registry")?;
/// config.dialer = Some(Dialer::new(move |_host, _port| {
///     let forwarder = forwarder.clone();
///     async move { forwarder.connect("http").await.map_err(std::io::Error::other) }
/// }));
/// let client = Client::new(config)?;
/// # Ok(()) }
/// ```
///
/// 256 connections can be open at a time: each has two of the 512 streams of the connection to the server.
///
/// Each connection fails by itself. When the forwarder and its connections are dropped, the connection to the server is
/// closed, and no task remains.
#[derive(Clone)]
pub struct PortForwarder(Arc<Inner>);

struct Inner {
    target: TargetPods,
    options: PortForwardOptions,
    current: Mutex<Arc<Forwarding>>,
}

/// The connection to a pod.
struct Forwarding {
    pod: Unstructured,
    /// The service, whose ports are not those of its pods.
    service: Option<Unstructured>,
    session: PortForward,
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Forwards ports of a pod; or of a service, deployment, replica set, stateful set, daemon set, job or replication
    /// controller, by one of its pods: one that is ready, if there is one. Ports of a service are its own, and lead to
    /// their `targetPort`.
    ///
    /// The connection goes over WebSocket (`SPDY/3.1+portforward.k8s.io`), and over SPDY if the server or a proxy does not
    /// take that.
    ///
    /// ```no_run
    /// # async fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Service;
    /// use klient_client::PortForwardOptions;
    /// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    ///
    /// let services = client.api::<Service>().namespace("shop");
    /// let forwarder = services.port_forward("web", &PortForwardOptions::default()).await?;
    /// let mut connection = forwarder.connect("http").await?;
    /// connection.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    /// let mut response = Vec::new();
    /// connection.read_to_end(&mut response).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the object does not exist; of kind
    /// [`Request`](crate::ErrorKind::Request) if it has no pods by its nature, or the pod does not run;
    /// [`is_timeout`](Error::is_timeout) if none of its pods runs within
    /// [`pod_running_timeout`](PortForwardOptions::pod_running_timeout).
    #[doc(alias = "portforward")]
    pub fn port_forward(
        &self,
        name: &str,
        options: &PortForwardOptions,
    ) -> BoxFuture<'static, Result<PortForwarder, Error>>
    where
        K: verbs::Get,
        P: Addressable,
    {
        let (target, options) = (self.target_pods(name), options.clone());
        Box::pin(async move {
            let forwarding = Forwarding::open(&target, &options).await?;
            let current = Mutex::new(Arc::new(forwarding));
            Ok(PortForwarder(Arc::new(Inner { target, options, current })))
        })
    }
}

impl PortForwarder {
    /// Opens a connection to a port, which is a stream of bytes in both directions. A port on which nothing listens is an
    /// error of reading it.
    ///
    /// # Errors
    ///
    /// Of kind [`Request`](crate::ErrorKind::Request) if there is no such port; of kind
    /// [`Connection`](crate::ErrorKind::Connection) if the connection to the pod is lost; of kind
    /// [`Limit`](crate::ErrorKind::Limit) if 256 connections are open. A port at which nothing listens is told by reads and
    /// writes of the connection, as [`klient_streams::Error::of`] finds: of kind
    /// [`Refused`](klient_streams::ErrorKind::Refused).
    pub async fn connect(&self, port: impl Into<RemotePort>) -> Result<PortConnection, Error> {
        self.connect_to(&port.into()).await
    }

    async fn connect_to(&self, port: &RemotePort) -> Result<PortConnection, Error> {
        let forwarding = self.current().await?;
        match self.open(&forwarding, port).await {
            Err(_) if self.0.options.reconnect && forwarding.session.is_ended() => {
                let forwarding = self.current().await?;
                self.open(&forwarding, port).await
            }
            opened => opened,
        }
    }

    async fn open(&self, forwarding: &Forwarding, port: &RemotePort) -> Result<PortConnection, Error> {
        let number = forwarding.port(&self.0.target, port)?.target;
        if forwarding.session.is_ended() {
            return Err(self.lost(&forwarding.pod));
        }
        let connected = forwarding.session.connect(number).await;
        connected.map_err(|error| {
            let what = format!("port {number} of pod {}", forwarding.pod.name());
            match kind_of(&error) {
                ErrorKind::Limit => {
                    let problem =
                        "256 connections are open, which is the most at a time: one has to end first";
                    Error::new(ErrorKind::Limit, what, Problem(problem.to_owned()))
                }
                kind => Error::new(kind, what, error),
            }
        })
    }

    /// The error of a connection to a port that was open.
    fn failed(&self, port: &RemotePort, error: &io::Error) -> Error {
        let what = format!("port {port} of {}", self.0.target);
        match klient_streams::Error::of(error) {
            Some(error) => Error::new(kind_of(error), what, error.clone()),
            None => Error::new(ErrorKind::Connection, what, Broken(error.to_string())),
        }
    }

    /// The connection to a pod, which is replaced if it is to be and has to be.
    async fn current(&self) -> Result<Arc<Forwarding>, Error> {
        let Inner { target, options, current } = &*self.0;
        let mut current = current.lock().await;
        if options.reconnect && !current.is_usable(target).await? {
            *current = Arc::new(Forwarding::open(target, options).await?);
        }
        Ok(current.clone())
    }

    /// The name of the pod in use.
    pub async fn pod(&self) -> String {
        self.0.current.lock().await.pod.name().to_owned()
    }

    /// Waits until the connection to the pod in use is lost; its error.
    pub async fn lost_connection(&self) -> Error {
        let current = self.0.current.lock().await.clone();
        // The words are the same, whatever the reason.
        let _ = current.session.ended().await;
        self.lost(&current.pod)
    }

    /// The error of a pod that is to have all connections and does not run any more. Servers do not close the connection to
    /// such a pod by themselves.
    async fn lost_pod(&self) -> Option<Error> {
        let Inner { target, options, current } = &*self.0;
        let current = current.lock().await.clone();
        let is_lost = !options.reconnect && matches!(current.is_usable(target).await, Ok(false));
        is_lost.then(|| self.lost(&current.pod))
    }

    fn lost(&self, pod: &Unstructured) -> Error {
        let problem = Broken("lost connection to pod".to_owned());
        Error::new(ErrorKind::Connection, format!("port forwarding to pod {}", pod.name()), problem)
    }
}

impl Forwarding {
    async fn open(target: &TargetPods, options: &PortForwardOptions) -> Result<Self, Error> {
        let (pod, service) = match target.read().await? {
            Target::Pod(pod) => (pod, None),
            Target::Selected { object, selector } => {
                let pod = candidate::wait(target, &selector.to_string(), options.pod_running_timeout).await?;
                (pod, Some(object).filter(|_| target.is_service()))
            }
        };
        if !candidate::is_running(&pod) {
            let phase = candidate::phase(&pod);
            let problem =
                format!("unable to forward port because pod is not running. Current status={phase}");
            return Err(target.problem(problem));
        }
        let request = |method| target.pods.below(method, pod.name(), "portforward");
        let switched = switch(&target.pods.endpoint.connection, Purpose::Ports, &OFFERS, request).await;
        let what = || format!("port forwarding to pod {}", pod.name());
        let switched = switched.map_err(|error| of_refusal(error, &what()))?;
        let transport = match switched.carrier {
            Carrier::WebSocket => Transport::WebSocket,
            Carrier::Spdy => Transport::Spdy,
        };
        let session = PortForward::start(switched.connection, transport);
        Ok(Forwarding { pod, service, session })
    }

    /// Returns true if the connection stands and the pod still runs.
    async fn is_usable(&self, target: &TargetPods) -> Result<bool, Error> {
        if self.session.is_ended() {
            return Ok(false);
        }
        let pod = target.pods.get_opt(self.pod.name()).await?;
        Ok(pod.is_some_and(|pod| {
            pod.uid() == self.pod.uid() && pod.deletion_timestamp().is_none() && candidate::is_running(&pod)
        }))
    }

    fn port(&self, target: &TargetPods, port: &RemotePort) -> Result<port::Resolved, Error> {
        let resolved = port::resolve(port, &self.pod, self.service.as_ref());
        resolved.map_err(|problem| target.problem(problem))
    }
}

impl fmt::Debug for PortForwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortForwarder({})", self.0.target)
    }
}
