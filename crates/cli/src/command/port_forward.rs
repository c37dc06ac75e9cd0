//! `klient port-forward`.

mod ports;

use std::pin::pin;

use clap::Args;
use klient_api::core::v1::Pod;
use klient_client::{LocalAddress, PortForwardEvent, PortForwardOptions, PortListeners};
use tokio::task::JoinSet;

use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::pod_target::PodTarget;
use crate::remote_session::refused;
use crate::session::Session;

/// Arguments of `port-forward`.
#[derive(Args, Debug)]
pub(crate) struct PortForwardArgs {
    /// The pod, or an object that has pods, and ports: TYPE/NAME [LOCAL_PORT:]REMOTE_PORT…
    #[arg(value_name = "TYPE/NAME | PORT")]
    arguments: Vec<String>,
    /// Addresses to listen on, separated by commas: IP addresses, or localhost for 127.0.0.1 and ::1, of which one suffices
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', default_value = "localhost")]
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
    let cluster = session.cluster()?;
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
    let mut forwarding = JoinSet::new();
    for port in &ports {
        match forwarder.listen(&addresses, &[port.mapping()]).await {
            Ok(listeners) => {
                for listening in listeners.ports() {
                    session.console.println(format_args!(
                        "Forwarding from {} -> {}",
                        listening.local, listening.target
                    ))?;
                }
                forwarding.spawn(forward(listeners));
            }
            Err(error) => {
                let problem = CliError::from(error).go_error();
                session.console.eprintln(format_args!("Unable to listen on port {}: {problem}", port.local));
            }
        }
    }
    session.console.print("")?;
    if forwarding.is_empty() {
        let ports: Vec<String> =
            ports.iter().map(|port| format!("{{{} {}}}", port.local, port.remote)).collect();
        let ports = ports.join(" ");
        return Err(CliError::Message(format!("unable to listen on any of the requested ports: [{ports}]")));
    }
    let lost = pin!(forwarder.lost_connection());
    tokio::select! {
        _ = lost => Err(CliError::message("lost connection to pod")),
        Some(ended) = forwarding.join_next() => ended.unwrap_or_else(|error| Err(CliError::Message(error.to_string()))),
    }
}

/// Forwards connections to the ports, and tells of each.
async fn forward(listeners: PortListeners) -> Result<(), CliError> {
    let ended = listeners.run(|event| match event {
        PortForwardEvent::Accepted(port) => {
            // Without a reader of its output it goes on.
            let mut console = crate::console::Console::new();
            let _ = console.println(format_args!("Handling connection for {}", port.local.port()));
        }
        PortForwardEvent::Failed(port, error) => {
            let (local, remote) = (port.local.port(), port.target);
            tracing::error!("an error occurred forwarding {local} -> {remote}: {error}");
        }
        _ => {}
    });
    ended.await.map_err(|_| CliError::message("lost connection to pod"))
}

/// The addresses to listen on, each once and in order.
fn addresses(texts: &[String]) -> Result<Vec<LocalAddress>, CliError> {
    let parse = |text: &String| {
        text.parse::<LocalAddress>().map_err(|_| CliError::Message(format!("{text} is not a valid IP")))
    };
    let mut addresses = Vec::new();
    for address in texts.iter().map(parse) {
        let address = address?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}
