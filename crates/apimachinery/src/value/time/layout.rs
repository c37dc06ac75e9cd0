//! [`Layout`], RFC 3339 as Go's package `time` parses and formats it.

use std::fmt;

use super::go_quoted;

/// The format of a time: Go's `time.RFC3339`, or `metav1.RFC3339Micro`.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// A precision of seconds; a fraction is accepted, and not written.
    Seconds,
    /// A precision of microseconds, in exactly six digits.
    Micros,
}

impl Layout {
    /// Seconds and nanoseconds since 1970.
    ///
    /// # Errors
    ///
    /// The problem, in Go's words.
    pub(super) fn parse(self, text: &str) -> Result<(i64, i64), String> {
        let mut reader = Reader { layout: self, text, rest: text.as_bytes() };
        let year = reader.year()?;
        reader.skip("-")?;
        let month = reader.number("01", 2)?;
        reader.in_range("month", (1..=12).contains(&month))?;
        reader.skip("-")?;
        let day = reader.number("02", 2)?;
        reader.skip("T")?;
        let hour = reader.number("15", 1)?;
        reader.in_range("hour", hour < 24)?;
        reader.skip(":")?;
        let minute = reader.number("04", 2)?;
        reader.in_range("minute", minute < 60)?;
        reader.skip(":")?;
        let second = reader.number("05", 2)?;
        reader.in_range("second", second < 60)?;
        let nanos = match self {
            Layout::Seconds => reader.fraction(),
            Layout::Micros => reader.micros()? * 1000,
        };
        let offset = reader.offset()?;
        if !reader.rest.is_empty() {
            return Err(reader.problem(&format!("extra text: {}", go_quoted(reader.rest))));
        }
        reader.in_range("day", (1..=days_in(year, month)).contains(&day))?;
        let clock = (hour * 60 + minute) * 60 + second;
        Ok((days_since_1970(year, month, day) * SECONDS_OF_A_DAY + clock - offset, nanos))
    }

    /// Writes a time in UTC. Years below 0 and above 9999 are written as Go does, which does not read them.
    pub(super) fn write(self, f: &mut fmt::Formatter<'_>, seconds: i64, micros: i64) -> fmt::Result {
        let (year, month, day) = date(seconds.div_euclid(SECONDS_OF_A_DAY));
        let clock = seconds.rem_euclid(SECONDS_OF_A_DAY);
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())?;
        write!(f, "T{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60)?;
        match self {
            Layout::Seconds => f.write_str("Z"),
            Layout::Micros => write!(f, ".{micros:06}Z"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Layout::Seconds => "2006-01-02T15:04:05Z07:00",
            Layout::Micros => "2006-01-02T15:04:05.000000Z07:00",
        }
    }
}

/// The unread rest of a time.
struct Reader<'a> {
    layout: Layout,
    text: &'a str,
    rest: &'a [u8],
}

