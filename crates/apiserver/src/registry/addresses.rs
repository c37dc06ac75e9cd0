//! The cluster IPs and node ports of services.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Mutex;

use serde_json::{Value, json};

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};

/// The network 10.0.0.0/24; its first address is not allocated.
const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
const HOSTS: std::ops::RangeInclusive<u32> = 1..=254;
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// The allocated addresses.
#[derive(Default)]
pub(crate) struct Addresses(Mutex<Given>);

#[derive(Default)]
struct Given {
    ips: BTreeSet<Ipv4Addr>,
    ports: BTreeSet<u16>,
    /// The position of the next search for a free address, so that a released one is not allocated again at once.
    next_ip: u32,
    next_port: u16,
}

/// Addresses reserved for a service that is not stored yet; released when dropped, unless kept.
pub(crate) struct ReservedAddresses<'a> {
    addresses: &'a Addresses,
    ips: Vec<Ipv4Addr>,
    ports: Vec<u16>,
}

impl ReservedAddresses<'_> {
    /// Keeps the addresses: the service is stored.
    pub(crate) fn keep(mut self) {
        self.ips.clear();
        self.ports.clear();
    }
}

impl Drop for ReservedAddresses<'_> {
    fn drop(&mut self) {
        self.addresses.free(&self.ips, &self.ports);
    }
}

