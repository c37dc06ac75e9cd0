//! [`Port`], a local port and the number of the pod's port that it leads to.

use klient_api::core::v1::{Pod, Service, ServicePort};
use klient_apimachinery::IntOrString;
use klient_client::{PortMapping, RemotePort};

use crate::error::CliError;

/// A local port and the port of the pod that it leads to.
pub(super) struct Port {
    /// The local port; 0 is any that is free.
    pub(super) local: u16,
    pub(super) remote: u16,
}

impl Port {
    /// The same for the client.
    pub(super) fn mapping(&self) -> PortMapping {
        PortMapping { local: Some(self.local), remote: RemotePort::Number(self.remote) }
    }
}

/// Parses ports, and finds the numbers of those that are named and of those of a service.
///
/// # Errors
///
/// If one is malformed, is not there, or is of UDP only.
pub(super) fn resolve(texts: &[String], service: Option<&Service>, pod: &Pod) -> Result<Vec<Port>, CliError> {
    let of_udp: Vec<i32> = match service {
        Some(service) => {
            let ports = service.spec.ports.iter();
            of_udp_only(ports.map(|port| (port.port, port.protocol.as_deref())))
        }
        None => {
            let ports = pod.spec.containers.iter().flat_map(|container| &container.ports);
            of_udp_only(ports.map(|port| (port.container_port, port.protocol.as_deref())))
        }
    };
    for text in texts {
        let (_, remote) = split(text);
        if of_udp.contains(&number(remote, service, pod)?) {
            return Err(CliError::Message(format!("UDP protocol is not supported for {remote}")));
        }
    }
    texts.iter().map(|text| port(text, service, pod)).collect()
}

fn port(text: &str, service: Option<&Service>, pod: &Pod) -> Result<Port, CliError> {
    let (local, name) = split(text);
    if name.is_empty() {
        return Err(CliError::message("remote port cannot be empty"));
    }
    let number = number(name, service, pod)?;
    let is_name = name.parse::<i32>().is_err();
    // A name stands for the number of its port at both ends.
    let local = if local == name && is_name { number.to_string() } else { local.to_owned() };
    let remote = match service {
        Some(service) => target(service, pod, number)?.to_string(),
        None if is_name => number.to_string(),
        None => name.to_owned(),
    };
    let local = if local.is_empty() { "0" } else { &local };
    let parsed = |which: &str, text: &str| {
        // Go's unsigned numbers have no sign.
        let digits = if text.starts_with('+') { "" } else { text };
        digits.parse::<u16>().map_err(|error| {
            use std::num::IntErrorKind;

            let problem = match error.kind() {
                IntErrorKind::PosOverflow => "value out of range",
                _ => "invalid syntax",
            };
            let quoted = klient_apimachinery::go::quoted(text);
            CliError::Message(format!(
                "error parsing {which} port '{text}': strconv.ParseUint: parsing {quoted}: {problem}"
            ))
        })
    };
    let (local, remote) = (parsed("local", local)?, parsed("remote", &remote)?);
    match remote {
        0 => Err(CliError::message("remote port must be > 0")),
        remote => Ok(Port { local, remote }),
    }
}

/// Splits `[LOCAL_PORT]:REMOTE_PORT`. Without a colon both are the same; as in kubectl, the first of more parts counts.
fn split(text: &str) -> (&str, &str) {
    match text.split_once(':') {
        Some((local, remote)) if !remote.contains(':') => (local, remote),
        Some((first, _)) => (first, first),
        None => (text, text),
    }
}

/// The ports that UDP has and TCP has not.
fn of_udp_only<'a>(ports: impl Iterator<Item = (i32, Option<&'a str>)>) -> Vec<i32> {
    let ports: Vec<_> = ports.collect();
    let of = |protocol: &str, number: i32| ports.contains(&(number, Some(protocol)));
    ports
        .iter()
        .map(|(number, _)| *number)
        .filter(|number| of("UDP", *number) && !of("TCP", *number))
        .collect()
}

/// The number of a port of a service, or else of a pod, by its number or name.
fn number(text: &str, service: Option<&Service>, pod: &Pod) -> Result<i32, CliError> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let Some(service) = service else { return of_pod(pod, text) };
    let found = service.spec.ports.iter().find(|port| port.name.as_deref().unwrap_or_default() == text);
    found.map(|port| port.port).ok_or_else(|| {
        let name = service.metadata.name.as_deref().unwrap_or_default();
        CliError::Message(format!("Service '{name}' does not have a named port '{text}'"))
    })
}

/// The port of a pod behind that of a service.
fn target(service: &Service, pod: &Pod, number: i32) -> Result<i32, CliError> {
    let found = service.spec.ports.iter().find(|port| port.port == number);
    let Some(ServicePort { target_port, .. }) = found else {
        let name = service.metadata.name.as_deref().unwrap_or_default();
        return Err(CliError::Message(format!("Service {name} does not have a service port {number}")));
    };
    let is_headless = service.spec.cluster_ip.as_deref() == Some("None");
    match target_port {
        Some(IntOrString::Int(target)) if *target != 0 && !is_headless => Ok(*target),
        Some(IntOrString::String(name)) if !is_headless => of_pod(pod, name),
        _ => Ok(number),
    }
}

fn of_pod(pod: &Pod, name: &str) -> Result<i32, CliError> {
    let mut ports =
        pod.spec.containers.iter().chain(&pod.spec.init_containers).flat_map(|container| &container.ports);
    let found = ports.find(|port| port.name.as_deref().unwrap_or_default() == name);
    found.map(|port| port.container_port).ok_or_else(|| {
        let pod = pod.metadata.name.as_deref().unwrap_or_default();
        CliError::Message(format!("Pod '{pod}' does not have a named port '{name}'"))
    })
}
