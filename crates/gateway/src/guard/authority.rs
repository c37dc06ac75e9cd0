//! [`Authority`], a host with a port, as in the headers `Host` and `Origin`.

use std::net::IpAddr;

/// A host and its port, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) host: String,
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
        (!host.is_empty()).then_some(Authority { host, port })
    }
}

/// A web site, as in the header `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    is_secure: bool,
    authority: Authority,
}

impl Origin {
    /// Reads `scheme://host` or `scheme://host:port`; `None` if it is no web site.
    pub(crate) fn parse(origin: &str) -> Option<Self> {
        let (scheme, authority) = origin.split_once("://")?;
        let is_secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        Authority::parse(authority).map(|authority| Origin { is_secure, authority })
    }

    /// Returns true if it is the site of a request for a host. The scheme of the request is not known if a proxy in front
    /// does not tell it; a host without a port has that of the scheme.
    pub(crate) fn is_of(&self, host: &Authority, is_secure: Option<bool>) -> bool {
        let usual = if self.is_secure { 443 } else { 80 };
        self.authority.host == host.host
            && self.authority.port.unwrap_or(usual) == host.port.unwrap_or(usual)
            && is_secure.is_none_or(|is_secure| is_secure == self.is_secure)
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
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
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
            assert_eq!(Origin::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_site_has_a_scheme_and_a_port() {
        for (origin, host, schemes) in [
            ("http://gw", "gw", "http, unknown"),
            ("https://gw", "gw", "https, unknown"),
            ("https://gw:443", "gw", "https, unknown"),
            ("https://gw", "gw:443", "https, unknown"),
            ("http://GW:8888", "gw:8888", "http, unknown"),
            ("https://gw:80", "gw", ""),
            ("http://gw:443", "gw", ""),
            ("http://gw", "gw:443", ""),
            ("http://gw:8889", "gw:8888", ""),
            ("http://gx", "gw", ""),
        ] {
            let (site, host) = (Origin::parse(origin).unwrap(), Authority::parse(host).unwrap());
            let of = [("http", Some(false)), ("https", Some(true)), ("unknown", None)];
            let of = of.into_iter().filter(|(_, is_secure)| site.is_of(&host, *is_secure));
            assert_eq!(of.map(|(name, _)| name).collect::<Vec<_>>().join(", "), schemes, "{origin} {host:?}");
        }
    }
}
