//! The ports of a pod's containers.

use std::collections::{BTreeMap, HashMap};

use klient_apimachinery::go::quoted;

use super::MOST_CONFLICTS;
use super::containers::each_container;
use crate::validation::at::At;

/// A port, and its path.
struct Defined {
    index: usize,
    path: String,
    host_ip: String,
}

/// Warns of duplicate ports and of duplicate names.
pub(super) fn ports(spec: &At<'_, '_>, warnings: &mut Vec<String>) {
    // By number and protocol, then by host port: ports conflict only if it is the same, or unset.
    let mut defined: HashMap<(i64, String), BTreeMap<i64, Vec<Defined>>> = HashMap::new();
    let mut index = 0;
    let mut said = 0;
    each_container(spec, &mut |container| {
        for port in container.get("ports").items() {
            let (number, protocol) = (port.get("containerPort").number(), port.get("protocol").text());
            let (host_ip, host_port) = (port.get("hostIP").text(), port.get("hostPort").number());
            let path = port.path();
            if !host_ip.is_empty() && host_port == 0 {
                let name = port.get("name").text();
                warnings.push(format!(
                    "{path}: hostIP set without hostPort: {{Name:{name} HostPort:0 ContainerPort:{number} \
                     Protocol:{protocol} HostIP:{host_ip}}}"
                ));
            }
            let others = defined.entry((number, protocol.to_owned())).or_default();
            let ports = if host_port == 0 { 0..=i64::MAX } else { host_port..=host_port };
            let unsaid = if host_port == 0 { None } else { others.get(&0) };
            let unsaid = unsaid.into_iter().flatten().map(|other| (0, other));
            let same =
                others.range(ports).flat_map(|(port, others)| others.iter().map(move |other| (*port, other)));
            let mut found = Vec::new();
            for (other_port, other) in unsaid.chain(same) {
                let kind = if host_ip == other.host_ip && host_port == other_port {
                    "duplicate"
                } else if host_port == 0 || other_port == 0 {
                    "overlapping"
                } else if host_ip.is_empty() != other.host_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                if said >= MOST_CONFLICTS {
                    break;
                }
                said += 1;
                found.push((other.index, format!("{path}: {kind} port definition with {}", other.path)));
            }
            found.sort();
            warnings.extend(found.into_iter().map(|(_, text)| text));
            others.entry(host_port).or_default().push(Defined { index, path, host_ip: host_ip.to_owned() });
            index += 1;
        }
    });
    let mut named: HashMap<String, String> = HashMap::new();
    each_container(spec, &mut |container| {
        for port in container.get("ports").items() {
            let name = port.get("name").text();
            match named.get(name) {
                _ if name.is_empty() => {}
                Some(other) => warnings.push(format!(
                    "{}: duplicate port name {} with {other}, services and probes that select ports by name will use \
                     {other}",
                    port.path(),
                    quoted(name)
                )),
                None => drop(named.insert(name.to_owned(), port.path())),
            }
        }
    });
}
