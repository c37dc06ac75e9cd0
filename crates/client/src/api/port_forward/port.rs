//! [`RemotePort`], a port of a pod or service, by number or name.

use std::fmt;

use klient_apimachinery::{Object as _, Unstructured};
use serde_json::Value;

/// A port of a pod or service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RemotePort {
    /// Its number.
    Number(u16),
    /// Its name among the ports of the pod's containers, or of the service.
    Name(String),
}

/// A port that was found.
pub(super) struct Resolved {
    /// Its number at the object: of a service that of the service.
    pub(super) number: u16,
    /// The port of the pod.
    pub(super) target: u16,
}

impl From<u16> for RemotePort {
    fn from(number: u16) -> Self {
        RemotePort::Number(number)
    }
}

/// A string of digits is a number.
impl From<&str> for RemotePort {
    fn from(port: &str) -> Self {
        match port.parse() {
            Ok(number) => RemotePort::Number(number),
            Err(_) => RemotePort::Name(port.to_owned()),
        }
    }
}

impl From<&RemotePort> for RemotePort {
    fn from(port: &RemotePort) -> Self {
        port.clone()
    }
}

impl fmt::Display for RemotePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemotePort::Number(number) => number.fmt(f),
            RemotePort::Name(name) => f.write_str(name),
        }
    }
}

/// Finds the port of a pod, by kubectl's rules and in its words.
pub(super) fn resolve(
    port: &RemotePort,
    pod: &Unstructured,
    service: Option<&Unstructured>,
) -> Result<Resolved, String> {
    let Some(service) = service else {
        let number = match port {
            RemotePort::Number(number) => *number,
            RemotePort::Name(name) => container_port(pod, name)?,
        };
        return Ok(Resolved { number, target: number });
    };
    let ports = service.at(&["spec", "ports"]).and_then(Value::as_array);
    let mut ports = ports.into_iter().flatten();
    let found = match port {
        RemotePort::Number(number) => ports
            .find(|port| port["port"] == *number)
            .ok_or_else(|| format!("Service {} does not have a service port {number}", service.name())),
        RemotePort::Name(name) => ports
            .find(|port| port["name"] == **name)
            .ok_or_else(|| format!("Service '{}' does not have a named port '{name}'", service.name())),
    }?;
    if found["protocol"] == "UDP" {
        return Err(format!("UDP protocol is not supported for {port}"));
    }
    let number = number(&found["port"]).ok_or("the service has a port without a number")?;
    // The ports of a headless service are those of its pods.
    let is_headless = service.at(&["spec", "clusterIP"]).is_some_and(|address| address == "None");
    let target = match &found["targetPort"] {
        Value::String(name) if !is_headless => container_port(pod, name)?,
        other => self::number(other).filter(|target| *target > 0 && !is_headless).unwrap_or(number),
    };
    Ok(Resolved { number, target })
}

/// The number of a named port among those of the containers.
fn container_port(pod: &Unstructured, name: &str) -> Result<u16, String> {
    let lists = ["containers", "initContainers"].into_iter();
    let containers = lists.filter_map(|list| pod.at(&["spec", list])?.as_array()).flatten();
    let mut ports = containers.filter_map(|container| container.get("ports")?.as_array()).flatten();
    let found = ports.find(|port| port["name"] == *name);
    let missing = || format!("Pod '{}' does not have a named port '{name}'", pod.name());
    let found = found.ok_or_else(missing)?;
    if found["protocol"] == "UDP" {
        return Err(format!("UDP protocol is not supported for {name}"));
    }
    number(&found["containerPort"]).ok_or_else(missing)
}

fn number(value: &Value) -> Option<u16> {
    u16::try_from(value.as_u64()?).ok()
}
