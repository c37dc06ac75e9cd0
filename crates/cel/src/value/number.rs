//! Conversions of numbers.

use crate::failure::{Failure, Result};

/// A double without its fraction, unless it exceeds the range.
pub(crate) fn double_to_int(value: f64) -> Result<i64> {
    // The bounds themselves are excluded, because their neighbours are not exact.
    if value.is_finite() && value > i64::MIN as f64 && value < i64::MAX as f64 {
        Ok(value as i64)
    } else {
        Err(Failure::error("integer overflow"))
    }
}

/// A double without its fraction, unless it exceeds the range.
pub(crate) fn double_to_uint(value: f64) -> Result<u64> {
    if value.is_finite() && value >= 0.0 && value < u64::MAX as f64 {
        Ok(value as u64)
    } else {
        Err(Failure::error("unsigned integer overflow"))
    }
}
