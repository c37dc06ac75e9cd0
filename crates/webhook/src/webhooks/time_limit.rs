//! The time limit of a request.

use std::time::Duration;

use klient_apimachinery::go::quoted;

use super::refusal::Refusal;

/// The longest part of a time limit that is left for the response.
const MAX_RESERVE: Duration = Duration::from_millis(500);

/// The time within which a request is to be answered: the parameter `timeout` of its query, in Go's form such as `10s`, which
/// the API server sends, or else `default`.
///
/// # Errors
///
/// 400 if the parameter is no duration.
pub(super) fn of(query: Option<&str>, default: Duration) -> Result<Duration, Refusal> {
    let parameters = query.unwrap_or_default().split('&');
    let Some(timeout) = parameters.filter_map(|one| one.strip_prefix("timeout=")).next() else {
        return Ok(default);
    };
    let parsed = timeout.parse::<klient_apimachinery::Duration>().ok();
    let limit = parsed.and_then(klient_apimachinery::Duration::to_std).filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| {
        Refusal::bad_request(format!("timeout={}: must be a positive duration such as 10s", quoted(timeout)))
    })
}

/// The time limit of the handler: it is answered for before the API server stops to wait, so that the user gets a message
/// with the webhook's name.
pub(super) fn of_handler(limit: Duration) -> Duration {
    limit - MAX_RESERVE.min(limit / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_that_of_the_query() {
        let limit = |query: Option<&str>| {
            of(query, Duration::from_secs(10)).map_err(|refusal| refusal.message().to_owned())
        };
        assert_eq!(limit(None), Ok(Duration::from_secs(10)));
        assert_eq!(limit(Some("a=b")), Ok(Duration::from_secs(10)));
        assert_eq!(limit(Some("a=b&timeout=1m30s")), Ok(Duration::from_secs(90)));
        for wrong in ["", "0s", "-1s", "10", "soon"] {
            let problem = format!("timeout={}: must be a positive duration such as 10s", quoted(wrong));
            assert_eq!(limit(Some(&format!("timeout={wrong}"))), Err(problem));
        }
        assert_eq!(of_handler(Duration::from_secs(1)), Duration::from_millis(900));
        assert_eq!(of_handler(Duration::from_secs(30)), Duration::from_millis(29_500));
    }
}
