//! Conditions of a request for a file (Go's `checkPreconditions`). Files have times, and no entity tags.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, Method, StatusCode};

/// The outcome of a request's conditions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Conditions<'a> {
    /// They hold. The value is that of `Range`, empty if it is not given or does not count.
    Hold(&'a str),
    /// The answer is this status.
    Fail(StatusCode),
}

/// Checks the conditions of a request for a file, which was modified last at a time, if that is known.
pub(super) fn check<'a>(
    method: &Method,
    headers: &'a HeaderMap,
    modified: Option<SystemTime>,
) -> Conditions<'a> {
    let modified = modified.map(seconds);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let matches = match text(headers, &IF_MATCH) {
        "" => {
            since(headers, &IF_UNMODIFIED_SINCE, modified).is_none_or(|(modified, since)| modified <= since)
        }
        tags => has_any(tags),
    };
    if !matches {
        return Conditions::Fail(StatusCode::PRECONDITION_FAILED);
    }
    let is_unchanged = match text(headers, &IF_NONE_MATCH) {
        "" => !is_modified(method, headers, modified),
        tags => has_any(tags),
    };
    if is_unchanged {
        let status = if reads { StatusCode::NOT_MODIFIED } else { StatusCode::PRECONDITION_FAILED };
        return Conditions::Fail(status);
    }
    let same = match text(headers, &IF_RANGE) {
        "" => true,
        _ if !reads => true,
        _ => since(headers, &IF_RANGE, modified).is_some_and(|(modified, since)| modified == since),
    };
    Conditions::Hold(if same { text(headers, &RANGE) } else { "" })
}

/// Returns false if a client has a folder's list of its time of modification.
pub(super) fn is_folder_modified(method: &Method, headers: &HeaderMap, modified: Option<SystemTime>) -> bool {
    is_modified(method, headers, modified.map(seconds))
}

fn is_modified(method: &Method, headers: &HeaderMap, modified: Option<Duration>) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let since = since(headers, &IF_MODIFIED_SINCE, modified).filter(|_| reads);
    since.is_none_or(|(modified, since)| modified > since)
}

/// The time of modification and that of a header, if both are known.
fn since(headers: &HeaderMap, name: &HeaderName, modified: Option<Duration>) -> Option<(Duration, Duration)> {
    let since = httpdate::parse_http_date(text(headers, name)).ok()?;
    Some((modified?, seconds(since)))
}

/// The whole seconds since 1970.
fn seconds(time: SystemTime) -> Duration {
    Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// Returns true if a list of entity tags is for a file of any tag.
fn has_any(tags: &str) -> bool {
    tags.split(',').any(|tag| tag.trim().starts_with('*'))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim()
}
