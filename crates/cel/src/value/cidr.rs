//! [`Cidr`], a network of IP addresses.

use std::fmt;
use std::net::IpAddr;

use klient_apimachinery::go::quoted;

use super::address::{is_mapped, parse_ip};
use crate::failure::{Failure, Result};

/// An address and the length of its network prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u8,
}

impl Cidr {
    pub(crate) fn parse(text: &str) -> Result<Cidr> {
        let doubled = |problem: String| {
            let reason = format!("network address parse error during conversion from string: {problem}");
            Failure::Error(format!("network address parse error during conversion from string: {reason}"))
        };
        let problem = |problem: &str| doubled(format!("netip.ParsePrefix({}): {problem}", quoted(text)));
        let (address, length) = text.rsplit_once('/').ok_or_else(|| problem("no '/'"))?;
        let ip = parse_ip(address)
            .map_err(|error| problem(&format!("ParseAddr({}): {error}", quoted(address))))?;
        let shown = quoted(length);
        let digits = !length.is_empty() && length.bytes().all(|c| c.is_ascii_digit());
        let canonical = length == "0" || !length.starts_with('0');
        if !(digits && canonical) {
            return Err(problem(&format!("bad bits after slash: {shown}")));
        }
        let max = if ip.is_ipv4() { 32 } else { 128 };
        let prefix = length.parse::<u8>().ok().filter(|prefix| *prefix <= max);
        let prefix = prefix.ok_or_else(|| problem("prefix length out of range"))?;
        if is_mapped(ip) {
            let text = quoted(text);
            let problem = format!("IPv4-mapped IPv6 address {text} is not allowed");
            return Err(Failure::Error(format!(
                "network address parse error during conversion from string: {problem}"
            )));
        }
        Ok(Cidr { address: ip, prefix })
    }

    /// The length of the prefix in bytes.
    pub(crate) fn bytes(self) -> u64 {
        u64::from(self.prefix).div_ceil(8)
    }

    fn bits(address: IpAddr) -> (u128, u32) {
        match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        }
    }

    pub(crate) fn masked(self) -> Cidr {
        let (bits, len) = Cidr::bits(self.address);
        let kept = if self.prefix == 0 { 0 } else { bits & (u128::MAX << (128 - u32::from(self.prefix))) };
        let address = if len == 32 {
            IpAddr::V4(u32::try_from(kept >> 96).unwrap_or_default().into())
        } else {
            IpAddr::V6(kept.into())
        };
        Cidr { address, prefix: self.prefix }
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let network = Cidr { address, prefix: self.prefix };
        self.address.is_ipv4() == address.is_ipv4() && network.masked().address == self.masked().address
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
