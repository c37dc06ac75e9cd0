//! Ages of objects: the time since their creation.

use std::time::{SystemTime, UNIX_EPOCH};

use klient_apimachinery::Time;
use klient_apimachinery::duration::human;

/// The age at `now` of what has this creation timestamp, `<unknown>` if that is no time.
pub(crate) fn age(creation_timestamp: &str, now: SystemTime) -> String {
    match creation_timestamp.parse::<Time>() {
        Ok(created) if created != Time::ZERO => human(seconds_between(created, now)),
        _ => "<unknown>".to_owned(),
    }
}

/// Whole seconds from `start` to `end`, rounded towards none.
fn seconds_between(start: Time, end: SystemTime) -> i64 {
    let nanos = match end.duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()),
        Err(error) => i128::try_from(error.duration().as_nanos()).map(|nanos| -nanos),
    };
    let nanos = nanos.unwrap_or(i128::MAX / 2) - i128::from(start.unix()) * 1_000_000_000;
    i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ages_are_counted_from_the_creation_timestamp() {
        let now = UNIX_EPOCH + Duration::from_millis(1_000_000_500);
        let cases = [
            ("1970-01-12T13:46:30Z", "10s"),
            ("1970-01-12T13:46:41Z", "0s"),
            ("1970-01-12T13:46:42Z", "0s"),
            ("1970-01-12T13:46:43Z", "<invalid>"),
            ("0001-01-01T00:00:00Z", "<unknown>"),
            ("", "<unknown>"),
            ("yesterday", "<unknown>"),
        ];
        for (created, text) in cases {
            assert_eq!(age(created, now), text, "{created}");
        }
    }
}
