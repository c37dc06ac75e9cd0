//! Validation of numbers.

use klient_apimachinery::go::float;

use super::data::Data;
use super::structural::{Rules, Type};
use super::validation_result::{ValidationError, ValidationResult};

/// Validates a number.
///
/// Go compares in the number's own type: for an integer, a limit of 1.5 is a limit of 1.
pub(super) fn check(number: Data<'_>, rules: &Rules, types: &[Type], path: &str) -> ValidationResult {
    let range = Range::of(rules, types, path);
    let mut outcome = ValidationResult { matches: 1, ..ValidationResult::default() };
    let value = match number {
        Data::Integer(number) => number as f64,
        Data::Number(number) => number,
        _ => return outcome,
    };
    let fits = match number {
        Data::Integer(number) => range.holds_integer(number),
        _ => range.holds(value),
    };
    outcome.errors.extend(range.error(fits, "Checked"));
    let check = Check { number, value, range: &range, path };
    if let Some(factor) = rules.multiple_of {
        outcome.errors.extend(check.multiple_of(factor));
    }
    if let Some(minimum) = rules.minimum {
        outcome.errors.extend(check.limit(minimum, rules.exclusive_minimum, &MINIMUM));
    }
    if let Some(maximum) = rules.maximum {
        outcome.errors.extend(check.limit(maximum, rules.exclusive_maximum, &MAXIMUM));
    }
    outcome
}

/// The range of a type and format.
struct Range<'a> {
    ty: Option<Type>,
    format: &'a str,
    path: &'a str,
}

impl<'a> Range<'a> {
    fn of(rules: &'a Rules, types: &[Type], path: &'a str) -> Self {
        let (ty, formats) = match types {
            [Type::Integer] => (Type::Integer, ["int32", "int64"]),
            [Type::Number] => (Type::Number, ["float", "double"]),
            _ => return Range { ty: None, format: "", path },
        };
        let format = if formats.contains(&&*rules.format) { &*rules.format } else { "" };
        Range { ty: Some(ty), format, path }
    }

    fn holds_integer(&self, number: i64) -> bool {
        self.format != "int32" || i32::try_from(number).is_ok()
    }

    fn holds(&self, number: f64) -> bool {
        match self.ty {
            Some(Type::Integer) => {
                number.to_string().parse::<i64>().is_ok_and(|number| self.holds_integer(number))
            }
            _ => self.format != "float" || (number as f32).is_finite(),
        }
    }

    fn error(&self, fits: bool, what: &str) -> Option<ValidationError> {
        let ty = self.ty.map_or("", Type::name);
        let format = match self.format {
            "" => "(default format)".to_owned(),
            format => format!("with format {format}"),
        };
        (!fits).then(|| {
            ValidationError::general(format!("{what} value must be of type {ty} {format} in {}", self.path))
        })
    }
}

/// The minimum or maximum of a number.
struct Limit {
    name: &'static str,
    inclusive: &'static str,
    exclusive: &'static str,
    /// Returns true if a value is beyond the limit.
    beyond: fn(f64, f64) -> bool,
    beyond_integer: fn(i64, i64) -> bool,
}

const MINIMUM: Limit = Limit {
    name: "Minimum boundary",
    inclusive: "greater than or equal to",
    exclusive: "greater than",
    beyond: |value, limit| value < limit,
    beyond_integer: |value, limit| value < limit,
};

const MAXIMUM: Limit = Limit {
    name: "Maximum boundary",
    inclusive: "less than or equal to",
    exclusive: "less than",
    beyond: |value, limit| value > limit,
    beyond_integer: |value, limit| value > limit,
};

struct Check<'a> {
    number: Data<'a>,
    value: f64,
    range: &'a Range<'a>,
    path: &'a str,
}

impl Check<'_> {
    fn limit(&self, limit: f64, exclusive: bool, kind: &Limit) -> Vec<ValidationError> {
        let unfit = self.range.error(self.range.holds(limit), kind.name);
        let (refused, limit, value) = match self.number {
            Data::Integer(number) if unfit.is_none() => {
                let limit = limit as i64;
                let refused = (kind.beyond_integer)(number, limit) || (exclusive && number == limit);
                (refused, limit.to_string(), number.to_string())
            }
            _ => {
                let refused = (kind.beyond)(self.value, limit) || (exclusive && self.value == limit);
                (refused, float(limit), float(self.value))
            }
        };
        let words = if exclusive { kind.exclusive } else { kind.inclusive };
        let message = || format!("{} in body should be {words} {limit}", self.path);
        let refused = refused.then(|| ValidationError::shown(self.path, value, message()));
        unfit.into_iter().chain(refused).collect()
    }

    fn multiple_of(&self, factor: f64) -> Vec<ValidationError> {
        let unfit = self.range.error(self.range.holds(factor), "MultipleOf");
        let refused = match self.number {
            Data::Integer(number) if unfit.is_none() => {
                let factor = factor as i64;
                let divides = number.checked_rem(factor) == Some(0);
                self.multiple(factor > 0, divides, &factor.to_string(), number.to_string())
            }
            _ => {
                let multiple = if factor < 1.0 { 1.0 / factor * self.value } else { self.value / factor };
                self.multiple(factor > 0.0, is_integer(multiple), &float(factor), float(self.value))
            }
        };
        unfit.into_iter().chain(refused).collect()
    }

    fn multiple(
        &self,
        positive: bool,
        divides: bool,
        factor: &str,
        value: String,
    ) -> Option<ValidationError> {
        let path = self.path;
        if !positive {
            let message = format!("factor MultipleOf declared for {path} must be positive: {factor}");
            return Some(ValidationError::shown(path, factor, message));
        }
        (!divides).then(|| {
            ValidationError::shown(path, value, format!("{path} in body should be a multiple of {factor}"))
        })
    }
}

/// Returns true if a number is whole, except for rounding errors, and at most 2⁵³-1.
pub(super) fn is_integer(number: f64) -> bool {
    const MAX: f64 = ((1u64 << 53) - 1) as f64;
    if number.is_nan() || number.abs() > MAX {
        return false;
    }
    let rounded = number.round();
    number == rounded || (number - rounded).abs() < 1e-9 * rounded.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_have_lost_a_little() {
        for (number, whole) in [
            (1.0, true),
            (-3.0, true),
            (0.3 / 0.1, true),
            (1.5, false),
            (1e-20, false),
            (1e300, false),
            (f64::NAN, false),
        ] {
            assert_eq!(is_integer(number), whole, "{number}");
        }
    }
}
