//! [`RequestInfo`], the parsed method, path and query of a request.

use std::borrow::Cow;
use std::num::{IntErrorKind, ParseIntError};

use http::Method;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Duration, validation};

use crate::status::{Failure, Result};

/// A request's verb, resource and name, parsed without knowledge of the served resources.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RequestInfo {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// The path behind `proxy`, of the request that is passed on; empty, or with a slash at the beginning.
    pub(crate) subpath: String,
    pub(crate) verb: Verb,
}

/// The verb of a request, as authorization names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// The word in discovery and in messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        }
    }

    /// Returns true for the verbs that change nothing.
    pub(crate) fn only_reads(self) -> bool {
        matches!(self, Verb::Get | Verb::List | Verb::Watch)
    }
}

/// The subresources of a namespace; anything else behind its name is a resource in it.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

impl RequestInfo {
    /// Reads a path such as `/apis/apps/v1/namespaces/shop/deployments/web/scale`. `None` if it names no resource. As
    /// in upstream's router, percent encoding is decoded before the path is split.
    ///
    /// # Errors
    ///
    /// 405 for methods that are no verb.
    pub(crate) fn parse(method: &Method, path: &str, query: &Query) -> Result<Option<RequestInfo>> {
        let path = unescape_path(path);
        let mut parts = path.trim_matches('/').split('/').map(str::to_owned);
        let (group, version) = match parts.next().as_deref() {
            Some("api") => (String::new(), parts.next()),
            Some("apis") => (parts.next().unwrap_or_default(), parts.next()),
            _ => return Ok(None),
        };
        let Some(version) = version else { return Ok(None) };
        let mut rest: Vec<String> = parts.collect();
        let watched = rest.first().is_some_and(|part| part == "watch");
        if watched {
            rest.remove(0);
        }
        let mut namespace = None;
        let is_in_namespace = rest.len() > 2 && !NAMESPACE_SUBRESOURCES.contains(&rest[2].as_str());
        if rest.first().is_some_and(|part| part == "namespaces") && is_in_namespace {
            namespace = Some(rest.remove(1));
            rest.remove(0);
        }
        let mut rest = rest.into_iter();
        let Some(resource) = rest.next().filter(|resource| !resource.is_empty()) else { return Ok(None) };
        let name = rest.next();
        let rest: Vec<String> = rest.collect();
        let (subresource, subpath) = (subresource(&rest), subpath(&rest, &path));
        let watched = watched || query.is_true("watch");
        let verb = match (method.as_str(), &name) {
            ("POST", _) => Verb::Create,
            ("PUT", _) => Verb::Update,
            ("PATCH", _) => Verb::Patch,
            ("DELETE", Some(_)) => Verb::Delete,
            ("DELETE", None) => Verb::DeleteCollection,
            ("GET", None) if watched => Verb::Watch,
            ("GET", None) => Verb::List,
            ("GET", Some(_)) if watched && path.contains("/watch/") => Verb::Watch,
            ("GET", Some(_)) => Verb::Get,
            _ => return Err(Failure::method_not_allowed()),
        };
        // Lists and watches in the namespace without a name are of all namespaces.
        let namespace =
            namespace.filter(|namespace| !namespace.is_empty() || !matches!(verb, Verb::List | Verb::Watch));
        Ok(Some(RequestInfo { group, version, namespace, resource, name, subresource, subpath, verb }))
    }
}

/// The subresource in the segments behind a name. Those behind `proxy` belong to the request that is passed on; other
/// further ones make a name that no subresource has.
fn subresource(segments: &[String]) -> Option<String> {
    let name = match segments {
        [proxy, ..] if proxy == "proxy" => proxy.clone(),
        segments => segments.join("/"),
    };
    (!name.is_empty()).then_some(name)
}

/// The path behind `proxy` in the segments behind a name. As upstream, a slash at the end is kept.
fn subpath(segments: &[String], path: &str) -> String {
    let behind = segments.iter().skip(1).map(|segment| format!("/{segment}")).collect::<String>();
    let has_slash = path.ends_with('/') && segments.first().is_some_and(|first| first == "proxy");
    if has_slash { behind + "/" } else { behind }
}

impl RequestInfo {
    /// Returns true if the request may outlast the `timeout` of its query: watches, logs, exec and the like.
    pub(crate) fn is_long_running(&self) -> bool {
        let subresource = self.subresource.as_deref().unwrap_or_default();
        self.verb == Verb::Watch || matches!(subresource, "attach" | "exec" | "proxy" | "log" | "portforward")
    }
}

/// Checks that a name, or a namespace, can be a segment of a path.
///
/// # Errors
///
/// 400 in the server's words.
pub(crate) fn check_segment(what: &str, value: &str) -> Result<()> {
    let problems = validation::path_segment(value);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::bad_request(format!("{what} parameter invalid: {}: {}", quoted(value), problems.join("; "))))
}

/// Returns true if every `%` of a path is followed by two hexadecimal digits.
pub(crate) fn is_percent_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| rest.as_bytes().get(..2).and_then(hex).is_some())
}

/// The byte that two hexadecimal digits are.
fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    // A sign is no digit, though numbers may have one.
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| all_digits)
}

/// Undoes the percent encoding of a part of a path.
pub(crate) fn unescape_path(part: &str) -> String {
    percent_decode(part, false)
}

