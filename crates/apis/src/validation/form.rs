//! Formats of strings other than object names: ports, variables, keys, paths, addresses.
//!
//! Each function returns the problems of a string, worded as Kubernetes', none if it is valid.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::at::between;

pub(super) use klient_apimachinery::validation::{
    config_map_key, dns_1035_label, dns_label, dns_subdomain, label_value, path_segment, qualified_name,
};

/// A name prefix, which may end in a dash.
pub(super) fn prefix_of(rule: fn(&str) -> Vec<String>, prefix: &str) -> Vec<String> {
    match prefix.strip_suffix('-') {
        Some(stem) if !stem.is_empty() => {
            let last = stem.chars().next_back().map_or(0, char::len_utf8);
            rule(&format!("{}a", &stem[..stem.len() - last]))
        }
        _ => rule(prefix),
    }
}

pub(super) fn port_number(port: i64) -> Vec<String> {
    if (1..=65535).contains(&port) { Vec::new() } else { vec![between(1, 65535)] }
}

pub(super) fn port_name(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |is_fine: bool, problem: &str| {
        if !is_fine {
            problems.push(problem.to_owned());
        }
    };
    check(name.len() <= 15, "must be no more than 15 characters");
    let is_letter = |c: u8| c.is_ascii_lowercase();
    let is_known = |c: u8| is_letter(c) || c.is_ascii_digit() || c == b'-';
    check(
        !name.is_empty() && name.bytes().all(is_known),
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
    check(name.bytes().any(is_letter), "must contain at least one letter (a-z)");
    check(!name.contains("--"), "must not contain consecutive hyphens");
    check(!name.starts_with('-') && !name.ends_with('-'), "must not begin or end with a hyphen");
    problems
}

pub(super) fn variable_name(name: &str) -> Vec<String> {
    if name.is_empty() {
        vec!["environment variable name must be non-empty".to_owned()]
    } else if name.bytes().any(|c| !(b' '..=b'~').contains(&c) || c == b'=') {
        vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
    } else {
        Vec::new()
    }
}

pub(super) fn header_name(name: &str) -> Vec<String> {
    if !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
        return Vec::new();
    }
    vec![
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')".to_owned(),
    ]
}

pub(super) fn percent(text: &str) -> Vec<String> {
    if text
        .strip_suffix('%')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()))
    {
        return Vec::new();
    }
    vec![
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')".to_owned(),
    ]
}

/// A subdomain whose labels may contain underscores.
pub(super) fn search_domain(name: &str) -> Vec<String> {
    let is_label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = label.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if alphanumeric(first) && alphanumeric(last))
            && bytes.iter().all(|&c| alphanumeric(c) || b"-_".contains(&c))
    };
    let mut problems = Vec::new();
    if name.len() > 253 {
        problems.push("must be no more than 253 characters".to_owned());
    }
    if !name.split('.').all(is_label) {
        problems.push(
            r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')".to_owned(),
        );
    }
    problems
}

pub(super) fn wildcard_subdomain(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 253 {
        problems.push("must be no more than 253 characters".to_owned());
    }
    let is_subdomain = |rest: &str| rest.len() > 253 || dns_subdomain(rest).is_empty();
    if !name.strip_prefix("*.").is_some_and(is_subdomain) {
        problems.push(
            r"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned(),
        );
    }
    problems
}

/// A relative path without `..` steps.
pub(super) fn descending_path(path: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if path.starts_with('/') {
        problems.push("must be a relative path".to_owned());
    }
    problems.extend(no_backsteps(path));
    problems
}

pub(super) fn no_backsteps(path: &str) -> Vec<String> {
    if path.split('/').any(|part| part == "..") {
        vec!["must not contain '..'".to_owned()]
    } else {
        Vec::new()
    }
}

/// The path of a file in a volume written by the kubelet, which reserves names that begin with two dots.
pub(super) fn file_path(path: &str) -> Vec<String> {
    let mut problems = descending_path(path);
    if path.starts_with("..") && !path.starts_with("../") {
        problems.push("must not start with '..'".to_owned());
    }
    problems
}

const NOT_AN_IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// An IP address.
pub(super) fn ip(text: &str) -> Vec<String> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            vec!["must not be an IPv4-mapped IPv6 address".to_owned()]
        }
        Ok(_) => Vec::new(),
        Err(_) if sloppy_ip(text).is_some() => vec!["must not have leading 0s".to_owned()],
        Err(_) => vec![NOT_AN_IP.to_owned()],
    }
}

