//! [`Quantity`], amounts of resources such as `500m` or `2Gi`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::time::InvalidValue;
use crate::Str;

/// An amount of a resource, such as `500m` of CPU or `2Gi` of memory.
///
/// It keeps the string as received; [`canonical`](Quantity::canonical) is the form that the API server stores, and
/// comparison is by amount.
///
/// ```
/// use klient_apimachinery::Quantity;
/// assert_eq!(Quantity::from("0.5").canonical()?, "500m");
/// assert_eq!(Quantity::from("1024Mi"), Quantity::from("1Gi"));
/// # Ok::<(), klient_apimachinery::InvalidValue>(())
/// ```
#[derive(Clone, Default)]
pub struct Quantity(Str);

impl Quantity {
    /// The string as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The string that the API server would store: no more digits than needed, and the largest suffix that leaves an
    /// integer.
    ///
    /// # Errors
    ///
    /// If the string is not a quantity.
    pub fn canonical(&self) -> Result<Str, InvalidValue> {
        let parts = Parts::parse(&self.0)?;
        Ok(if parts.is_kept() { self.0.clone() } else { parts.amount().to_string().into() })
    }

    /// The amount in billionths, rounded away from zero. Beyond 128 bits it is the most whole units that fit.
    ///
    /// # Errors
    ///
    /// If the string is not a quantity.
    pub fn nanos(&self) -> Result<i128, InvalidValue> {
        const MOST: i128 = i128::MAX / 1_000_000_000 * 1_000_000_000;
        let amount = self.amount()?;
        let sign = if amount.negative { -1 } else { 1 };
        Ok(amount.whole(-9).unwrap_or(sign * MOST).clamp(-MOST, MOST))
    }

    /// The amount rounded away from zero to a power of ten: to thousandths with -3.
    ///
    /// # Errors
    ///
    /// If the string is not a quantity.
    pub fn round_up(&self, exponent: i32) -> Result<Quantity, InvalidValue> {
        let mut amount = self.amount()?;
        if amount.exponent >= exponent || amount.digits.is_empty() {
            return Ok(self.clone());
        }
        amount.round_up(exponent);
        Ok(Quantity(amount.to_string().into()))
    }

    /// The amount in whole units, rounded up.
    ///
    /// # Errors
    ///
    /// If the string is not a quantity, or the amount does not fit into 64 bits.
    pub fn value(&self) -> Result<i64, InvalidValue> {
        let mut amount = self.amount()?;
        if amount.negative {
            amount.truncate();
        } else {
            amount.round_up(0);
        }
        let value = amount.whole(0).and_then(|value| i64::try_from(value).ok());
        value.ok_or_else(|| InvalidValue::new("a 64-bit quantity", &self.0))
    }
}

impl Quantity {
    fn amount(&self) -> Result<Amount, InvalidValue> {
        Parts::parse(&self.0).map(|parts| parts.amount())
    }
}

impl<T: Into<Str>> From<T> for Quantity {
    fn from(text: T) -> Self {
        Quantity(text.into())
    }
}

impl FromStr for Quantity {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Parts::parse(text).map(|_| Quantity(text.into()))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.partial_cmp(other).is_some_and(Ordering::is_eq)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.amount().ok()?.compare(&other.amount().ok()?))
    }
}

/// The unit in which a quantity is written.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    /// `500m`, `2k`.
    Decimal,
    /// `5e2`.
    Exponent,
    /// `2Ki`.
    Binary,
}

