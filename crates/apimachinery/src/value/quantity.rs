//! [`Quantity`], amounts of resources such as `500m` or `2Gi`.

mod amount;
mod parts;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use self::amount::{Amount, Format};
use self::parts::Parts;
use super::time::InvalidValue;
use crate::Str;

/// An amount of a resource, such as `500m` of CPU or `2Gi` of memory.
///
/// It keeps the string as received; [`canonical`](Quantity::canonical) is the form that the API server stores, and
/// comparison is by amount. The default, an empty string, is zero in arithmetic and comparison, as `resource.Quantity{}`
/// in Go; [`canonical`](Quantity::canonical) and [`FromStr`] take it for no quantity.
///
/// ```
/// use klient_apimachinery::Quantity;
/// assert_eq!(Quantity::from("0.5").canonical()?, "500m");
/// assert_eq!(Quantity::from("1024Mi"), Quantity::from("1Gi"));
///
/// let requests = ["1Gi", "512Mi"];
/// let sum = requests.iter().try_fold(Quantity::default(), |sum, request| sum.try_add(&(*request).into()))?;
/// assert_eq!(sum.as_str(), "1536Mi");
/// # Ok::<(), klient_apimachinery::InvalidValue>(())
/// ```
#[derive(Clone, Default)]
pub struct Quantity(Str);

impl Quantity {
    /// The pattern by which a CustomResourceDefinition says that an integer or string is a quantity.
    pub const PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

    /// So many whole units, in canonical form with a decimal suffix (Go's `NewQuantity` in `DecimalSI`).
    pub fn decimal(value: i64) -> Self {
        Self::whole(value, 0, Format::Decimal)
    }

    /// So many thousandths, as of a CPU (Go's `NewMilliQuantity` in `DecimalSI`).
    pub fn milli(value: i64) -> Self {
        Self::whole(value, -3, Format::Decimal)
    }

    /// So many bytes, in canonical form with a binary suffix (Go's `NewQuantity` in `BinarySI`).
    pub fn binary(value: i64) -> Self {
        Self::whole(value, 0, Format::Binary)
    }

    fn whole(value: i64, exponent: i64, format: Format) -> Self {
        let one = Amount { negative: false, digits: vec![1], exponent, format };
        Self::of(&one.times(value))
    }

    fn of(amount: &Amount) -> Self {
        Quantity(amount.to_string().into())
    }

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
        let exponent = i64::from(exponent);
        let mut amount = self.amount()?;
        if amount.exponent >= exponent || amount.digits.is_empty() {
            return Ok(self.clone());
        }
        amount.round_up(exponent);
        Ok(Quantity::of(&amount))
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

    /// The amount in thousandths, rounded away from zero (Go's `MilliValue`).
    ///
    /// # Errors
    ///
    /// If the string is not a quantity, or the amount does not fit into 64 bits.
    pub fn milli_value(&self) -> Result<i64, InvalidValue> {
        let mut amount = self.amount()?;
        amount.round_up(-3);
        let value = amount.whole(-3).and_then(|value| i64::try_from(value).ok());
        value.ok_or_else(|| InvalidValue::new("a quantity of 64 bits in thousandths", &self.0))
    }

    /// The sum, in canonical form with this quantity's kind of suffix; with the other's if this is zero.
    ///
    /// ```
    /// use klient_apimachinery::Quantity;
    /// let used = Quantity::from("1Gi").try_add(&"512Mi".into())?;
    /// assert_eq!(used.as_str(), "1536Mi");
    /// assert_eq!(used.try_sub(&Quantity::binary(1 << 30))?, Quantity::from("0.5Gi"));
    /// assert_eq!(Quantity::from("250m").try_mul(3)?.as_str(), "750m");
    /// # Ok::<(), klient_apimachinery::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the string of one of them is not a quantity, or they are more than 20,000 powers of ten apart, as `1e999999999`
    /// and `1`.
    pub fn try_add(&self, other: &Quantity) -> Result<Quantity, InvalidValue> {
        self.sum(&other.amount()?)
    }

    /// The difference, as [`try_add`](Self::try_add); it may be negative.
    ///
    /// # Errors
    ///
    /// If the string of one of them is not a quantity, or they are more than 20,000 powers of ten apart, as `1e999999999`
    /// and `1`.
    pub fn try_sub(&self, other: &Quantity) -> Result<Quantity, InvalidValue> {
        self.sum(&other.amount()?.times(-1))
    }

    /// The quantity times an integer, in canonical form with the same kind of suffix.
    ///
    /// # Errors
    ///
    /// If the string is not a quantity.
    pub fn try_mul(&self, factor: i64) -> Result<Quantity, InvalidValue> {
        Ok(Quantity::of(&self.amount()?.times(factor)))
    }