impl Reader<'_> {
    fn year(&mut self) -> Result<i64, String> {
        match self.rest.split_at_checked(4) {
            Some((year, rest)) if year.iter().all(u8::is_ascii_digit) => {
                self.rest = rest;
                Ok(number(year))
            }
            _ => Err(self.cannot_parse("2006")),
        }
    }

    /// Reads at most two digits.
    fn number(&mut self, element: &str, least: usize) -> Result<i64, String> {
        let len = self.rest.iter().take(2).take_while(|c| c.is_ascii_digit()).count();
        if len < least {
            return Err(self.cannot_parse(element));
        }
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(number(digits))
    }

    fn skip(&mut self, prefix: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(prefix.as_bytes()).ok_or_else(|| self.cannot_parse(prefix))?;
        Ok(())
    }

    /// Reads a fraction of any length, in nanoseconds.
    fn fraction(&mut self) -> i64 {
        let [b'.' | b',', digits @ ..] = self.rest else { return 0 };
        let len = digits.iter().take_while(|c| c.is_ascii_digit()).count();
        if len == 0 {
            return 0;
        }
        let nanos =
            (0..9).fold(0, |nanos, at| nanos * 10 + if at < len { number(&digits[at..=at]) } else { 0 });
        self.rest = &digits[len..];
        nanos
    }

    /// Reads a fraction of six digits, in microseconds; Go accepts a sign as the first.
    fn micros(&mut self) -> Result<i64, String> {
        let element = ".000000";
        let (fraction, rest) =
            self.rest.split_at_checked(element.len()).ok_or_else(|| self.cannot_parse(element))?;
        let [b'.' | b',', digits @ ..] = fraction else { return Err(self.cannot_parse(element)) };
        let micros = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        let micros: i64 = micros.ok_or_else(|| self.cannot_parse(element))?;
        self.rest = rest;
        self.in_range("fractional second", micros >= 0)?;
        Ok(micros)
    }

    /// Reads the offset from UTC, in seconds.
    fn offset(&mut self) -> Result<i64, String> {
        if let [b'Z', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(0);
        }
        let element = "Z07:00";
        let &[sign, h, hh, b':', m, mm, ref rest @ ..] = self.rest else {
            return Err(self.cannot_parse(element));
        };
        let two = |digits: [u8; 2]| digits.iter().all(u8::is_ascii_digit).then(|| number(&digits));
        let hours = two([h, hh]);
        let minutes = hours.and_then(|_| two([m, mm]));
        // Go accepts offsets of 24 hours or 60 minutes.
        self.in_range("time zone offset minute", minutes.is_none_or(|minutes| minutes <= 60))?;
        self.in_range("time zone offset hour", hours.is_none_or(|hours| hours <= 24))?;
        let (Some(hours), Some(minutes), b'+' | b'-') = (hours, minutes, sign) else {
            return Err(self.cannot_parse(element));
        };
        self.rest = rest;
        let offset = (hours * 60 + minutes) * 60;
        Ok(if sign == b'-' { -offset } else { offset })
    }

    fn in_range(&self, name: &str, is: bool) -> Result<(), String> {
        if is { Ok(()) } else { Err(self.problem(&format!("{name} out of range"))) }
    }

    fn problem(&self, problem: &str) -> String {
        format!("parsing time {}: {problem}", go_quoted(self.text.as_bytes()))
    }

    fn cannot_parse(&self, element: &str) -> String {
        let (text, layout) = (go_quoted(self.text.as_bytes()), self.layout.name());
        format!(r#"parsing time {text} as "{layout}": cannot parse {} as "{element}""#, go_quoted(self.rest))
    }
}

/// The value of a few digits.
fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970 to a date of the proleptic Gregorian calendar. Years begin in March, so that the leap day is
/// their last, and are grouped in spans of 400, which have the same number of days.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (span, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    span * DAYS_OF_400_YEARS + year * 365 + year / 4 - year / 100 + day - DAYS_UNTIL_1970
}

/// The date of a number of days after 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_UNTIL_1970;
    let (span, days) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (days - days / 1460 + days / 36_524 - days / 146_096) / 365;
    let day = days - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (span * 400 + year + i64::from(month <= 2), month, day)
}

const SECONDS_OF_A_DAY: i64 = 86_400;
const DAYS_OF_400_YEARS: i64 = 146_097;
/// Counted from the first of March of the year 0.
const DAYS_UNTIL_1970: i64 = 719_468;

#[test]
fn every_date_of_800_years_is_found_again() {
    let mut expected = (1600, 1, 1);
    for days in days_since_1970(1600, 1, 1)..days_since_1970(2400, 1, 1) {
        assert_eq!(date(days), expected);
        assert_eq!(days_since_1970(expected.0, expected.1, expected.2), days);
        let (year, month, day) = expected;
        expected = match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            _ if day == days_in(year, month) => (year, month + 1, 1),
            _ => (year, month, day + 1),
        };
    }
}
