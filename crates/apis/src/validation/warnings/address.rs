//! Ambiguous addresses, which programs parse differently.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use klient_apimachinery::go::quoted;

use crate::validation::at::At;
use crate::validation::form::sloppy_ip;

/// Warns of an address with leading zeros, of an IPv4-mapped IPv6 address, and of non-canonical IPv6.
pub(super) fn ip(at: &At<'_, '_>, warnings: &mut Vec<String>) {
    let text = at.text();
    let Some(address) = Address::parse(text) else { return };
    let (path, shown) = (at.path(), address.canonical.to_string());
    if address.is_odd {
        warnings.push(format!(
            "{path}: non-standard IP address {} is invalid: use {}",
            quoted(text),
            quoted(&shown)
        ));
    } else if address.canonical.is_ipv6() && shown != text {
        warnings.push(format!(
            "{path}: IPv6 address {} should be in RFC 5952 canonical format ({})",
            quoted(text),
            quoted(&shown)
        ));
    }
}

/// Warns of a CIDR as of an address, and of one with bits set after its prefix.
pub(super) fn cidr(at: &At<'_, '_>, warnings: &mut Vec<String>) {
    let text = at.text();
    let Some((address, bits)) = text.split_once('/') else { return };
    let (Some(address), Ok(length)) = (Address::parse(address), bits.parse::<u32>()) else { return };
    let Some((network, length)) = address.network(length) else { return };
    let (path, network) = (at.path(), format!("{network}/{length}"));
    let before = warnings.len();
    if !network.starts_with(&format!("{}/", address.canonical)) {
        let all = if address.text_is_v6 { 128 } else { 32 };
        let single = format!("{}/{all}", address.canonical);
        warnings.push(format!(
            "{path}: CIDR value {} is ambiguous in this context (should be {} or {}?)",
            quoted(text),
            quoted(&network),
            quoted(&single)
        ));
    }
    let has_zeros = bits.len() > 1 && bits.starts_with('0');
    if address.is_odd || has_zeros {
        warnings.push(format!(
            "{path}: non-standard CIDR value {} is invalid: use {}",
            quoted(text),
            quoted(&network)
        ));
    }
    if warnings.len() == before && address.canonical.is_ipv6() && network != text {
        warnings.push(format!(
            "{path}: IPv6 CIDR value {} should be in RFC 5952 canonical format ({})",
            quoted(text),
            quoted(&network)
        ));
    }
}

/// An address as parsed by old servers.
struct Address {
    /// The address; an IPv4-mapped IPv6 address is IPv4.
    canonical: IpAddr,
    text_is_v6: bool,
    /// True if it has leading zeros, or is an IPv4-mapped IPv6 address.
    is_odd: bool,
}

impl Address {
    fn parse(text: &str) -> Option<Address> {
        Some(match text.parse::<IpAddr>() {
            Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
                Some(v4) => Address { canonical: IpAddr::V4(v4), text_is_v6: true, is_odd: true },
                None => Address { canonical: IpAddr::V6(v6), text_is_v6: true, is_odd: false },
            },
            Ok(v4) => Address { canonical: v4, text_is_v6: false, is_odd: false },
            Err(_) => Address { canonical: IpAddr::V4(sloppy_ip(text)?), text_is_v6: false, is_odd: true },
        })
    }

    /// The address with the bits after the prefix cleared, and the prefix length for that address.
    fn network(&self, length: u32) -> Option<(IpAddr, u32)> {
        match self.canonical {
            IpAddr::V4(address) => {
                let length = if self.text_is_v6 { length.checked_sub(96)? } else { length };
                let mask = u32::MAX.checked_shl(32_u32.checked_sub(length)?).unwrap_or(0);
                Some((Ipv4Addr::from_bits(address.to_bits() & mask).into(), length))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.checked_sub(length)?).unwrap_or(0);
                Some((Ipv6Addr::from_bits(address.to_bits() & mask).into(), length))
            }
        }
    }
}
