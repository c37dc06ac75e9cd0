//! [`Authority`], a host with a port, as in the headers `Host` and `Origin`.

use std::net::IpAddr;

/// A host and its port, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) host: String,
    /// The port, unless it is the one of HTTP or HTTPS.
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Reads `host` or `host:port`; `None` if it is anything else, such as one with a user.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.contains('@') {
            return None;
        }
        let authority: http::uri::Authority = text.parse().ok()?;
        // The parser takes `host:` and a port that is no number.
        let port = match authority.as_str().get(authority.host().len()..)? {
            "" => None,
            port => Some(port.strip_prefix(':')?.parse::<u16>().ok()?),
        };
        let host = authority.host().to_ascii_lowercase();
        (!host.is_empty()).then(|| Authority { host, port: port.filter(|port| !matches!(port, 80 | 443)) })
    }

    /// Reads the header `Origin`; `None` if it is that of no web site.
    pub(crate) fn of_origin(origin: &str) -> Option<Self> {
        let (scheme, authority) = origin.split_once("://")?;
        matches!(scheme, "http" | "https").then(|| Authority::parse(authority)).flatten()
    }
}

/// An address as it is in a URL.
pub(crate) fn shown(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_reading() {
        let parsed = |text| Authority::parse(text).map(|read| (read.host, read.port));
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("LOCALHOST:8888", "localhost", Some(8888)),
            ("127.0.0.1:80", "127.0.0.1", None),
            ("[::1]:8888", "[::1]", Some(8888)),
        ] {
            assert_eq!(parsed(text), Some((host.to_owned(), port)), "{text}");
        }
        for wrong in
            ["", ":80", "a@localhost", "localhost:", "localhost:http", "localhost:70000", "a b", "a/b"]
        {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
        for wrong in ["null", "localhost:8888", "file://", "ftp://localhost", "http://localhost/path"] {
            assert_eq!(Authority::of_origin(wrong), None, "{wrong}");
        }
    }
}