    /// Returns true if the amount is zero, however it is written.
    ///
    /// # Errors
    ///
    /// If the string is not a quantity.
    pub fn is_zero(&self) -> Result<bool, InvalidValue> {
        Ok(self.amount()?.is_zero())
    }

    fn sum(&self, other: &Amount) -> Result<Quantity, InvalidValue> {
        let sum = self.amount()?.add(other);
        sum.map(|sum| Quantity::of(&sum))
            .ok_or_else(|| InvalidValue::new("a quantity of a size near that of the other", &self.0))
    }

    fn amount(&self) -> Result<Amount, InvalidValue> {
        if self.0.is_empty() {
            return Ok(Amount { negative: false, digits: Vec::new(), exponent: 0, format: Format::Decimal });
        }
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
        // The exponent has 32 bits, and is written as received where few digits make the number.
        check("1e999999999", "1e999999999");
        check("-1E999999999", "-1E999999999");
        check("1e1000000000", "10e999999999");
        check("1.5e999999999", "1500e999999996");
        check("123456789012345678901e999999999", "123456789012345678901e999999999");
        check("1e4294967296", "1e4294967296");
        check("1e4294967297", "10");
        check("0e999999998", "0");
        check("1e-999999999", "1e-9");
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1x", "1 Gi", "Gi", "1e", "1eX", "1e9223372036854775808"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn comparison_is_by_amount() {
        assert_eq!(Quantity::from("1"), Quantity::from("1000m"));
        assert!(Quantity::from("900Mi") < Quantity::from("1Gi"));
        assert!(Quantity::from("1e999999999") > Quantity::from("9e999999998"));
        assert!(Quantity::from("-1e999999999") < Quantity::from("1e-999999999"));
        assert!(Quantity::from("1e999999999").value().is_err());
        assert_eq!(Quantity::from("1500m").value(), Ok(2));
        assert_eq!(Quantity::from("-1500m").value(), Ok(-1));
        assert_eq!(Quantity::default(), Quantity::from("0"));
        assert!(Quantity::default() < Quantity::from("1n") && Quantity::default() > Quantity::from("-1n"));
        assert_eq!(Quantity::default().value(), Ok(0));
        assert_eq!(Quantity::default().as_str(), "");
    }

    #[test]
    fn arithmetic_keeps_the_kind_of_suffix() {
        for (expression, result) in [
            ("1Gi + 512Mi", "1536Mi"),
            ("1 + 1Ki", "1025"),
            ("0 + 1Ki", "1Ki"),
            ("0 - 1Ki", "-1Ki"),
            ("1Ki + 0.5", "1024500m"),
            ("1Ki - 1", "1023"),
            ("999m + 1m", "1"),
            ("1e3 + 500", "1500"),
            ("1e3 + 2k", "3e3"),
            ("500m - 1", "-500m"),
            ("-1 - 2", "-3"),
            ("-1 + 1", "0"),
            ("9223372036854775807 + 1", "9223372036854775808"),
            ("1E - 1n", "999999999999999999999999999n"),
            ("100m * 15", "1500m"),
            ("1Gi * -2", "-2Gi"),
            (" + 1Ki", "1Ki"),
            ("1Ki - ", "1Ki"),
            (" - 1m", "-1m"),
            (" * 3", "0"),
            ("3 * 0", "0"),
            ("9E * 1000", "9000E"),
        ] {
            let mut words = expression.split(' ');
            let mut word = || words.next().expect("three words");
            let (left, operator, right) = (Quantity::from(word()), word(), word());
            let found = match operator {
                "+" => left.try_add(&right.into()),
                "-" => left.try_sub(&right.into()),
                _ => left.try_mul(right.parse().expect("an integer")),
            };
            assert_eq!(found.expect("quantities").as_str(), result, "{expression}");
        }
        assert!(Quantity::from("1").try_add(&"x".into()).is_err());
        let far = Quantity::from("1").try_add(&"1e999999999".into()).expect_err("it has too many digits");
        assert!(far.to_string().contains("near"), "{far}");
        assert_eq!(Quantity::from("1e999999999").try_add(&"1e999999999".into()), Ok("2e999999999".into()));
    }

    #[test]
    fn numbers_become_quantities() {
        assert_eq!(Quantity::decimal(1500).as_str(), "1500");
        assert_eq!(Quantity::milli(-1500).as_str(), "-1500m");
        assert_eq!(Quantity::binary(3 << 20).as_str(), "3Mi");
        assert_eq!(Quantity::binary(i64::MIN).as_str(), "-8Ei");
        assert_eq!(Quantity::from("1500u").milli_value(), Ok(2));
        assert_eq!(Quantity::from("-1500u").milli_value(), Ok(-2));
        assert_eq!(Quantity::from("0.00").is_zero(), Ok(true));
    }
}
