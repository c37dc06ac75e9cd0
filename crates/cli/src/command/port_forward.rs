//! `klient port-forward`.

mod ports;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;

use clap::Args;
use klient_api::core::v1::Pod;
use klient_apimachinery::go::os_error;
use klient_client::{ErrorKind, LocalAddress, PortForwardEvent, PortForwardOptions, PortListeners};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::pod_target::PodTarget;
use crate::remote_session::refused;
use crate::session::Session;

pub(crate) const USAGE: &str = "klient port-forward TYPE/NAME [LOCAL_PORT:]REMOTE_PORT... [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Forward the local ports 5000 and 6000 to a pod
  klient port-forward pod/web-0 5000 6000

  # Forward a free local port to the port of a service that is named http
  klient port-forward service/web :http

  # Accept connections at all addresses of this machine
  klient port-forward --address 0.0.0.0 deployment/web 8080:80";

/// Arguments of `port-forward`.
#[derive(Args, Debug)]
pub(crate) struct PortForwardArgs {
    /// The pod, or an object that has pods, and ports: TYPE/NAME [LOCAL_PORT:]REMOTE_PORT…
    #[arg(value_name = "TYPE/NAME | PORT")]
    arguments: Vec<String>,
    /// Addresses to listen on, separated by commas: IP addresses, or localhost for 127.0.0.1 and ::1, of which one suffices
    #[arg(long, value_name = "ADDRESSES", default_value = "localhost")]
    address: Vec<String>,
    /// Time to wait until at least one pod is running, as 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pod_running_timeout: Timeout,
}

pub(crate) async fn run(args: PortForwardArgs, session: &mut Session) -> Result<(), CliError> {
    let usage = |problem: &str| CliError::usage(&session.program, "port-forward", problem);
    let [target, wanted @ ..] = &args.arguments[..] else {
        return Err(usage("TYPE/NAME and list of ports are required for port-forward"));
    };
    if wanted.is_empty() {
        return Err(usage("TYPE/NAME and list of ports are required for port-forward"));
    }
    let timeout = args.pod_running_timeout.of_running_pod().map_err(usage)?;
    let cluster = session.streaming_cluster("KUBECTL_PORT_FORWARD_WEBSOCKETS")?;
    let target = PodTarget::read(&cluster, target).await?;
    let pod = target.active_pod(&cluster, timeout).await?;
    let ports = ports::resolve(wanted, target.as_service()?.as_ref(), &pod)?;
    let [namespace, name] =
        [&pod.metadata.namespace, &pod.metadata.name].map(|text| text.as_deref().unwrap_or_default());
    let pods = cluster.client().api::<Pod>().namespace(namespace);
    let pod = pods.get(name).await?;
    match pod.status.phase.as_deref() {
        Some("Running") => {}
        phase => {
            let phase = phase.unwrap_or_default();
            return Err(CliError::Message(format!(
                "unable to forward port because pod is not running. Current status={phase}"
            )));
        }
    }
    let addresses = addresses(&args.address)?;
    let options = PortForwardOptions { pod_running_timeout: timeout, ..PortForwardOptions::default() };
    let forwarder = pods.port_forward(name, &options).await.map_err(|error| {
        CliError::Message(format!("error upgrading connection: {}", refused(error).go_error()))
    })?;
    let mut listening = Vec::new();
    let mut is_listening = false;
    for port in &ports {
        let mut mapping = port.mapping();
        let mut problems = Vec::new();
        let (mut is_failed, mut has_localhost, mut lacks_localhost) = (false, false, false);
        for (address, of_localhost) in &addresses {
            match forwarder.listen(&[LocalAddress::Ip(*address)], &[mapping.clone()]).await {
                Ok(listeners) => {
                    for listening in listeners.ports() {
                        // A port that was chosen is that of the other addresses too.
                        mapping.local = Some(listening.local.port());
                        session.console.println(format_args!(
                            "Forwarding from {} -> {}",
                            listening.local, listening.target
                        ))?;
                    }
                    has_localhost |= of_localhost;
                    listening.push(listeners);
                }
                Err(error) => {
                    problems.push(not_listening(&error, *address));
                    lacks_localhost |= of_localhost;
                    is_failed |= !of_localhost;
                }
            }
        }
        // One address of localhost suffices.
        match is_failed || lacks_localhost && !has_localhost {
            true => session.console.eprintln(format_args!(
                "Unable to listen on port {}: Listeners failed to create with the following errors: [{}]",
                port.local,
                problems.join(" ")
            )),
            false => is_listening = true,
        }
    }
    session.console.print("")?;
    if !is_listening {
        let ports: Vec<String> =
            ports.iter().map(|port| format!("{{{} {}}}", port.local, port.remote)).collect();
        let ports = ports.join(" ");
        return Err(CliError::Message(format!("unable to listen on any of the requested ports: [{ports}]")));
    }
    let mut forwarding = JoinSet::new();
    for listeners in listening {
        forwarding.spawn(forward(listeners));
    }
    let lost = pin!(forwarder.lost_connection());
    tokio::select! {
        _ = lost => Err(CliError::message("lost connection to pod")),
        Some(ended) = forwarding.join_next() => ended.unwrap_or_else(|error| Err(CliError::Message(error.to_string()))),
    }
}

