//! [`Url`], a URL as Go's `net/url` parses it.

use std::collections::BTreeMap;

use klient_apimachinery::go::quoted;

use crate::failure::{Failure, Result};

/// A URL, in parts.
#[derive(Clone, Debug)]
pub(crate) struct Url {
    text: String,
    pub(crate) scheme: String,
    /// Host and port.
    pub(crate) host: String,
    path: String,
    query: String,
}

impl Url {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Checks a URL as Go's `ParseRequestURI` does: it must be absolute, or a path.
    pub(crate) fn parse_request(text: &str) -> std::result::Result<(), String> {
        split(text, true).map(|_| ()).map_err(|error| format!("parse {}: {error}", quoted(text)))
    }

    pub(crate) fn parse(text: &str) -> Result<Url> {
        let error =
            |error: String| Failure::Error(format!("URL parse error during conversion from string: {error}"));
        Url::parse_request(text).map_err(error)?;
        let without_fragment = text.split_once('#').map_or(text, |(rest, _)| rest);
        let mut url = split(without_fragment, false)
            .map_err(|problem| error(format!("parse {}: {problem}", quoted(text))))?;
        url.text = text.to_owned();
        Ok(url)
    }

    fn port_at(&self) -> Option<usize> {
        let end = self.host.rfind(']').unwrap_or_default();
        self.host[end..].rfind(':').map(|at| end + at)
    }

    pub(crate) fn hostname(&self) -> &str {
        let host = self.port_at().map_or(self.host.as_str(), |at| &self.host[..at]);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    pub(crate) fn port(&self) -> &str {
        self.port_at().map_or("", |at| &self.host[at + 1..])
    }

    /// The path, with characters escaped that a path cannot have.
    pub(crate) fn escaped_path(&self) -> String {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:@/[]%".contains(&c);
        if self.path.bytes().all(allowed) {
            return self.path.clone();
        }
        let plain = unescape(&self.path, false).unwrap_or_default();
        let mut out = String::with_capacity(plain.len());
        for byte in plain.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    }

    /// The values of the query, by their names.
    pub(crate) fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in self.query.split('&').filter(|part| !part.is_empty() && !part.contains(';')) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if let (Some(name), Some(value)) = (unescape(name, true), unescape(value, true)) {
                values.entry(name).or_default().push(value);
            }
        }
        values
    }
}

fn split(text: &str, request: bool) -> std::result::Result<Url, String> {
    if text.chars().any(|c| c < ' ' || c == '\u{7f}') {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text.is_empty() && request {
        return Err("empty url".to_owned());
    }
    let mut url = Url {
        text: text.to_owned(),
        scheme: String::new(),
        host: String::new(),
        path: String::new(),
        query: String::new(),
    };
    if text == "*" {
        url.path = "*".to_owned();
        return Ok(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_lowercase();
    let (mut rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    url.query = query.to_owned();
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            // What follows is opaque.
            return Ok(url);
        }
        if request {
            return Err("invalid URI for request".to_owned());
        }
        if rest.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    if let Some(after) =
        rest.strip_prefix("//").filter(|_| !url.scheme.is_empty() || !rest.starts_with("///"))
    {
        let end = after.find('/').unwrap_or(after.len());
        let (authority, path) = after.split_at(end);
        url.host = host(authority)?;
        rest = path;
    }
    unescape(rest, false).ok_or_else(|| escape_problem(rest))?;
    url.path = rest.to_owned();
    Ok(url)
}

fn scheme(text: &str) -> std::result::Result<(&str, &str), String> {
    for (index, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if index > 0 => {}
            ':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok((&text[..index], &text[index + 1..])),
            _ => return Ok(("", text)),
        }
    }
    Ok(("", text))
}

fn host(authority: &str) -> std::result::Result<String, String> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
            if !user.chars().all(allowed) {
                return Err("net/url: invalid userinfo".to_owned());
            }
            host
        }
        None => authority,
    };
    if host.starts_with('[') {
        let end = host.rfind(']').ok_or("missing ']' in host")?;
        valid_port(&host[end + 1..])?;
        return Ok(host.to_owned());
    }
    if let Some(at) = host.rfind(':') {
        valid_port(&host[at..])?;
    }
    let odd = host
        .chars()
        .find(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._~!$&'()*+,;=:[]<>\"%".contains(*c));
    if let Some(c) = odd {
        return Err(format!("invalid character {} in host name", quoted(c.to_string())));
    }
    unescape(host, false).ok_or_else(|| escape_problem(host))
}

fn valid_port(text: &str) -> std::result::Result<(), String> {
    let digits = text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|c| c.is_ascii_digit()));
    if digits { Ok(()) } else { Err(format!("invalid port {} after host", quoted(text))) }
}

fn escape_problem(text: &str) -> String {
    let bad = text.match_indices('%').map(|(at, _)| &text[at..]).find(|rest| {
        let digits = rest.as_bytes().get(1..3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let bad: String = bad.unwrap_or_default().chars().take(3).collect();
    format!("invalid URL escape {}", quoted(bad))
}

fn unescape(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            }
            b'+' if plus => bytes.push(b' '),
            first => bytes.push(*first),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
