//! Formats of addresses: host names, IP and MAC addresses, CIDRs, mailboxes and URIs.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

/// A host name. Symbols and letters of all scripts are allowed; a name without dots may have one dash, as its second
/// character.
pub(crate) fn is_hostname(text: &str) -> bool {
    static HOSTNAME: LazyLock<Regex> = LazyLock::new(|| {
        let (mark, letter) = (r"0-9A-Za-z\p{S}\p{L}", r"A-Za-z\p{L}");
        let single = format!("[{mark}]-?[{mark}]{{0,62}}");
        let label = format!("[{mark}]([{mark}-]{{0,61}}[{mark}])?");
        Regex::new(&format!(r"^({single}|({label}\.)+[{letter}]{{2,63}})$"))
            .expect("the pattern is well-formed")
    });
    text.len() <= 255 && text.split('.').all(|label| label.len() <= 63) && HOSTNAME.is_match(text)
}

/// An IPv4 address, or an IPv6 address that ends in the form of an IPv4 address. Leading zeros are allowed.
pub(crate) fn is_ipv4(text: &str) -> bool {
    text.contains('.') && is_ip(text)
}

pub(crate) fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_ip(text: &str) -> bool {
    is_ipv6(text) || sloppy_ipv4(text)
}

fn sloppy_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part = |part: &&str| {
        let digits = !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        digits
            && (part.trim_start_matches('0').is_empty() || part.trim_start_matches('0').parse::<u8>().is_ok())
    };
    parts.len() == 4 && parts.iter().all(is_part)
}

/// An IP address and the length of its network prefix.
pub(crate) fn is_cidr(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return false };
    let max = if is_ipv6(address) { Ipv6Addr::BITS } else { Ipv4Addr::BITS };
    let digits = !prefix.is_empty() && prefix.bytes().all(|c| c.is_ascii_digit());
    is_ip(address) && digits && prefix.parse::<u32>().is_ok_and(|prefix| prefix <= max)
}

/// A MAC address of 6, 8 or 20 bytes, in groups of two or four digits.
pub(crate) fn is_mac(text: &str) -> bool {
    let (separator, width) = match text.as_bytes() {
        [_, _, separator @ (b':' | b'-'), ..] => (char::from(*separator), 2),
        [_, _, _, _, b'.', ..] => ('.', 4),
        _ => return false,
    };
    let groups: Vec<&str> = text.split(separator).collect();
    let is_group = |group: &&str| group.len() == width && group.bytes().all(|c| c.is_ascii_hexdigit());
    matches!(groups.len() * width / 2, 6 | 8 | 20) && groups.iter().all(is_group)
}

/// A mail address, alone or after a display name.
pub(crate) fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    if let Some(before) = text.strip_suffix('>') {
        let Some((name, address)) = before.rsplit_once('<') else { return false };
        return is_phrase(name.trim_matches([' ', '\t'])) && is_mailbox(address);
    }
    is_mailbox(text)
}

fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let domain = domain.trim_start_matches([' ', '\t']);
    let literal = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']'));
    let is_domain = match literal {
        Some(address) => is_ip(address.strip_prefix("IPv6:").unwrap_or(address)),
        None => is_dot_atom(domain),
    };
    is_domain && (is_dot_atom(local) || is_quoted(local))
}

fn is_phrase(text: &str) -> bool {
    is_quoted(text) || text.chars().all(|c| is_atom_char(c) || matches!(c, ' ' | '\t' | '.'))
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
}

fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_quoted(text: &str) -> bool {
    let Some(body) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return false };
    let mut escaped = false;
    let plain = body.chars().all(|c| {
        let was_escaped = escaped;
        escaped = c == '\\' && !was_escaped;
        (was_escaped || c != '"') && (!c.is_control() || c == '\t')
    });
    plain && !escaped
}

/// An absolute URI, or an absolute path, as in HTTP requests.
pub fn is_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|c| c < b' ' || c == 0x7f) {
        return false;
    }
    let Some((scheme, rest)) = split_scheme(text) else { return false };
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    if !rest.starts_with('/') {
        return !scheme.is_empty() || text == "*";
    }
    match rest.strip_prefix("//") {
        Some(rest) if !scheme.is_empty() => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            is_authority(authority) && is_escaped(path)
        }
        _ => is_escaped(rest),
    }
}

/// The scheme, empty if there is none, and the rest.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(text.len());
    let (scheme, rest) = text.split_at(end);
    let Some(rest) = rest.strip_prefix(':') else { return Some(("", text)) };
    if scheme.is_empty() {
        return None;
    }
    if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Some((scheme, rest))
    } else {
        Some(("", text))
    }
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let is_user_char = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !user.chars().all(is_user_char) || !is_escaped(user) {
        return false;
    }
    let (is_host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.rsplit_once(']') else { return false };
            let address = address.split_once("%25").map_or(address, |(address, _zone)| address);
            (is_ipv6(address), port)
        }
        None => {
            let (name, port) = host.split_at(host.rfind(':').unwrap_or(host.len()));
            (is_host_name(name), port)
        }
    };
    let digits = port.strip_prefix(':').unwrap_or_default();
    is_host && (port.is_empty() || port.starts_with(':')) && digits.bytes().all(|c| c.is_ascii_digit())
}

/// The host of a URI: percent escapes are allowed for characters outside ASCII only.
fn is_host_name(text: &str) -> bool {
    let is_char =
        |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || r#"-_.~!$&'()*+,;=:[]<>"%"#.contains(c);
    let ascii_escape =
        text.split('%').skip(1).any(|rest| rest.starts_with(|c: char| ('0'..='7').contains(&c)));
    text.chars().all(is_char) && is_escaped(text) && !ascii_escape
}

/// Returns true if every `%` begins two hexadecimal digits.
fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}
