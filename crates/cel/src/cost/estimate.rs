//! [`Estimate`], a range of costs or sizes.

/// A range of costs or sizes; operations stay within 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

impl Estimate {
    pub(crate) const UNKNOWN: Estimate = Estimate { min: 0, max: u64::MAX };

    pub(crate) fn fixed(value: u64) -> Estimate {
        Estimate { min: value, max: value }
    }

    pub(crate) fn add(self, other: Estimate) -> Estimate {
        Estimate { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub(crate) fn multiply(self, other: Estimate) -> Estimate {
        Estimate { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// The range times a factor, rounded up.
    pub(crate) fn scale(self, factor: f64) -> Estimate {
        // A conversion from a float saturates.
        let scale = |value: u64| (value as f64 * factor).ceil() as u64;
        Estimate { min: scale(self.min), max: scale(self.max) }
    }

    /// The range that has both.
    pub(crate) fn union(self, other: Estimate) -> Estimate {
        Estimate { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}
