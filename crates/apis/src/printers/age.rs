//! Ages of objects: the time since a timestamp.

use klient_apimachinery::Time;
use klient_apimachinery::duration::human;

/// The cell of a missing time.
pub(super) const UNKNOWN: &str = "<unknown>";

/// The time elapsed since a timestamp.
pub fn age(timestamp: &str, now: Time) -> String {
    match moment(timestamp) {
        Some(time) => since(time, now),
        None => UNKNOWN.to_owned(),
    }
}

/// The time of a timestamp, unless it is invalid or Go's zero time.
pub(super) fn moment(timestamp: &str) -> Option<Time> {
    timestamp.parse().ok().filter(|time| *time != Time::ZERO)
}

/// The time elapsed since a time.
pub(super) fn since(time: Time, now: Time) -> String {
    human(now.unix().saturating_sub(time.unix()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
