//! The rules of `NO_PROXY`, those of golang.org/x/net/http/httpproxy.

use std::net::IpAddr;

/// Returns true if a server is reached without the proxy of the environment: its host is in the list, or this machine.
///
/// Entries are separated by commas: `*` for all hosts; an IP address or a network (`10.0.0.0/8`); a domain, which
/// includes its subdomains; `.domain` or `*.domain` for its subdomains only. Addresses and domains may have a port.
/// Host names are not resolved.
pub(super) fn bypasses_proxy(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address = address(&host);
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let mut entries = list.split(',').map(|entry| entry.trim().to_ascii_lowercase());
    entries.any(|entry| matches(&entry, &host, address, port))
}

fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = network(entry) {
        return address.is_some_and(|address| is_in(address, network, bits));
    }
    let (name, entry_port) = split_port(entry);
    if entry_port.is_some_and(|wanted| wanted != port.to_string()) {
        return false;
    }
    if let Some(wanted) = self::address(name) {
        return address == Some(wanted);
    }
    if name.is_empty() || address.is_some() {
        return false;
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match host.strip_suffix(name) {
        Some("") => !name.starts_with('.'),
        Some(subdomain) => name.starts_with('.') || subdomain.ends_with('.'),
        None => false,
    }
}

/// An IP address; one of IPv4 that is mapped into IPv6 is that of IPv4.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// A network and the length of its prefix.
fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (network, bits) = entry.split_once('/')?;
    let network: IpAddr = network.parse().ok()?;
    let bits = bits.parse().ok()?;
    (bits <= if network.is_ipv4() { 32 } else { 128 }).then_some((network, bits))
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        // A prefix of no bits is shifted out as a whole.
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Splits the port off an entry, if it has one: `host:80`, `[::1]:80`.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    let (host, port) = match entry.strip_prefix('[') {
        Some(entry) => {
            entry.split_once(']').map_or((entry, None), |(host, port)| (host, port.strip_prefix(':')))
        }
        // An address of IPv6 has several colons.
        None => match entry.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (entry, None),
        },
    };
    (host, port.filter(|port| !port.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, bypassing: &[&str], proxied: &[&str]) {
        for (hosts, expected) in [(bypassing, true), (proxied, false)] {
            for url in hosts {
                let url: http::Uri = url.parse().unwrap();
                let port = url.port_u16().unwrap_or(443);
                let bypasses = bypasses_proxy(list, url.host().unwrap(), port);
                assert_eq!(bypasses, expected, "{list:?} {url}");
            }
        }
    }

    #[test]
    fn this_machine_is_never_behind_the_proxy() {
        let own = ["https://localhost:6443", "https://127.0.0.1", "https://127.8.9.1", "https://[::1]:6443"];
        check("", &own, &["https://localhost.example", "https://10.0.0.1", "https://[::2]"]);
        check("", &["https://[::ffff:127.0.0.1]"], &[]);
    }

    #[test]
    fn domains_include_their_subdomains() {
        let inside = ["https://foo.com", "https://a.foo.com", "https://FOO.com:6443"];
        check("foo.com", &inside, &["https://barfoo.com", "https://foo.com.org", "https://com"]);
        check(" x.org ,Foo.com", &inside, &["https://y.org"]);
        for subdomains in [".foo.com", "*.foo.com"] {
            check(
                subdomains,
                &["https://a.foo.com", "https://a.b.foo.com"],
                &["https://foo.com", "https://xfoo.com"],
            );
        }
    }

    #[test]
    fn ports_are_compared_where_an_entry_has_one() {
        check("foo.com:6443", &["https://a.foo.com:6443"], &["https://foo.com", "https://foo.com:8443"]);
        check("foo.com:443", &["https://foo.com"], &["https://foo.com:6443"]);
        check("foo.com:", &["https://foo.com:1"], &["https://bar.com"]);
        check("10.0.0.1:6443", &["https://10.0.0.1:6443"], &["https://10.0.0.1", "https://10.0.0.2:6443"]);
        check("[fd00::1]:6443", &["https://[fd00::1]:6443"], &["https://[fd00::1]"]);
        check("foo.com:any", &[], &["https://foo.com"]);
    }

    #[test]
    fn addresses_and_networks_are_for_addresses_only() {
        check("10.96.0.1, fd00::1", &["https://10.96.0.1", "https://[fd00::1]:1"], &["https://10.96.0.10"]);
        check("[fd00::1]", &["https://[fd00::1]"], &["https://[fd00::2]"]);
        check("10.96.0.0/12", &["https://10.96.0.1", "https://10.111.255.255"], &["https://10.112.0.1"]);
        check("10.96.0.1/12", &["https://10.97.0.1", "https://[::ffff:10.97.0.1]"], &["https://ten.example"]);
        check("fd00::/8", &["https://[fdff::1]"], &["https://[fc00::1]", "https://253.0.0.1"]);
        check("0.0.0.0/0", &["https://192.0.2.1"], &["https://[2001:db8::1]", "https://foo.com"]);
        check("10.0.0.1/32", &["https://10.0.0.1"], &["https://10.0.0.2"]);
        // No networks: a domain that no host has.
        check("10.0.0.0/33, 10.0.0.0/x, /8", &[], &["https://10.0.0.0", "https://foo.com"]);
    }

    #[test]
    fn a_star_is_for_all_and_empty_entries_are_for_none() {
        check("*", &["https://foo.com", "https://10.0.0.1:6443", "https://[fd00::1]"], &[]);
        check("a.org, *", &["https://foo.com"], &[]);
        check(",, :80, .", &[], &["https://foo.com", "https://10.0.0.1"]);
        check("*foo.com", &[], &["https://foo.com", "https://a.foo.com"]);
    }
}
