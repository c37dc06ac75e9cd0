//! [`Time`], [`MicroTime`] and [`Duration`]: points in time and durations of API objects.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use self::layout::Layout;
use super::clock;
use super::instant::Instant;
use crate::go::quoted;

mod layout;

/// A time with a precision of seconds, such as `creationTimestamp`.
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
    /// Go's zero time, which JSON writes as `null`: the value of a map's entry without a time.
    pub const ZERO: Time = Time::from_unix(-62_135_596_800);

    /// The current time, of the thread's [`VirtualClock`](crate::VirtualClock) if it has one.
    pub fn now() -> Self {
        clock::now().into()
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
        MicroTime::from(time).into()
    }
}

impl From<MicroTime> for Time {
    fn from(time: MicroTime) -> Self {
        Time::from_unix(time.unix_micros().div_euclid(1_000_000))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Layout::Seconds.write(f, self.unix(), 0)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Time {
    type Err = InvalidValue;

    /// Parses RFC 3339 as Go's `time.Parse` does; a fraction of a second is dropped.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (seconds, _) = Layout::Seconds
            .parse(text)
            .map_err(|problem| InvalidValue::in_go("an RFC 3339 time", text, problem))?;
        Ok(Time::from_unix(seconds))
    }
}

/// A time with a precision of microseconds, such as a Lease's `renewTime`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(Instant);

impl MicroTime {
    /// Go's zero time, which JSON writes as `null`.
    pub const ZERO: MicroTime = MicroTime::from_unix_micros(Time::ZERO.unix() * 1_000_000);

    /// The current time, of the thread's [`VirtualClock`](crate::VirtualClock) if it has one.
    pub fn now() -> Self {
        clock::now().into()
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
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()),
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1000)).map(|micros| -micros),
        };
        micros.map_or(MicroTime::ZERO, MicroTime::from_unix_micros)
    }
}

impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.unix_micros();
        Layout::Micros.write(f, micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
    }
}

impl fmt::Debug for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MicroTime {
    type Err = InvalidValue;

    /// Parses as Go's `time.Parse` does with the layout `2006-01-02T15:04:05.000000Z07:00`: exactly six digits behind
    /// the point.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let (seconds, nanos) = Layout::Micros.parse(text).map_err(|problem| {
            InvalidValue::in_go("an RFC 3339 time with six digits of a second", text, problem)
        })?;
        Ok(MicroTime::from_unix_micros(seconds * 1_000_000 + nanos / 1000))
    }
}

/// A duration in Go's format, such as `1h30m0.5s`.
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

    /// The duration as that of `std`; `None` if it is negative.
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

    /// Parses as Go's `time.ParseDuration` does.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        parse_duration(text).map_err(|problem| {
            let problem = format!("time: {problem} {}", go_quoted(text.as_bytes()));
            InvalidValue::in_go("a duration such as 1m30s", text, problem)
        })
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let invalid = || "invalid duration".to_owned();
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(Duration(0));
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    // Its size is at most 2^63.
    let mut nanos = 0_u64;
    while !rest.is_empty() {
        let (whole, tail) = rest.split_at(digits(rest));
        let (fraction, tail) = match tail.strip_prefix('.') {
            Some(tail) => tail.split_at(digits(tail)),
            None => ("", tail),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| invalid())? };
        if whole > MOST_NANOS {
            return Err(invalid());
        }
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let scale: u64 = match unit {
            "" => return Err("missing unit in duration".to_owned()),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(format!("unknown unit {} in duration", go_quoted(unit.as_bytes()))),
        };
        let whole = whole.checked_mul(scale).filter(|whole| *whole <= MOST_NANOS).ok_or_else(invalid)?;
        let whole = whole + fraction_of(scale, fraction);
        nanos = nanos.checked_add(whole).filter(|nanos| *nanos <= MOST_NANOS).ok_or_else(invalid)?;
        rest = tail;
    }
    let nanos = i128::from(nanos);
    i64::try_from(if negative { -nanos } else { nanos }).map(Duration).map_err(|_| invalid())
}

const MOST_NANOS: u64 = 1 << 63;

/// A fraction of a unit in nanoseconds, rounded down. Go counts with a float, and ignores digits that do not fit into
/// 63 bits.
fn fraction_of(scale: u64, digits: &str) -> u64 {
    let (mut fraction, mut divisor) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let next =
            fraction.checked_mul(10).and_then(|fraction| fraction.checked_add(u64::from(digit - b'0')));
        match next {
            Some(next) if fraction <= (MOST_NANOS - 1) / 10 && next <= MOST_NANOS => fraction = next,
            _ => break,
        }
        divisor *= 10.0;
    }
    (fraction as f64 * (scale as f64 / divisor)) as u64
}

/// A string that is not a value of the expected type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    expected: &'static str,
    found: String,
    go_message: Option<Box<str>>,
}

impl InvalidValue {
    /// The message of Go's packages, which API servers use: for times, durations and quantities.
    pub fn go_message(&self) -> Option<&str> {
        self.go_message.as_deref()
    }

    pub(super) fn in_go(expected: &'static str, found: &str, go_message: String) -> Self {
        Self { go_message: Some(go_message.into()), ..Self::new(expected, found) }
    }

    pub(crate) fn new(expected: &'static str, found: &str) -> Self {
        let mut found = found.to_owned();
        if found.len() > 80 {
            let end = (0..=80).rev().find(|at| found.is_char_boundary(*at)).unwrap_or(0);
            found.truncate(end);
            found.push('…');
        }
        Self { expected, found, go_message: None }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, quoted(&self.found))
    }
}

impl std::error::Error for InvalidValue {}

/// A string as Go's package `time` quotes it.
fn go_quoted(text: &[u8]) -> String {
    let mut out = String::from('"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..0x80 => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

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
        let time: MicroTime = "2026-11-21T10:04:03.500000+01:00".parse().expect("RFC 3339");
        assert_eq!(time.to_string(), "2026-11-21T09:04:03.500000Z");
        assert_eq!(
            "yesterday".parse::<Time>().unwrap_err().to_string(),
            r#"expected an RFC 3339 time, found "yesterday""#
        );
    }
}
