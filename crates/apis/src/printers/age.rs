//! Spans of time in two or three digits: `22s`, `3m5s`, `2d3h`, `2y10d`.

use klient_apimachinery::Time;

/// What is shown where there is no time.
pub(super) const UNKNOWN: &str = "<unknown>";

/// How long ago a timestamp was.
pub fn age(timestamp: &str, now: Time) -> String {
    match moment(timestamp) {
        Some(time) => since(time, now),
        None => UNKNOWN.to_owned(),
    }
}

/// The time of a timestamp, if it has one and it is not Go's zero.
pub(super) fn moment(timestamp: &str) -> Option<Time> {
    timestamp.parse().ok().filter(|time| *time != Time::ZERO)
}

/// How long ago a time was.
pub(super) fn since(time: Time, now: Time) -> String {
    span(now.unix().saturating_sub(time.unix()))
}

/// A span of seconds.
pub(super) fn span(seconds: i64) -> String {
    // Go counts spans in nanoseconds, of which 64 bits hold 292 years.
    let seconds = seconds.min(i64::MAX / 1_000_000_000);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let years = days / 365;
    match seconds {
        // Clocks may differ by a second.
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => two_units(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => two_units(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => two_units(days, "d", hours % 24, "h"),
        _ if days < 2 * 365 => format!("{days}d"),
        _ if days < 8 * 365 => two_units(years, "y", days % 365, "d"),
        _ => format!("{years}y"),
    }
}

fn two_units(large: i64, unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn spans_keep_two_or_three_digits() {
        for (seconds, text) in [
            (i64::MIN, "<invalid>"),
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (22, "22s"),
            (119, "119s"),
            (120, "2m"),
            (185, "3m5s"),
            (10 * MINUTE - 1, "9m59s"),
            (10 * MINUTE + 30, "10m"),
            (123 * MINUTE, "123m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 5 * MINUTE + 9, "3h5m"),
            (8 * HOUR + 5 * MINUTE, "8h"),
            (47 * HOUR, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + 3 * HOUR, "2d3h"),
            (8 * DAY + 3 * HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (740 * DAY, "2y10d"),
            (8 * 365 * DAY + DAY, "8y"),
            (i64::MAX, "292y"),
        ] {
            assert_eq!(span(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn ages_of_no_time_are_unknown() {
        let now: Time = "2026-01-10T12:00:00Z".parse().expect("a time");
        for (timestamp, text) in [
            ("2026-01-10T11:59:38Z", "22s"),
            ("2026-01-10T12:59:38+01:00", "22s"),
            ("2026-01-10T11:57:00.500000Z", "3m"),
            ("2026-01-10T12:00:01Z", "0s"),
            ("2026-01-10T12:00:02Z", "<invalid>"),
            ("0001-01-01T00:00:00Z", "<unknown>"),
            ("", "<unknown>"),
            ("yesterday", "<unknown>"),
        ] {
            assert_eq!(age(timestamp, now), text, "{timestamp}");
        }
    }
}
