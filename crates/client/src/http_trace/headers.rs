//! Headers and curl commands in a trace, with masked credentials.

use http::{HeaderMap, HeaderName, header};
use klient_apimachinery::go::quoted;

/// Schemes of `Authorization` that are named in a trace, as in client-go.
const KNOWN_SCHEMES: [&str; 3] = ["bearer", "basic", "negotiate"];

/// The headers sorted by name, a line each.
pub(super) fn masked(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> = lines(headers).collect();
    lines.sort();
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// The request as a curl command without its body.
pub(super) fn curl(method: &str, url: &str, headers: &HeaderMap) -> String {
    let headers: String = lines(headers).map(|line| format!(" -H {}", quoted(line))).collect();
    format!("curl -v -X{method} {headers} '{url}'\n")
}

fn lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        format!("{}: {}", canonical(name), masked_value(name, &value))
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
            assert_eq!(masked(&headers), format!("{shown}\n"));
            assert_eq!(
                curl("GET", "http://h/", &headers),
                format!("curl -v -XGET  -H {shown:?} 'http://h/'\n")
            );
        }
    }
}