/// Forwards connections to the ports, and tells of each.
async fn forward(listeners: PortListeners) -> Result<(), CliError> {
    let refused = Notify::new();
    // A terminal or pipe that nobody reads holds up the next connections, and none of those that are there.
    let ended = listeners.run(|event| tokio::task::block_in_place(|| tell(event, &refused)));
    let lost = || CliError::message("lost connection to pod");
    tokio::select! {
        ended = ended => ended.map_err(|_| lost()),
        () = refused.notified() => Err(lost()),
    }
}

/// Tells of an event, and of a port that is refused.
fn tell(event: PortForwardEvent<'_>, refused: &Notify) {
    match event {
        PortForwardEvent::Accepted(port) => {
            // Without a reader of its output it goes on.
            let mut console = crate::console::Console::new();
            let _ = console.println(format_args!("Handling connection for {}", port.local.port()));
        }
        PortForwardEvent::Failed(port, error) => {
            let (local, remote) = (port.local.port(), port.target);
            let problem = error.cause().map_or_else(|| error.to_string(), ToString::to_string);
            tracing::error!(
                err = problem,
                localPort = u64::from(local),
                remotePort = u64::from(remote),
                "An error occurred forwarding"
            );
            // As kubectl, which does not know whether the pod is there yet.
            if error.kind() == ErrorKind::Refused {
                refused.notify_one();
            }
        }
        _ => {}
    }
}

/// The error of an address in kubectl's words.
fn not_listening(error: &klient_client::Error, address: IpAddr) -> String {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause {
        Some(cause) => {
            let network = if address.is_ipv4() { "tcp4" } else { "tcp6" };
            let (local, problem) = (error.subject(), os_error(cause));
            format!("unable to create listener: Error listen {network} {local}: bind: {problem}")
        }
        None => error.to_string(),
    }
}

/// The addresses to listen on, each once and in the order of their texts, and whether they come from `localhost`.
fn addresses(texts: &[String]) -> Result<Vec<(IpAddr, bool)>, CliError> {
    let parse = |text: &str| {
        text.parse::<LocalAddress>().map_err(|_| CliError::Message(format!("{text} is not a valid IP")))
    };
    let mut addresses = Vec::new();
    let lists = texts.iter().filter(|list| !list.is_empty());
    for address in lists.flat_map(|list| list.split(',')).map(parse) {
        let (found, of_localhost) = match address? {
            LocalAddress::Ip(address) => (vec![address], false),
            LocalAddress::Localhost => (vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], true),
        };
        for address in found {
            if !addresses.iter().any(|(other, _)| *other == address) {
                addresses.push((address, of_localhost));
            }
        }
    }
    if addresses.is_empty() {
        return Err(CliError::message("you must specify at least 1 address"));
    }
    addresses.sort_by_key(|(address, _): &(IpAddr, bool)| address.to_string());
    Ok(addresses)
}
