//! [`Quantity`], amounts of resources such as `500m` or `2Gi`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::time::InvalidValue;
use crate::Str;

/// An amount of a resource, such as `500m` of CPU or `2Gi` of memory.
///
/// It holds the text as it came; [`canonical`](Quantity::canonical) is the form the API server stores, and
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
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text the API server would store: no more digits than needed, and the largest suffix that leaves a
    /// whole number.
    ///
    /// # Errors
    ///
    /// If the text is no quantity.
    pub fn canonical(&self) -> Result<Str, InvalidValue> {
        Amount::parse(&self.0).map(|amount| amount.to_string().into())
    }

    /// The amount in billionths, rounded up.
    ///
    /// # Errors
    ///
    /// If the text is no quantity.
    pub fn nanos(&self) -> Result<i128, InvalidValue> {
        Amount::parse(&self.0).map(|amount| amount.nanos)
    }

    /// The amount in whole units, rounded up.
    ///
    /// # Errors
    ///
    /// If the text is no quantity.
    pub fn value(&self) -> Result<i64, InvalidValue> {
        let nanos = self.nanos()?;
        i64::try_from(-(-nanos).div_euclid(NANO)).map_err(|_| InvalidValue::new("a 64-bit quantity", &self.0))
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
        Amount::parse(text).map(|_| Quantity(text.into()))
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
        self.0 == other.0 || matches!((self.nanos(), other.nanos()), (Ok(a), Ok(b)) if a == b)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.nanos().ok()?.cmp(&other.nanos().ok()?))
    }
}

const NANO: i128 = 1_000_000_000;

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Decimal,
    Exponent,
    Binary,
}

struct Amount {
    nanos: i128,
    format: Format,
}

impl Amount {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        Self::read(text).ok_or_else(|| InvalidValue::new("a quantity such as 500m or 2Gi", text))
    }

    fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (format, binary, decimal) = suffix_of(suffix)?;
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        // digits * 2^binary * 10^(decimal - fraction) * 10^9, rounded up.
        let digits = digits.checked_mul(1_i128.checked_shl(binary)?)?;
        let power = decimal - i32::try_from(fraction.len()).ok()? + 9;
        let nanos = if power >= 0 {
            digits.checked_mul(10_i128.checked_pow(power.unsigned_abs())?)?
        } else {
            match 10_i128.checked_pow(power.unsigned_abs()) {
                Some(divisor) => (digits + divisor - 1) / divisor,
                None => i128::from(digits > 0),
            }
        };
        Some(Amount { nanos: if negative { -nanos } else { nanos }, format })
    }
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
            (-30..=30).contains(&power).then_some((Format::Exponent, 0, power))
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let whole = self.nanos / NANO;
        if self.format == Format::Binary && self.nanos % NANO == 0 && whole.abs() >= 1024 {
            let (mut value, mut suffix) = (whole, 0);
            while value % 1024 == 0 && suffix < 6 {
                value /= 1024;
                suffix += 1;
            }
            return write!(f, "{value}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]);
        }
        let (mut value, mut exponent) = (self.nanos, -9);
        while value % 1000 == 0 && exponent < 18 {
            value /= 1000;
            exponent += 3;
        }
        match self.format {
            Format::Exponent if exponent == 0 => write!(f, "{value}"),
            Format::Exponent => write!(f, "{value}e{exponent}"),
            _ => {
                let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][(exponent / 3 + 3) as usize];
                write!(f, "{value}{suffix}")
            }
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
        for text in [
            "",
            ".",
            "-",
            "1.2.3",
            "1x",
            "1 Gi",
            "Gi",
            "1e",
            "1eX",
            "99999999999999999999999999999999999999999",
        ] {
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
