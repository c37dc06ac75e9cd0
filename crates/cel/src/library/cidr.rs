//! [`Cidr`], a network of IP addresses (`cidr`, `isCIDR`).

use std::fmt;
use std::net::IpAddr;

use klient_apimachinery::go::quoted;

use super::address::{Address, is_mapped, parse_ip};
use crate::failure::{Failure, Result};
use crate::value::Value;

/// An address and the length of its network prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    pub(super) address: IpAddr,
    prefix: u8,
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

    fn masked(self) -> Cidr {
        let (bits, len) = Cidr::bits(self.address);
        let kept = if self.prefix == 0 { 0 } else { bits & (u128::MAX << (128 - u32::from(self.prefix))) };
        let address = if len == 32 {
            IpAddr::V4(u32::try_from(kept >> 96).unwrap_or_default().into())
        } else {
            IpAddr::V6(kept.into())
        };
        Cidr { address, prefix: self.prefix }
    }

    fn contains(self, address: IpAddr) -> bool {
        let network = Cidr { address, prefix: self.prefix };
        self.address.is_ipv4() == address.is_ipv4() && network.masked().address == self.masked().address
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn of(value: &Value<'_>) -> Result<Cidr> {
    match value {
        Value::Cidr(cidr) => Ok(*cidr),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn cidr<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Cidr::parse(arguments[0].as_str()?).map(Value::Cidr)
}

pub(super) fn is_cidr<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(Cidr::parse(arguments[0].as_str()?).is_ok()))
}

pub(super) fn contains_ip<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let address = match &arguments[1] {
        Value::Ip(address) => *address,
        text => Address::parse(text.as_str()?).map_err(|_| Failure::overload())?,
    };
    Ok(Value::Bool(of(&arguments[0])?.contains(address.0)))
}

pub(super) fn contains_cidr<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let network = of(&arguments[0])?;
    let other = match &arguments[1] {
        Value::Cidr(cidr) => *cidr,
        text => Cidr::parse(text.as_str()?)?,
    };
    Ok(Value::Bool(network.prefix <= other.prefix && network.contains(other.address)))
}

pub(super) fn prefix_length<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Int(of(&arguments[0])?.prefix.into()))
}

pub(super) fn masked<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Cidr(of(&arguments[0])?.masked()))
}
