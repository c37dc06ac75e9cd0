//! How long ago something was, in the few digits people want to know.

use std::time::{SystemTime, UNIX_EPOCH};

use klient_apimachinery::Time;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The age at `now` of what has this creation timestamp, `<unknown>` if that is no time.
pub(crate) fn age(creation_timestamp: &str, now: SystemTime) -> String {
    match creation_timestamp.parse::<Time>() {
        Ok(created) if created != Time::ZERO => span(seconds_between(created, now)),
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

/// A span of time in one or two units. Clocks may differ: a second in the future is now.
fn span(seconds: i64) -> String {
    let with_rest = |unit, name, rest_unit, rest_name| match seconds % unit / rest_unit {
        0 => format!("{}{name}", seconds / unit),
        rest => format!("{}{name}{rest}{rest_name}", seconds / unit),
    };
    if seconds < -1 {
        "<invalid>".to_owned()
    } else if seconds < 0 {
        "0s".to_owned()
    } else if seconds < 2 * MINUTE {
        format!("{seconds}s")
    } else if seconds < 10 * MINUTE {
        with_rest(MINUTE, "m", 1, "s")
    } else if seconds < 3 * HOUR {
        format!("{}m", seconds / MINUTE)
    } else if seconds < 8 * HOUR {
        with_rest(HOUR, "h", MINUTE, "m")
    } else if seconds < 2 * DAY {
        format!("{}h", seconds / HOUR)
    } else if seconds < 8 * DAY {
        with_rest(DAY, "d", HOUR, "h")
    } else if seconds < 2 * YEAR {
        format!("{}d", seconds / DAY)
    } else if seconds < 8 * YEAR {
        with_rest(YEAR, "y", DAY, "d")
    } else {
        format!("{}y", seconds / YEAR)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn spans_have_few_digits() {
        let cases = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (10 * MINUTE + 5, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 59, "3h"),
            (3 * HOUR + 60, "3h1m"),
            (8 * HOUR, "8h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (8 * DAY, "8d"),
            (2 * YEAR - 1, "729d"),
            (2 * YEAR, "2y"),
            (2 * YEAR + DAY, "2y1d"),
            (8 * YEAR + DAY, "8y"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(seconds), text, "{seconds}");
        }
    }

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
