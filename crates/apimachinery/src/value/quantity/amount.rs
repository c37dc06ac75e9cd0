//! [`Amount`], the number that a quantity is.

use std::cmp::Ordering;
use std::fmt;

/// The zeros at most that are written behind an amount to add another to it. Kubernetes has no limit, and computes for
/// minutes on numbers far apart.
const MOST_ZEROS: usize = 20_000;

/// The unit in which a quantity is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Format {
    /// `500m`, `2k`.
    Decimal,
    /// `5e2`.
    Exponent,
    /// `2Ki`.
    Binary,
}

/// An amount of any size, to the billionth: its decimal digits, without zeros at either end, and the power of ten of
/// the last.
pub(super) struct Amount {
    pub(super) negative: bool,
    pub(super) digits: Vec<u8>,
    pub(super) exponent: i64,
    pub(super) format: Format,
}

impl Amount {
    /// The maximum amount with a binary suffix.
    pub(super) fn max_binary() -> Self {
        let digits = i64::MAX.to_string().bytes().map(|digit| digit - b'0').collect();
        Amount { negative: false, digits, exponent: 0, format: Format::Binary }
    }

    pub(super) fn multiply(&mut self, factor: u64) {
        let mut carry = 0_u128;
        for digit in self.digits.iter_mut().rev() {
            carry += u128::from(*digit) * u128::from(factor);
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        let more = carry.to_string().into_bytes();
        self.digits.splice(0..0, more.into_iter().map(|digit| digit - b'0'));
    }

    pub(super) fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
    }

    /// Rounds to a power of ten, away from zero.
    pub(super) fn round_up(&mut self, exponent: i64) {
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
    pub(super) fn truncate(&mut self) {
        let most = usize::try_from(-self.exponent).unwrap_or_default();
        if most > 0 {
            self.digits.truncate(self.digits.len().saturating_sub(most));
            self.exponent = 0;
            self.trim();
        }
    }

    /// The amount as an integer in units of a power of ten; `None` if it is not whole or does not fit.
    pub(super) fn whole(&self, exponent: i64) -> Option<i128> {
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
        self.exponent + self.digits.len() as i64
    }

    pub(super) fn compare_size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => {
                self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits))
            }
            (one, other) => other.cmp(&one),
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let is_negative = |amount: &Self| amount.negative && !amount.digits.is_empty();
        match (is_negative(self), is_negative(other)) {
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
            (one, other) => other.cmp(&one),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The sum, written in this amount's unit, or in that of the other if this is zero; `None` if it has too many
    /// digits.
    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let format = if self.is_zero() { other.format } else { self.format };
        let ((more, more_sign), (less, less_sign)) = match self.compare_size(other) {
            Ordering::Less => ((other, other.negative), (self, self.negative)),
            _ => ((self, self.negative), (other, other.negative)),
        };
        let aligned = |amount: &Self| {
            let zeros = if amount.is_zero() { 0 } else { amount.exponent - exponent };
            let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros <= MOST_ZEROS)?;
            let mut digits = amount.digits.clone();
            digits.resize(digits.len() + zeros, 0);
            Some(digits)
        };
        let (mut digits, less) = (aligned(more)?, aligned(less)?);
        let is_sum = more_sign == less_sign;
        let mut carry = 0_i8;
        for (index, digit) in digits.iter_mut().rev().enumerate() {
            let other = less.len().checked_sub(index + 1).map_or(0, |at| less[at]) as i8;
            let sum = *digit as i8 + carry + if is_sum { other } else { -other };
            carry = sum.div_euclid(10);
            *digit = sum.rem_euclid(10) as u8;
        }
        if carry > 0 {
            digits.insert(0, carry as u8);
        }
        let mut sum = Amount { negative: more_sign, digits, exponent, format };
        sum.trim();
        Some(sum)
    }

    /// The amount times an integer.
    pub(super) fn times(mut self, factor: i64) -> Self {
        self.multiply(factor.unsigned_abs());
        self.negative ^= factor < 0;
        self.trim();
        self
    }
}

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
