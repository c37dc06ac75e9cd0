//! [`PortListeners`], local ports that lead to a pod.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::task::Poll;
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::go::quoted;
use klient_streams::port_forward::PortConnection;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{PortForwarder, PortMapping, RemotePort};
use crate::error::{Error, ErrorKind};

/// The pause after a connection that could not be accepted, such as for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A local address for connections that are forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocalAddress {
    /// `localhost`: 127.0.0.1 and ::1. One of both suffices, since not every host has both.
    Localhost,
    /// One address.
    Ip(IpAddr),
}

impl LocalAddress {
    /// An address that stands for it in messages.
    fn any(self) -> IpAddr {
        match self {
            LocalAddress::Localhost => Ipv4Addr::LOCALHOST.into(),
            LocalAddress::Ip(ip) => ip,
        }
    }
}

impl FromStr for LocalAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "localhost" {
            return Ok(LocalAddress::Localhost);
        }
        let address = text.trim_start_matches('[').trim_end_matches(']').parse();
        let problem = |_| {
            Error::invalid(format!("address {}", quoted(text)), "it is neither an IP address nor localhost")
        };
        address.map(LocalAddress::Ip).map_err(problem)
    }
}

/// Local ports that lead to ports of a pod. Connections to them are accepted while [`run`](Self::run) is awaited.
pub struct PortListeners {
    forwarder: PortForwarder,
    listeners: Vec<(TcpListener, PortListener)>,
}

/// A local port, and the port that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortListener {
    /// The local address with its port.
    pub local: SocketAddr,
    /// The port of the pod or service.
    pub remote: RemotePort,
    /// The port of the pod.
    pub target: u16,
}

/// An event of forwarded ports.
#[derive(Debug)]
#[non_exhaustive]
pub enum PortForwardEvent<'a> {
    /// A connection was accepted.
    Accepted(&'a PortListener),
    /// A connection failed, or could not be accepted. Others go on.
    Failed(&'a PortListener, Error),
}

impl PortForwarder {
    /// Listens on local ports, at each of the addresses.
    ///
    /// # Errors
    ///
    /// Of kind [`Request`](crate::ErrorKind::Request) if a remote port does not exist; of kind
    /// [`Listen`](crate::ErrorKind::Listen) if a local one cannot be listened on, such as one in use.
    pub fn listen(
        &self,
        addresses: &[LocalAddress],
        mappings: &[PortMapping],
    ) -> BoxFuture<'static, Result<PortListeners, Error>> {
        let (forwarder, addresses, mappings) = (self.clone(), addresses.to_vec(), mappings.to_vec());
        Box::pin(async move {
            let forwarding = forwarder.current().await?;
            let mut listeners = Vec::new();
            for PortMapping { local, remote } in mappings {
                let resolved = forwarding.port(&forwarder.0.target, &remote)?;
                let mut port = local.unwrap_or(resolved.number);
                for address in &addresses {
                    for listener in bind(*address, &mut port).await? {
                        let local = listener.local_addr();
                        let local = local.map_err(|error| not_bound(address.any(), port, error))?;
                        let listed = PortListener { local, remote: remote.clone(), target: resolved.target };
                        listeners.push((listener, listed));
                    }
                }
            }
            Ok(PortListeners { forwarder, listeners })
        })
    }
}

