//! [`Time`], [`MicroTime`] and [`Duration`]: instants and spans as API objects write them.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;

use super::instant::Instant;

/// An instant to the second, such as `creationTimestamp`.
///
/// ```
/// use klient_apimachinery::Time;
/// let time: Time = "2026-11-21T10:04:03+01:00".parse()?;
/// assert_eq!(time.to_string(), "2026-11-21T09:04:03Z");
/// # Ok::<(), klient_apimachinery::InvalidValue>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Instant);

impl Time {
    /// Go's zero time, which JSON writes as `null`: what a map of times holds for "none".
    pub const ZERO: Time = Time::from_unix(-62_135_596_800);

    /// Now.
    pub fn now() -> Self {
        Time::from_unix(Timestamp::now().as_second())
    }

    /// From seconds since 1970.
    pub const fn from_unix(seconds: i64) -> Self {
        Time(Instant::new(seconds))
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> i64 {
        self.0.get()
    }
}

impl Default for Time {
    fn default() -> Self {
        Time::ZERO
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        Timestamp::try_from(time).map_or(Time::ZERO, |time| Time::from_unix(time.as_second()))
    }
}

impl From<MicroTime> for Time {
    fn from(time: MicroTime) -> Self {
        Time::from_unix(time.unix_micros().div_euclid(1_000_000))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(self.unix()) {
            Ok(time) => time.fmt(f),
            Err(_) => f.write_str("0001-01-01T00:00:00Z"),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Time {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        timestamp(text).map(|time| Time::from_unix(time.as_second()))
    }
}

/// An instant to the microsecond, such as a Lease's `renewTime`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(Instant);

impl MicroTime {
    /// Go's zero time, which JSON writes as `null`.
    pub const ZERO: MicroTime = MicroTime::from_unix_micros(Time::ZERO.unix() * 1_000_000);

    /// Now.
    pub fn now() -> Self {
        MicroTime::from_unix_micros(Timestamp::now().as_microsecond())
    }

    /// From microseconds since 1970.
    pub const fn from_unix_micros(micros: i64) -> Self {
        MicroTime(Instant::new(micros))
    }

    /// Microseconds since 1970.
    pub const fn unix_micros(self) -> i64 {
        self.0.get()
    }
}

impl Default for MicroTime {
    fn default() -> Self {
        MicroTime::ZERO
    }
}

impl From<SystemTime> for MicroTime {
    fn from(time: SystemTime) -> Self {
        Timestamp::try_from(time)
            .map_or(MicroTime::ZERO, |time| MicroTime::from_unix_micros(time.as_microsecond()))
    }
}

impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.unix_micros()) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => f.write_str("0001-01-01T00:00:00.000000Z"),
        }
    }
}

impl fmt::Debug for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MicroTime {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        timestamp(text).map(|time| MicroTime::from_unix_micros(time.as_microsecond()))
    }
}

fn timestamp(text: &str) -> Result<Timestamp, InvalidValue> {
    text.parse().map_err(|_| InvalidValue::new("an RFC 3339 time", text))
}

/// A span of time in Go's form, such as `1h30m0.5s`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

impl Duration {
    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Duration(nanos)
    }

    /// From seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Duration(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The span, unless it is negative.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().map(std::time::Duration::from_nanos)
    }
}

impl From<std::time::Duration> for Duration {
    fn from(span: std::time::Duration) -> Self {
        Duration(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let fraction = |value: u64, unit: u64| {
            let digits = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
            let digits = digits.trim_end_matches('0');
            let dot = if digits.is_empty() { "" } else { "." };
            format!("{}{dot}{digits}", value / unit)
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{sign}{nanos}ns"),
            1_000..1_000_000 => write!(f, "{sign}{}µs", fraction(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{}ms", fraction(nanos, 1_000_000)),
            _ => {
                let seconds = nanos / 1_000_000_000;
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                let rest = fraction(nanos % 60_000_000_000, 1_000_000_000);
                f.write_str(sign)?;
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                write!(f, "{rest}s")
            }
        }
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Duration {
    type Err = InvalidValue;

    /// Reads what Go's `time.ParseDuration` reads.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = || InvalidValue::new("a duration such as 1m30s", text);
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Duration(0));
        }
        let mut nanos = 0.0_f64;
        let mut exact = 0_i128;
        if rest.is_empty() {
            return Err(invalid());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
            let (amount, tail) = rest.split_at(end);
            let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_end);
            let scale: i128 = match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => return Err(invalid()),
            };
            match amount.parse::<i64>() {
                Ok(whole) => exact += i128::from(whole) * scale,
                Err(_) => nanos += amount.parse::<f64>().map_err(|_| invalid())? * scale as f64,
            }
            rest = tail;
        }
        let total = exact + nanos.round() as i128;
        i64::try_from(if negative { -total } else { total }).map(Duration).map_err(|_| invalid())
    }
}

/// Text that is not what its place asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    expected: &'static str,
    found: String,
}

impl InvalidValue {
    pub(crate) fn new(expected: &'static str, found: &str) -> Self {
        let mut found = found.to_owned();
        if found.len() > 80 {
            let end = (0..=80).rev().find(|at| found.is_char_boundary(*at)).unwrap_or(0);
            found.truncate(end);
            found.push('…');
        }
        Self { expected, found }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.expected, self.found)
    }
}

impl std::error::Error for InvalidValue {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_and_parse_as_in_go() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (2_000_000, "2ms"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"),
            (5_400_000_000_000, "1h30m0s"),
            (-90_000_000_000, "-1m30s"),
        ] {
            assert_eq!(Duration(nanos).to_string(), text);
            assert_eq!(text.parse(), Ok(Duration(nanos)));
        }
        for text in ["", "1", "m", "1x", "1.5.5s"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_keep_their_precision_and_move_to_utc() {
        let time: Time = "2026-11-21T10:04:03.999+01:00".parse().expect("RFC 3339");
        assert_eq!(time.to_string(), "2026-11-21T09:04:03Z");
        let time: MicroTime = "2026-11-21T10:04:03.5Z".parse().expect("RFC 3339");
        assert_eq!(time.to_string(), "2026-11-21T10:04:03.500000Z");
        assert_eq!(
            "yesterday".parse::<Time>().unwrap_err().to_string(),
            r#"expected an RFC 3339 time, found "yesterday""#
        );
    }
}