impl Addresses {
    /// Reserves nothing.
    pub(crate) fn nothing(&self) -> ReservedAddresses<'_> {
        ReservedAddresses { addresses: self, ips: Vec::new(), ports: Vec::new() }
    }

    /// Allocates the addresses that a service requests, or free ones, except for those it had before. In a dry run the
    /// network's own address is returned in place of a free one, as upstream.
    pub(crate) fn reserve(
        &self,
        service: &mut Map,
        old: Option<&Map>,
        dry_run: bool,
    ) -> Result<ReservedAddresses<'_>, Vec<FieldError>> {
        let mut reserved = self.nothing();
        let nothing = Map::new();
        let old = old.unwrap_or(&nothing);
        if wants_cluster_ip(service) && !ips(old).contains(&ips(service).first().copied().unwrap_or(NETWORK))
        {
            let asked = text_at(service, &["spec", "clusterIP"]).to_owned();
            let ip = if dry_run && asked.is_empty() {
                NETWORK
            } else {
                let taken = self.take_ip(&asked);
                taken.map_err(|problem| {
                    vec![FieldError::invalid("spec.clusterIPs", json!([asked]), problem)]
                })?
            };
            reserved.ips.push(ip);
            let spec = map_at(service, "spec");
            spec.insert("clusterIP".to_owned(), ip.to_string().into());
            spec.insert("clusterIPs".to_owned(), json!([ip.to_string()]));
        }
        self.give_node_ports(service, &ports(old), &mut reserved)?;
        Ok(reserved)
    }

    /// Releases the addresses that a service no longer has; all of them if it is deleted.
    pub(crate) fn release(&self, old: &Map, new: Option<&Map>) {
        let nothing = Map::new();
        let new = new.unwrap_or(&nothing);
        let (kept_ips, kept_ports) = (ips(new), ports(new));
        let ips: Vec<Ipv4Addr> = ips(old).into_iter().filter(|ip| !kept_ips.contains(ip)).collect();
        let ports: Vec<u16> = ports(old).into_iter().filter(|port| !kept_ports.contains(port)).collect();
        self.free(&ips, &ports);
    }

    /// Records the addresses of a service that exists at the start.
    pub(crate) fn note(&self, service: &Map) {
        let mut given = self.0.lock().expect("no panics while held");
        given.ips.extend(ips(service));
        given.ports.extend(ports(service));
    }

    fn free(&self, ips: &[Ipv4Addr], ports: &[u16]) {
        let mut given = self.0.lock().expect("no panics while held");
        for ip in ips {
            given.ips.remove(ip);
        }
        for port in ports {
            given.ports.remove(port);
        }
    }

    fn take_ip(&self, asked: &str) -> Result<Ipv4Addr, String> {
        let mut given = self.0.lock().expect("no panics while held");
        if asked.is_empty() {
            let count = HOSTS.end() - HOSTS.start() + 1;
            let start = given.next_ip;
            let free = (0..count)
                .map(|i| (start + i) % count)
                .find(|i| !given.ips.contains(&host(HOSTS.start() + i)));
            let free = free.ok_or("failed to allocate IP: range is full")?;
            given.next_ip = (free + 1) % count;
            let ip = host(HOSTS.start() + free);
            given.ips.insert(ip);
            return Ok(ip);
        }
        let ip: Ipv4Addr =
            asked.parse().map_err(|_| format!("failed to allocate IP {asked}: not an IPv4 address"))?;
        let offset = u32::from(ip).wrapping_sub(u32::from(NETWORK));
        if !HOSTS.contains(&offset) {
            return Err(format!("failed to allocate IP {ip}: the provided network does not contain it"));
        }
        if !given.ips.insert(ip) {
            return Err(format!("failed to allocate IP {ip}: provided IP is already allocated"));
        }
        Ok(ip)
    }

    fn give_node_ports(
        &self,
        service: &mut Map,
        before: &[u16],
        reserved: &mut ReservedAddresses<'_>,
    ) -> Result<(), Vec<FieldError>> {
        let on_nodes = match text_at(service, &["spec", "type"]) {
            "NodePort" => true,
            "LoadBalancer" => {
                at(service, &["spec", "allocateLoadBalancerNodePorts"]) != Some(&Value::Bool(false))
            }
            _ => false,
        };
        let Some(Value::Array(ports)) = map_at(service, "spec").get_mut("ports") else { return Ok(()) };
        let mut given = self.0.lock().expect("no panics while held");
        for (index, port) in ports.iter_mut().enumerate() {
            let refuse = |value: u16, problem: &str| {
                let field = format!("spec.ports[{index}].nodePort");
                Err(vec![FieldError::invalid(field, value, problem)])
            };
            let taken = match node_port(port) {
                None if !on_nodes => continue,
                // The same port may be requested twice, for two protocols.
                Some(port) if before.contains(&port) || reserved.ports.contains(&port) => continue,
                Some(port) if !NODE_PORTS.contains(&port) => {
                    let range = format!("{}-{}", NODE_PORTS.start(), NODE_PORTS.end());
                    return refuse(
                        port,
                        &format!(
                            "provided port is not in the valid range. The range of valid ports is {range}"
                        ),
                    );
                }
                Some(port) if given.ports.contains(&port) => {
                    return refuse(port, "provided port is already allocated");
                }
                Some(port) => port,
                None => match given.free_port() {
                    Some(port) => port,
                    None => return refuse(0, "failed to allocate a nodePort: range is full"),
                },
            };
            given.ports.insert(taken);
            reserved.ports.push(taken);
            if let Value::Object(port) = port {
                port.insert("nodePort".to_owned(), taken.into());
            }
        }
        Ok(())
    }
}

impl Given {
    fn free_port(&mut self) -> Option<u16> {
        let count = NODE_PORTS.end() - NODE_PORTS.start() + 1;
        let start = self.next_port;
        let free = (0..count)
            .map(|i| (start + i) % count)
            .find(|i| !self.ports.contains(&(NODE_PORTS.start() + i)))?;
        self.next_port = (free + 1) % count;
        Some(NODE_PORTS.start() + free)
    }
}

fn host(offset: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(NETWORK) + offset)
}

fn node_port(port: &Value) -> Option<u16> {
    port["nodePort"].as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
}

fn wants_cluster_ip(service: &Map) -> bool {
    text_at(service, &["spec", "type"]) != "ExternalName"
        && text_at(service, &["spec", "clusterIP"]) != "None"
}

/// The cluster IPs of a service.
fn ips(service: &Map) -> Vec<Ipv4Addr> {
    list_at(service, &["spec", "clusterIPs"]).iter().filter_map(|ip| ip.as_str()?.parse().ok()).collect()
}

/// The node ports of a service.
fn ports(service: &Map) -> Vec<u16> {
    list_at(service, &["spec", "ports"]).iter().filter_map(node_port).collect()
}
