//! [`Address`], an IP address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use klient_apimachinery::go::quoted;

use crate::failure::{Failure, Result};

/// An IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) IpAddr);

impl Address {
    /// Parses an address; those of IPv4 in the form of IPv6, and those with a zone, are refused.
    pub(crate) fn parse(text: &str) -> Result<Address> {
        if text.contains(':')
            && let Some((address, zone)) = text.split_once('%')
            && !zone.is_empty()
            && parse_ip(address).is_ok()
        {
            return Err(Failure::Error(format!(
                "IP address {} with zone value is not allowed",
                quoted(text)
            )));
        }
        let address = parse_ip(text).map_err(|error| {
            let text = quoted(text);
            Failure::Error(format!(
                "IP Address {text} parse error during conversion from string: ParseAddr({text}): {error}"
            ))
        })?;
        if is_mapped(address) {
            return Err(Failure::Error(format!("IPv4-mapped IPv6 address {} is not allowed", quoted(text))));
        }
        Ok(Address(address))
    }

    /// The length of the address in bytes.
    pub(crate) fn bytes(self) -> u64 {
        if self.0.is_ipv4() { 4 } else { 16 }
    }
}

pub(super) fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// Parses an address, or returns the problem in Go's words.
pub(super) fn parse_ip(text: &str) -> std::result::Result<IpAddr, String> {
    match text.find(['.', ':', '%']).map(|index| text.as_bytes()[index]) {
        Some(b'.') => text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| ipv4_problem(text)),
        Some(b':') => text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| ipv6_problem(text)),
        Some(_) => Err("missing IPv6 address".to_owned()),
        None => Err("unable to parse IP".to_owned()),
    }
}

fn ipv4_problem(text: &str) -> String {
    let mut fields = 0;
    for (index, field) in text.split('.').enumerate() {
        if let Some(c) = field.chars().find(|c| !c.is_ascii_digit()) {
            let at = text.find(c).map_or(text, |at| &text[at..]);
            return format!("unexpected character (at {})", quoted(at));
        }
        if field.is_empty() {
            return format!("IPv4 field must have at least one digit (at {})", quoted(rest_of(text, index)));
        }
        if field.len() > 1 && field.starts_with('0') {
            return "IPv4 field has octet with leading zero".to_owned();
        }
        if field.parse::<u8>().is_err() {
            return "IPv4 field has value >255".to_owned();
        }
        fields = index + 1;
    }
    if fields > 4 { "IPv4 address too long".to_owned() } else { "IPv4 address too short".to_owned() }
}

fn rest_of(text: &str, dots: usize) -> &str {
    let at = text.match_indices('.').nth(dots.saturating_sub(1)).map_or(0, |(at, _)| at);
    &text[at..]
}

fn ipv6_problem(text: &str) -> String {
    let odd = text.char_indices().find(|(_, c)| !(c.is_ascii_hexdigit() || matches!(c, ':' | '.')));
    match odd {
        Some((at, _)) => {
            format!("each colon-separated field must have at least one digit (at {})", quoted(&text[at..]))
        }
        None if text.split(':').any(|field| field.len() > 4 && !field.contains('.')) => {
            let long = text.split(':').find(|field| field.len() > 4).unwrap_or(text);
            let at = text.find(long).map_or(text, |at| &text[at..]);
            format!("each group must have 4 or fewer digits (at {})", quoted(at))
        }
        None => "address string too short".to_owned(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
