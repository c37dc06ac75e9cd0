//! Headers, addresses and curl commands in a trace, with masked credentials.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use klient_apimachinery::go::quoted;
use klient_apimachinery::log_value::{LogFormat, line_format, write_raw};

/// Schemes of `Authorization` that are named in a trace, as in client-go.
const KNOWN_SCHEMES: [&str; 3] = ["bearer", "basic", "negotiate"];

/// The headers of a request or a response; `None` if there is no response.
///
/// In a log of text they are a line each, sorted by name, and in JSON a map of lists, as client-go's. For other
/// subscribers they are a string.
pub(super) struct Headers<'a>(pub(super) Option<&'a HeaderMap>);

impl Headers<'_> {
    fn lines(&self) -> String {
        let mut lines: Vec<Line> = self.0.into_iter().flat_map(lines).collect();
        // The values of one name stay in order.
        lines.sort_by(|a, b| a.name.cmp(&b.name));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn map(&self) -> String {
        let mut map = BTreeMap::<String, Vec<String>>::new();
        for Line { name, value } in self.0.into_iter().flat_map(lines) {
            map.entry(name).or_default().push(value);
        }
        serde_json::json!(map).to_string()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match line_format() {
            Some(LogFormat::Text) => f.write_str(&self.lines()),
            Some(LogFormat::Json) => write_raw(f, &self.map()),
            None => fmt::Debug::fmt(&self.lines(), f),
        }
    }
}

/// The addresses of a host. Logs have Go's `[]net.IPAddr` in JSON, in text too; other subscribers a list.
pub(super) struct Addresses<'a>(pub(super) &'a [SocketAddr]);

impl fmt::Debug for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.0.iter().map(SocketAddr::ip);
        match line_format() {
            Some(_) => {
                let address = |ip: IpAddr| format!(r#"{{"IP":"{ip}","Zone":""}}"#);
                write_raw(f, &format!("[{}]", addresses.map(address).collect::<Vec<_>>().join(",")))
            }
            None => f.debug_list().entries(addresses).finish(),
        }
    }
}

/// The request as a curl command without its body.
pub(super) fn curl(method: &str, url: &str, headers: &HeaderMap) -> String {
    let headers: String = lines(headers).map(|line| format!(" -H {}", quoted(line.to_string()))).collect();
    format!("curl -v -X{method} {headers} '{url}'\n")
}

/// A header with its name as Go writes it and its masked value.
struct Line {
    name: String,
    value: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}

fn lines(headers: &HeaderMap) -> impl Iterator<Item = Line> {
    headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        Line { name: canonical(name), value: masked_value(name, &value) }
    })
}

/// The name as Go writes it: `Content-Type`.
fn canonical(name: &HeaderName) -> String {
    let mut begins_word = true;
    let capitalize = |c: char| {
        let c = if begins_word { c.to_ascii_uppercase() } else { c };
        begins_word = c == '-';
        c
    };
    name.as_str().chars().map(capitalize).collect()
}

/// The prefix of the subprotocol by which clients over WebSocket send a bearer token.
const TOKEN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

fn masked_value(name: &HeaderName, value: &str) -> String {
    const MASK: &str = "<masked>";
    if name == header::SEC_WEBSOCKET_PROTOCOL {
        let mask = |protocol: &str| match protocol.trim_start().starts_with(TOKEN_PROTOCOL) {
            true => protocol.replace(protocol.trim(), &format!("{TOKEN_PROTOCOL}{MASK}")),
            false => protocol.to_owned(),
        };
        return value.split(',').map(mask).collect::<Vec<_>>().join(",");
    }
    if [header::COOKIE, header::SET_COOKIE].contains(name) {
        return MASK.to_owned();
    }
    if ![header::AUTHORIZATION, header::PROXY_AUTHORIZATION].contains(name) || value.is_empty() {
        return value.to_owned();
    }
    let scheme = value.split(' ').next().unwrap_or_default();
    match KNOWN_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        true if value.len() > scheme.len() + 1 => format!("{scheme} {MASK}"),
        true => scheme.to_owned(),
        false => MASK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        for (header, value, shown) in [
            ("authorization", "Bearer secret", "Authorization: Bearer <masked>"),
            ("authorization", "basic c2VjcmV0", "Authorization: basic <masked>"),
            ("authorization", "Negotiate ", "Authorization: Negotiate"),
            ("authorization", "Bearer", "Authorization: Bearer"),
            ("authorization", "secret", "Authorization: <masked>"),
            ("authorization", "", "Authorization: "),
            ("proxy-authorization", "Digest secret", "Proxy-Authorization: <masked>"),
            (
                "sec-websocket-protocol",
                "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0 , v4.channel.k8s.io",
                "Sec-Websocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.<masked> , v4.channel.k8s.io",
            ),
            ("set-cookie", "secret", "Set-Cookie: <masked>"),
            ("x-kubernetes-pf-flowschema-uid", "a", "X-Kubernetes-Pf-Flowschema-Uid: a"),
        ] {
            let name = HeaderName::from_static(header);
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            assert_eq!(Headers(Some(&headers)).lines(), format!("{shown}\n"));
            let (name, value) = shown.split_once(": ").unwrap();
            assert_eq!(Headers(Some(&headers)).map(), serde_json::json!({name: [value]}).to_string());
            assert_eq!(
                curl("GET", "http://h/", &headers),
                format!("curl -v -XGET  -H {shown:?} 'http://h/'\n")
            );
        }
    }

    #[test]
    fn headers_are_sorted_by_name_and_keep_the_order_of_their_values() {
        let headers = [("accept-encoding", "gzip"), ("warning", "2"), ("accept", "b"), ("warning", "1")];
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers);
        let shown = Headers(Some(&headers));
        assert_eq!(shown.lines(), "Accept: b\nAccept-Encoding: gzip\nWarning: 2\nWarning: 1\n");
        assert_eq!(shown.map(), r#"{"Accept":["b"],"Accept-Encoding":["gzip"],"Warning":["2","1"]}"#);
        assert_eq!((Headers(None).lines(), Headers(None).map()), (String::new(), "{}".to_owned()));
    }

    #[test]
    fn other_subscribers_get_a_string() {
        let headers = HeaderMap::from_iter([(header::ACCEPT, "*/*".parse().unwrap())]);
        assert_eq!(format!("{:?}", Headers(Some(&headers))), r#""Accept: */*\n""#);
        let addresses = [SocketAddr::from(([10, 0, 0, 1], 443)), "[fe80::1]:443".parse().unwrap()];
        assert_eq!(format!("{:?}", Addresses(&addresses)), "[10.0.0.1, fe80::1]");
    }
}