/// Decodes percent encoding. Invalid UTF-8 is replaced by U+FFFD.
fn percent_decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1..at + 3).and_then(hex)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The parameters behind the question mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        // As Go, which skips malformed pairs.
        let is_read = |pair: &&str| !pair.is_empty() && !pair.contains(';') && is_percent_encoded(pair);
        let pairs = query.unwrap_or_default().split('&').filter(is_read).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key, true), percent_decode(value, true))
        });
        Query(pairs.collect())
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// Returns true if a parameter is present and neither `false` nor `0`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// A number, if the parameter is there.
    ///
    /// # Errors
    ///
    /// In Go's words, if it is no number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<i64>> {
        let number = self.get(key).map(|value| {
            value.parse().map_err(|error: ParseIntError| {
                let problem = number_problem(&error);
                Failure::bad_request(format!("strconv.ParseInt: parsing {}: {problem}", quoted(value)))
            })
        });
        number.transpose()
    }

    /// The time-out of a request, if it has one.
    ///
    /// # Errors
    ///
    /// In Go's words, if it is no duration.
    pub(crate) fn timeout(&self) -> Result<Option<std::time::Duration>> {
        let text = self.text("timeout");
        if text.is_empty() {
            return Ok(None);
        }
        if let Ok(timeout) = text.parse::<Duration>() {
            return Ok(timeout.to_std().filter(|timeout| !timeout.is_zero()));
        }
        let problem = duration_problem(&text);
        Err(Failure::bad_request(format!("invalid timeout specified in the request URL - time: {problem}")))
    }

    /// The text of a parameter, empty if it is not there.
    pub(crate) fn text(&self, key: &str) -> Cow<'_, str> {
        self.get(key).unwrap_or_default().into()
    }
}

/// The error of Go's package `strconv` for a number that does not parse.
pub(crate) fn number_problem(error: &ParseIntError) -> &'static str {
    match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    }
}

/// The error of Go's `time.ParseDuration` for an invalid duration.
fn duration_problem(text: &str) -> String {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    while !rest.is_empty() {
        let is_amount = |c: char| c.is_ascii_digit() || c == '.';
        let after = rest.trim_start_matches(is_amount);
        let amount = &rest[..rest.len() - after.len()];
        if amount.parse::<f64>().is_err() {
            break;
        }
        let unit = &after[..after.find(is_amount).unwrap_or(after.len())];
        match unit {
            "" => return format!("missing unit in duration {}", quoted(text)),
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => rest = &after[unit.len()..],
            _ => return format!("unknown unit {} in duration {}", quoted(unit), quoted(text)),
        }
    }
    format!("invalid duration {}", quoted(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, uri: &str, expected: &str) {
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let shown = match RequestInfo::parse(&method, path, &Query::parse(query)) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(info)) => {
                let part = |part: &Option<String>| part.clone().unwrap_or("-".to_owned());
                format!(
                    "{} {}/{} {} {} {} {}",
                    info.verb.as_str(),
                    info.group,
                    info.version,
                    part(&info.namespace),
                    info.resource,
                    part(&info.name),
                    part(&info.subresource),
                )
            }
            Err(failure) => failure.status().message.as_deref().unwrap_or_default().to_owned(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn paths_and_methods_say_what_is_asked_for() {
        check("GET", "/api/v1/pods", "list /v1 - pods - -");
        check("GET", "/api/v1/pods?watch=1", "watch /v1 - pods - -");
        check("GET", "/api/v1/pods?watch", "watch /v1 - pods - -");
        check("GET", "/api/v1/pods?watch=false", "list /v1 - pods - -");
        check("GET", "/api/v1/watch/namespaces/a/pods", "watch /v1 a pods - -");
        check("GET", "/api/v1/namespaces/a/pods/p", "get /v1 a pods p -");
        check("PUT", "/api/v1/namespaces/a/pods/p/status", "update /v1 a pods p status");
        check("GET", "/api/v1/namespaces/a", "get /v1 - namespaces a -");
        check("PUT", "/api/v1/namespaces/a/finalize", "update /v1 - namespaces a finalize");
        check(
            "PATCH",
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            "patch apps/v1 a deployments d scale",
        );
        check(
            "DELETE",
            "/apis/apps/v1/namespaces/a/deployments",
            "deletecollection apps/v1 a deployments - -",
        );
        check("POST", "/api/v1/nodes", "create /v1 - nodes - -");
        check("GET", "/api/v1/nodes/n%20x", "get /v1 - nodes n x -");
        check("GET", "/api/v1/nodes/%C3%A9?watch=%+f", "get /v1 - nodes é -");
        check("GET", "/api/v1/nodes/a%2Fb", "get /v1 - nodes a b");
        check("GET", "/api/v1%2Fnodes", "list /v1 - nodes - -");
        check("GET", "/api/v1/nodes/a/status/b", "get /v1 - nodes a status/b");
        check("POST", "/api/v1/namespaces/a/pods/p:80/proxy/b/c", "create /v1 a pods p:80 proxy");
        check("GET", "/healthz", "nothing");
        check("GET", "/api/v1", "nothing");
        check("GET", "/apis/apps", "nothing");
    }

    #[test]
    fn escapes_are_two_hexadecimal_digits() {
        for (path, expected) in
            [("/a%2Fb%C3", true), ("/", true), ("/a%", false), ("/a%2", false), ("/%+f", false)]
        {
            assert_eq!(is_percent_encoded(path), expected, "{path}");
        }
    }

    #[test]
    fn methods_that_are_no_verb_are_refused() {
        check("HEAD", "/api/v1/nodes/a", "the server does not allow this method on the requested resource");
    }
}