/// Listens on a port of an address, or of both of localhost; at the second of them with the number of the first.
async fn bind(address: LocalAddress, port: &mut u16) -> Result<Vec<TcpListener>, Error> {
    let addresses = match address {
        LocalAddress::Ip(address) => vec![address],
        LocalAddress::Localhost => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    let (mut bound, mut failure) = (Vec::new(), None);
    for ip in addresses {
        let listener = async {
            let listener = TcpListener::bind((ip, *port)).await?;
            *port = listener.local_addr()?.port();
            Ok(listener)
        };
        match listener.await {
            Ok(listener) => bound.push(listener),
            Err(error) => failure = failure.or(Some(not_bound(ip, *port, error))),
        }
    }
    match failure {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

fn not_bound(ip: IpAddr, port: u16, error: io::Error) -> Error {
    Error::new(ErrorKind::Listen, SocketAddr::new(ip, port).to_string(), error)
}

impl PortListeners {
    /// The ports that are listened on.
    pub fn ports(&self) -> impl Iterator<Item = &PortListener> {
        self.listeners.iter().map(|(_, listed)| listed)
    }

    /// Accepts and forwards connections until the connection to the pod is lost, or a connection fails because the pod has
    /// ended; without an end if the forwarder is to [reconnect](super::PortForwardOptions::reconnect). Dropping the future
    /// closes all ports and connections.
    ///
    /// A connection that fails for another reason, such as a port at which nothing listens, ends no other; kubectl ends then.
    ///
    /// # Errors
    ///
    /// The loss of the connection to the pod.
    pub async fn run(self, mut on_event: impl FnMut(PortForwardEvent<'_>)) -> Result<(), Error> {
        let PortListeners { forwarder, listeners } = self;
        let mut connections = JoinSet::new();
        let lost = async {
            match forwarder.0.options.reconnect {
                true => std::future::pending().await,
                false => forwarder.lost_connection().await,
            }
        };
        let mut lost = std::pin::pin!(lost);
        loop {
            tokio::select! {
                (index, accepted) = accept(&listeners) => {
                    let listed = &listeners[index].1;
                    match accepted {
                        Ok(local) => {
                            on_event(PortForwardEvent::Accepted(listed));
                            let (forwarder, remote) = (forwarder.clone(), listed.remote.clone());
                            connections.spawn(async move {
                                let result = forward(local, &forwarder, &remote).await;
                                let lost = if result.is_err() { forwarder.lost_pod().await } else { None };
                                (index, result, lost)
                            });
                        }
                        Err(error) => {
                            let what = listed.local.to_string();
                            let error = Error::new(ErrorKind::Listen, what, error);
                            on_event(PortForwardEvent::Failed(listed, error));
                            sleep(PAUSE).await;
                        }
                    }
                }
                Some(ended) = connections.join_next() => {
                    // A panic of a connection's task is a bug here, and no reason to end the others.
                    if let Ok((index, Err(error), lost)) = ended {
                        on_event(PortForwardEvent::Failed(&listeners[index].1, error));
                        if let Some(lost) = lost {
                            return Err(lost);
                        }
                    }
                }
                error = &mut lost => return Err(error),
            }
        }
    }
}

/// Waits for a connection at any of the ports.
async fn accept(listeners: &[(TcpListener, PortListener)]) -> (usize, io::Result<TcpStream>) {
    poll_fn(|context| {
        for (index, (listener, _)) in listeners.iter().enumerate() {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready((index, accepted.map(|(stream, _)| stream)));
            }
        }
        Poll::Pending
    })
    .await
}

/// Forwards one connection until the pod has ended it, or either end breaks.
async fn forward(mut local: TcpStream, forwarder: &PortForwarder, port: &RemotePort) -> Result<(), Error> {
    let mut remote = forwarder.connect_to(port).await?;
    let result = copy(&mut local, &mut remote).await;
    result.map_err(|error| forwarder.failed(port, &error))
}

async fn copy(local: &mut TcpStream, remote: &mut PortConnection) -> io::Result<()> {
    let (mut local_reader, mut local_writer) = local.split();
    let (mut remote_reader, mut remote_writer) = tokio::io::split(remote);
    let up = async {
        let copied = tokio::io::copy(&mut local_reader, &mut remote_writer).await;
        let _ = remote_writer.shutdown().await;
        match copied {
            // The client is gone.
            Err(error) if error.get_ref().is_none() => (),
            // The pod has the last word, also if it takes nothing more.
            _ => std::future::pending().await,
        }
    };
    let down = async {
        tokio::io::copy(&mut remote_reader, &mut local_writer).await?;
        local_writer.shutdown().await
    };
    tokio::select! {
        biased;
        ended = down => match ended {
            // The error of the pod has its message; that of a client that is gone does not matter.
            Err(error) if error.get_ref().is_none() => Ok(()),
            ended => ended,
        },
        () = up => Ok(()),
    }
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalAddress::Localhost => f.write_str("localhost"),
            LocalAddress::Ip(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for PortListeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ports()).finish()
    }
}