/// Returns true for an IP address, also in the format of old servers.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || sloppy_ip(text).is_some()
}

/// An IPv4 address in the format of old servers: with leading zeros.
pub(super) fn sloppy_ip(text: &str) -> Option<Ipv4Addr> {
    let strip = |part: &str| {
        let digits = part.trim_start_matches('0');
        if digits.is_empty() && !part.is_empty() { "0".to_owned() } else { digits.to_owned() }
    };
    let parts: Vec<String> = text.split('.').map(strip).collect();
    parts.join(".").parse().ok()
}

/// A CIDR such as `10.0.0.0/8`.
pub(super) fn cidr(text: &str) -> Vec<String> {
    let invalid = || vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()];
    let Some((address, bits)) = text.split_once('/') else { return invalid() };
    let Ok(length) = bits.parse::<u32>() else { return invalid() };
    let zeros = || vec!["must not have leading 0s in IP or prefix length".to_owned()];
    let is_masked = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if length <= 32 => {
            u64::from(address.to_bits()) & ((1_u64 << (32 - length)) - 1) == 0
        }
        Ok(IpAddr::V6(address)) if length <= 128 => {
            if address.to_ipv4_mapped().is_some() {
                return vec!["must not have an IPv4-mapped IPv6 address".to_owned()];
            }
            is_masked_v6(address, length)
        }
        Err(_) if sloppy_ip(address).is_some() && length <= 32 => return zeros(),
        _ => return invalid(),
    };
    if bits.len() > 1 && bits.starts_with('0') {
        zeros()
    } else if !is_masked {
        vec!["must not have bits set beyond the prefix length".to_owned()]
    } else {
        Vec::new()
    }
}

fn is_masked_v6(address: Ipv6Addr, length: u32) -> bool {
    let host = if length == 0 { u128::MAX } else { u128::MAX.checked_shr(length).unwrap_or(0) };
    address.to_bits() & host == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: fn(&str) -> Vec<String>, text: &str, problems: &[&str]) {
        assert_eq!(rule(text), problems, "{text}");
    }

    #[test]
    fn addresses_are_told_from_other_texts() {
        check(ip, "10.0.0.1", &[]);
        check(ip, "2001:db8::1", &[]);
        check(ip, "10.0.0.01", &["must not have leading 0s"]);
        check(ip, "::ffff:1.2.3.4", &["must not be an IPv4-mapped IPv6 address"]);
        check(ip, "300.0.0.1", &[NOT_AN_IP]);
        check(ip, "", &[NOT_AN_IP]);
        check(cidr, "10.0.0.0/8", &[]);
        check(cidr, "0.0.0.0/0", &[]);
        check(cidr, "::/0", &[]);
        check(cidr, "2001:db8::/32", &[]);
        check(cidr, "10.0.0.1/8", &["must not have bits set beyond the prefix length"]);
        check(cidr, "10.0.0.0", &["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]);
        check(cidr, "10.0.0.0/08", &["must not have leading 0s in IP or prefix length"]);
    }

    #[test]
    fn names_of_ports_and_variables_have_their_forms() {
        check(port_name, "http", &[]);
        check(port_name, "80", &["must contain at least one letter (a-z)"]);
        check(
            port_name,
            "-Web--",
            &[
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                "must not contain consecutive hyphens",
                "must not begin or end with a hyphen",
            ],
        );
        check(variable_name, "A B!", &[]);
        check(variable_name, "1", &[]);
        assert_eq!(variable_name("a=b").len(), 1);
        assert_eq!(config_map_key("a/b").len(), 1);
        check(config_map_key, "..", &["must not be '..'"]);
    }

    #[test]
    fn paths_stay_below_where_they_start() {
        check(file_path, "a/b..c", &[]);
        check(file_path, "/a", &["must be a relative path"]);
        check(file_path, "a/../b", &["must not contain '..'"]);
        check(file_path, "..a", &["must not start with '..'"]);
    }

    #[test]
    fn what_is_appended_to_may_end_in_a_dash() {
        assert_eq!(prefix_of(dns_label, "web-"), Vec::<String>::new());
        assert_eq!(prefix_of(dns_label, "-").len(), 1);
        assert_eq!(prefix_of(dns_label, "Web-").len(), 1);
    }
}
