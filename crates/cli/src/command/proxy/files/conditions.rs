//! Conditions of a request for a file, in the order of Go's `checkPreconditions`. Files have times, and no entity tags.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, Method, StatusCode};
use httpdate::HttpDate;

/// The first second that a date of HTTP cannot tell.
const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);

/// The outcome of a request's conditions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Conditions {
    /// They hold; and those for ranges hold, too, or not.
    Hold { for_ranges: bool },
    /// The answer is this status.
    Fail(StatusCode),
}

/// The date of a file's last modification; none for one that a date of HTTP cannot tell, and for that of 1970, with which
/// Go counts a file as one without.
pub(super) fn last_modified(modified: Option<SystemTime>) -> Option<HttpDate> {
    let has_date = |time: &SystemTime| *time > UNIX_EPOCH && *time < UNIX_EPOCH + YEAR_10000;
    modified.filter(has_date).map(HttpDate::from)
}

/// Checks the conditions of a request for a file, which was [modified](last_modified) last at a date, if that is known.
pub(super) fn check(method: &Method, headers: &HeaderMap, modified: Option<HttpDate>) -> Conditions {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let matches = match text(headers, &IF_MATCH) {
        "" => {
            since(headers, &IF_UNMODIFIED_SINCE, modified).is_none_or(|(modified, since)| modified <= since)
        }
        tags => is_any(tags),
    };
    if !matches {
        return Conditions::Fail(StatusCode::PRECONDITION_FAILED);
    }
    let is_unchanged = match text(headers, &IF_NONE_MATCH) {
        "" => !is_modified(method, headers, modified),
        tags => is_any(tags),
    };
    if is_unchanged {
        let status = if reads { StatusCode::NOT_MODIFIED } else { StatusCode::PRECONDITION_FAILED };
        return Conditions::Fail(status);
    }
    let for_ranges = match text(headers, &IF_RANGE) {
        "" => true,
        _ if !reads => true,
        _ => since(headers, &IF_RANGE, modified).is_some_and(|(modified, since)| modified == since),
    };
    Conditions::Hold { for_ranges }
}

/// Returns false if a client has a file, or a folder's list, of its date of modification.
pub(super) fn is_modified(method: &Method, headers: &HeaderMap, modified: Option<HttpDate>) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let since = since(headers, &IF_MODIFIED_SINCE, modified).filter(|_| reads);
    since.is_none_or(|(modified, since)| modified > since)
}

/// The date of modification and that of a header, if both are known.
fn since(headers: &HeaderMap, name: &HeaderName, modified: Option<HttpDate>) -> Option<(HttpDate, HttpDate)> {
    Some((modified?, text(headers, name).parse().ok()?))
}

/// Returns true if entity tags are those of any file. A parser of tags would bring more than it saves: a file has none.
fn is_any(tags: &str) -> bool {
    tags == "*"
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim()
}
