//! Durations for people, in two units at most: `22s`, `3m5s`, `2d3h`, `2y10d`.

/// A number of seconds as Kubernetes shows ages (`HumanDuration` of `k8s.io/apimachinery/pkg/util/duration`).
///
/// ```
/// use klient_apimachinery::duration::human;
/// assert_eq!([human(22), human(185), human(-2)], ["22s", "3m5s", "<invalid>"]);
/// ```
pub fn human(seconds: i64) -> String {
    // Go counts durations in nanoseconds, of which 64 bits hold 292 years.
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
            (125, "2m5s"),
            (185, "3m5s"),
            (10 * MINUTE - 1, "9m59s"),
            (10 * MINUTE + 30, "10m"),
            (123 * MINUTE, "123m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 59, "3h"),
            (3 * HOUR + 60, "3h1m"),
            (3 * HOUR + 5 * MINUTE + 9, "3h5m"),
            (8 * HOUR + 5 * MINUTE, "8h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + 3 * HOUR, "2d3h"),
            (8 * DAY + 3 * HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (740 * DAY, "2y10d"),
            (8 * 365 * DAY + DAY, "8y"),
            (i64::MAX, "292y"),
        ] {
            assert_eq!(human(seconds), text, "{seconds}");
        }
    }
}