/// The parts of a quantity's string.
struct Parts<'a> {
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
    fn parse(text: &'a str) -> Result<Self, InvalidValue> {
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
    fn is_kept(&self) -> bool {
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
                let scale = self.decimal - self.fraction.len() as i32;
                let mut last = self.whole.bytes().chain(self.fraction.bytes()).rev().take(3);
                len <= 18 && scale >= -9 && scale % 3 == 0 && (len < 3 || last.any(|digit| digit != b'0'))
            }
        }
    }

    fn amount(&self) -> Amount {
        let digits = self.whole.bytes().chain(self.fraction.bytes()).map(|digit| digit - b'0').collect();
        let exponent = self.decimal.saturating_sub(i32::try_from(self.fraction.len()).unwrap_or(i32::MAX));
        let mut amount = Amount { negative: self.sign == "-", digits, exponent, format: self.format };
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

/// An amount of any size, to the billionth: its decimal digits, without zeros at either end, and the power of ten of
/// the last.
struct Amount {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
    format: Format,
}

impl Amount {
    /// The maximum amount with a binary suffix.
    fn max_binary() -> Self {
        let digits = i64::MAX.to_string().bytes().map(|digit| digit - b'0').collect();
        Amount { negative: false, digits, exponent: 0, format: Format::Binary }
    }

    fn multiply(&mut self, factor: u64) {
        let mut carry = 0_u128;
        for digit in self.digits.iter_mut().rev() {
            carry += u128::from(*digit) * u128::from(factor);
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        let more = carry.to_string().into_bytes();
        self.digits.splice(0..0, more.into_iter().map(|digit| digit - b'0'));
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
    }

    /// Rounds to a power of ten, away from zero.
    fn round_up(&mut self, exponent: i32) {
        if self.exponent >= exponent || self.digits.is_empty() {
            return;
        }
        let most = usize::try_from(exponent - self.exponent).expect("it is more");
        self.digits.truncate(self.digits.len().saturating_sub(most));
        self.exponent = exponent;
        match self.digits.iter().rposition(|digit| *digit < 9) {
            Some(at) => {
                self.digits[at] += 1;
                self.digits[at + 1..].fill(0);
            }
            None => {
                self.digits.fill(0);
                self.digits.insert(0, 1);
            }
        }
        self.trim();
    }

    /// Removes the fraction.
    fn truncate(&mut self) {
        let most = usize::try_from(-self.exponent).unwrap_or_default();
        if most > 0 {
            self.digits.truncate(self.digits.len().saturating_sub(most));
            self.exponent = 0;
            self.trim();
        }
    }

    /// The amount as an integer in units of a power of ten; `None` if it is not whole or does not fit.
    fn whole(&self, exponent: i32) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = usize::try_from(self.exponent - exponent).ok()?;
        let digits = self.digits.iter().copied().chain(std::iter::repeat_n(0, zeros));
        let size = digits
            .into_iter()
            .try_fold(0_i128, |size, digit| size.checked_mul(10)?.checked_add(digit.into()))?;
        Some(if self.negative { -size } else { size })
    }

    /// The power of ten of the first digit.
    fn magnitude(&self) -> i64 {
        i64::from(self.exponent) + self.digits.len() as i64
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => {
                self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits))
            }
            (one, other) => other.cmp(&one),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let is_negative = |amount: &Self| amount.negative && !amount.digits.is_empty();
        match (is_negative(self), is_negative(other)) {
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
            (one, other) => other.cmp(&one),
        }
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
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (-MOST_EXPONENT..=MOST_EXPONENT).contains(&power).then_some((Format::Exponent, 0, power))
        }
    }
}

/// Kubernetes has no limit, and takes minutes for numbers far beyond.
const MOST_EXPONENT: i32 = 9_999;

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.format == Format::Binary
            && let Some(whole) = self.whole(0)
            && whole.abs() >= 1024
        {
            let (mut value, mut suffix) = (whole, 0);
            while value % 1024 == 0 && suffix < 6 {
                value /= 1024;
                suffix += 1;
            }
            return write!(f, "{value}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]);
        }
        let mut exponent = self.exponent - self.exponent.rem_euclid(3);
        if self.format != Format::Exponent {
            exponent = exponent.min(18);
        }
        if self.negative {
            f.write_str("-")?;
        }
        for digit in &self.digits {
            write!(f, "{digit}")?;
        }
        for _ in exponent..self.exponent {
            f.write_str("0")?;
        }
        match self.format {
            Format::Exponent if exponent == 0 => Ok(()),
            Format::Exponent => write!(f, "e{exponent}"),
            _ => f.write_str(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][(exponent / 3 + 3) as usize]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        assert_eq!(Quantity::from(text).canonical().expect("a quantity"), canonical);
    }

    #[test]
    fn canonical_form_is_kubernetes() {
        check("0", "0");
        check("1000m", "1");
        check("0.5", "500m");
        check("1.5Gi", "1536Mi");
        check("1024Ki", "1Mi");
        check("0.5Ki", "512");
        check("1000Ki", "1000Ki");
        check("1e3", "1e3");
        check("12e4", "120e3");
        check("100", "100");
        check("1000", "1k");
        check("1500000", "1500k");
        check("-1.5", "-1500m");
        check("+2", "2");
        check("0.0000000001", "1n");
        check(".5", "500m");
        check("5.", "5");
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1x", "1 Gi", "Gi", "1e", "1eX"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn comparison_is_by_amount() {
        assert_eq!(Quantity::from("1"), Quantity::from("1000m"));
        assert!(Quantity::from("900Mi") < Quantity::from("1Gi"));
        assert_eq!(Quantity::from("1500m").value(), Ok(2));
        assert_eq!(Quantity::from("-1500m").value(), Ok(-1));
    }
}
