//! Values of flags: durations, booleans and pairs, read as kubectl reads them.

use std::fmt;
use std::str::FromStr;

use klient_apimachinery::InvalidValue;
use klient_apimachinery::go::quoted;
pub(crate) use klient_config_flags::go_bool;

/// A duration in Go's syntax (`1m30s`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) klient_apimachinery::Duration);

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Timeout).map_err(|error: InvalidValue| match error.go_message() {
            Some(message) => message.to_owned(),
            None => error.to_string(),
        })
    }
}

impl Timeout {
    /// The value of `--pod-running-timeout`.
    ///
    /// # Errors
    ///
    /// The problem in kubectl's words, if it is not above zero.
    pub(crate) fn of_running_pod(self) -> Result<std::time::Duration, &'static str> {
        let timeout = self.0.to_std().filter(|timeout| !timeout.is_zero());
        timeout.ok_or("--pod-running-timeout must be higher than zero")
    }
}

/// Reads a whole number in Go's syntax: `16`, `0x10`, `0b1_0000`, `0o20` and `020` are the same (`strconv.ParseInt` of base
/// 0).
///
/// # Errors
///
/// The problem in Go's words.
pub(crate) fn go_int(text: &str) -> Result<i64, String> {
    let failed = |problem| format!("strconv.ParseInt: parsing {text}: {problem}", text = quoted(text));
    let magnitude = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (radix, digits) = match magnitude.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &magnitude[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &magnitude[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &magnitude[2..]),
        [b'0', _, ..] => (8, &magnitude[1..]),
        _ => (10, magnitude),
    };
    // An underscore is between two digits, or between the prefix and a digit.
    let is_separated = !digits.ends_with('_')
        && !digits.contains("__")
        && (digits.len() < magnitude.len() || !digits.starts_with('_'));
    let digits = digits.replace('_', "");
    if !is_separated || digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(failed("invalid syntax"));
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).map_err(|_| failed("value out of range"))
}

/// Pairs of `NAME=VALUE`, separated by commas (pflag's `stringToString`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl FromStr for Pairs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = |text: &str| format!("{text} must be formatted as key=value");
        let fields = match text.matches('=').count() {
            0 => return Err(malformed(text)),
            // A comma belongs to the value of the only pair.
            1 => vec![text.trim_matches('"').to_owned()],
            _ => csv_fields(text)?,
        };
        let pairs = fields.iter().map(|field| match field.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(malformed(field)),
        });
        pairs.collect::<Result<_, _>>().map(Pairs)
    }
}

impl Pairs {
    /// Merges the pairs of all occurrences of a flag: of two with one name, the last one counts.
    pub(crate) fn merge(all: &[Pairs]) -> Vec<(String, String)> {
        let mut merged: Vec<(String, String)> = Vec::new();
        for (name, value) in all.iter().flat_map(|pairs| &pairs.0) {
            match merged.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => value.clone_into(known),
                None => merged.push((name.clone(), value.clone())),
            }
        }
        merged
    }
}

/// Returns the fields of a line of comma-separated values, which may be in double quotes (Go's `encoding/csv`).
fn csv_fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let at = line.len() - rest.len();
        let problem =
            |column: usize, what: &str| format!("parse error on line 1, column {}: {what}", at + column + 1);
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = match rest.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (rest, None),
            };
            if let Some(quote) = field.find('"') {
                return Err(problem(quote, "bare \" in non-quoted field"));
            }
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut inner = quoted;
        loop {
            let Some((text, after)) = inner.split_once('"') else {
                return Err(problem(rest.len(), "extraneous or missing \" in quoted-field"));
            };
            field.push_str(text);
            inner = after;
            match after.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    inner = after;
                }
                None => break,
            }
        }
        fields.push(field);
        match inner.strip_prefix(',') {
            Some(after) => rest = after,
            None if inner.is_empty() => return Ok(fields),
            None => {
                let column = rest.len() - inner.len() - 1;
                return Err(problem(column, "extraneous or missing \" in quoted-field"));
            }
        }
    }
}

/// An invalid value of a flag, with kubectl's message, which is printed without the name of the flag.
#[derive(Clone, Debug)]
pub(crate) struct FlagValueError(String);

impl FlagValueError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        FlagValueError(text.into())
    }
}

impl fmt::Display for FlagValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FlagValueError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_refused_in_the_words_of_go() {
        for (text, problem) in [
            ("", "invalid duration"),
            ("x", "invalid duration"),
            ("-", "invalid duration"),
            (".s", "invalid duration"),
            ("9999999999h", "invalid duration"),
            ("1", "missing unit in duration"),
            ("1s2", "missing unit in duration"),
            ("1.5.2s", "missing unit in duration"),
            ("1x", "unknown unit \"x\" in duration"),
            ("1sx", "unknown unit \"sx\" in duration"),
            ("+1y", "unknown unit \"y\" in duration"),
        ] {
            assert_eq!(text.parse::<Timeout>(), Err(format!("time: {problem} \"{text}\"")));
        }
        assert_eq!("0".parse(), Ok(Timeout::default()));
    }

    #[test]
    fn numbers_have_the_syntax_of_go() {
        for (text, number) in [
            ("0", 0),
            ("-1", -1),
            ("+3", 3),
            ("0x3", 3),
            ("-0X1f", -31),
            ("0b11", 3),
            ("0o17", 15),
            ("017", 15),
            ("1_000", 1000),
            ("0_7", 7),
            ("0x_f", 15),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(go_int(text), Ok(number), "{text}");
        }
        for invalid in ["", "-", "+-3", "0x", "08", "0b2", "1_", "_1", "1__0", "0x__f", "x", "1.5", " 1"] {
            let problem = format!("strconv.ParseInt: parsing \"{invalid}\": invalid syntax");
            assert_eq!(go_int(invalid), Err(problem));
        }
        let problem = "strconv.ParseInt: parsing \"0x8000000000000000\": value out of range";
        assert_eq!(go_int("0x8000000000000000"), Err(problem.to_owned()));
    }

    #[test]
    fn pairs_are_separated_by_commas_and_may_be_quoted() {
        let pairs = |text: &str| text.parse::<Pairs>().map(|pairs| pairs.0);
        let owned = |pairs: &[(&str, &str)]| {
            Ok(pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<Vec<_>>())
        };
        assert_eq!(pairs("a=b"), owned(&[("a", "b")]));
        assert_eq!(pairs("a=b,c"), owned(&[("a", "b,c")]));
        assert_eq!(pairs("a=b,c=d"), owned(&[("a", "b"), ("c", "d")]));
        assert_eq!(
            pairs("\"a=b,c\",d=\"e"),
            Err("parse error on line 1, column 11: bare \" in non-quoted field".into())
        );
        assert_eq!(pairs("\"a=b,\"\"c\",d=e"), owned(&[("a", "b,\"c"), ("d", "e")]));
        assert_eq!(pairs("a"), Err("a must be formatted as key=value".into()));
        assert_eq!(pairs("a=b=c,d"), Err("d must be formatted as key=value".into()));
    }
}
