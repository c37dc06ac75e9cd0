//! [`Parts`], the string of a quantity.

use super::amount::{Amount, Format};
use crate::value::time::InvalidValue;

/// The parts of a quantity's string.
pub(super) struct Parts<'a> {
    sign: &'a str,
    /// The integer part without leading zeros.
    whole: &'a str,
    fraction: &'a str,
    ends_in_point: bool,
    format: Format,
    /// The powers of two and of ten of the suffix.
    binary: u32,
    decimal: i32,
}

impl<'a> Parts<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, InvalidValue> {
        Self::of(text).ok_or_else(|| {
            let problem = if has_form(text) { BAD_SUFFIX } else { BAD_FORM };
            InvalidValue::in_go("a quantity such as 500m or 2Gi", text, problem.to_owned())
        })
    }

    fn of(text: &'a str) -> Option<Self> {
        let (sign, rest) = text.split_at(usize::from(text.starts_with(['-', '+'])));
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (format, binary, decimal) = suffix_of(suffix)?;
        let whole = whole.trim_start_matches('0');
        Some(Parts { sign, whole, fraction, ends_in_point: number.ends_with('.'), format, binary, decimal })
    }

    /// Returns true if Kubernetes keeps the string instead of formatting the amount: if few digits make a number that
    /// it takes for canonical at first sight, as in `1.500`. It also keeps `+5` and `5.`, which is not followed.
    pub(super) fn is_kept(&self) -> bool {
        let len = self.whole.len() + self.fraction.len();
        if self.whole.is_empty() || self.sign == "+" || self.ends_in_point {
            return false;
        }
        match self.format {
            Format::Binary => {
                let is_odd = || self.whole.parse::<u64>().is_ok_and(|value| value % 8 != 0);
                self.fraction.is_empty() && len + self.binary as usize * 3 / 10 <= 14 && is_odd()
            }
            Format::Decimal | Format::Exponent => {
                let scale = self.scale();
                let mut last = self.whole.bytes().chain(self.fraction.bytes()).rev().take(3);
                len <= 18 && scale >= -9 && scale % 3 == 0 && (len < 3 || last.any(|digit| digit != b'0'))
            }
        }
    }

    /// The power of ten of the last digit.
    fn scale(&self) -> i64 {
        i64::from(self.decimal) - self.fraction.len() as i64
    }

    pub(super) fn amount(&self) -> Amount {
        let digits = self.whole.bytes().chain(self.fraction.bytes()).map(|digit| digit - b'0').collect();
        let mut amount =
            Amount { negative: self.sign == "-", digits, exponent: self.scale(), format: self.format };
        if self.binary > 0 {
            amount.multiply(1 << self.binary);
        }
        amount.trim();
        amount.round_up(-9);
        if self.format == Format::Binary && amount.compare_size(&Amount::max_binary()).is_gt() {
            return Amount { negative: amount.negative, ..Amount::max_binary() };
        }
        amount
    }
}

const BAD_FORM: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const BAD_SUFFIX: &str = "unable to parse quantity's suffix";

/// Returns true if a string is a number with letters of suffixes and an optional exponent behind it.
fn has_form(text: &str) -> bool {
    let digits = |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
    let number = digits(text.strip_prefix(['-', '+']).unwrap_or(text));
    let suffix = digits(number.strip_prefix('.').unwrap_or(&number));
    let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    !text.is_empty() && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)).is_empty()
}

fn suffix_of(suffix: &str) -> Option<(Format, u32, i32)> {
    let decimal = |power| Some((Format::Decimal, 0, power));
    let binary = |power| Some((Format::Binary, power, 0));
    match suffix {
        "" => decimal(0),
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let power: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            // Go, too, parses 64 bits and keeps the lower 32.
            Some((Format::Exponent, 0, power as i32))
        }
    }
}
