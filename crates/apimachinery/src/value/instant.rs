//! [`Instant`], a point in time with a niche.

use std::cmp::Ordering;
use std::num::NonZeroI64;

/// A count since 1970 in 8 bytes that never has one value, so that an `Option` of it has 8 bytes too: the least number,
/// which is billions of years ago, is read as the next one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Instant(NonZeroI64);

impl Instant {
    pub(super) const fn new(count: i64) -> Self {
        match NonZeroI64::new(count ^ i64::MIN) {
            Some(flipped) => Instant(flipped),
            None => Instant(NonZeroI64::new(1).expect("1 is not 0")),
        }
    }

    pub(super) const fn get(self) -> i64 {
        self.0.get() ^ i64::MIN
    }
}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.get().cmp(&other.get())
    }
}

#[test]
fn every_count_is_kept_but_the_least() {
    for count in [i64::MIN + 1, -1, 0, 1, i64::MAX] {
        assert_eq!(Instant::new(count).get(), count);
    }
    assert_eq!(Instant::new(i64::MIN).get(), i64::MIN + 1);
    assert!(Instant::new(-1) < Instant::new(1));
    assert_eq!(size_of::<Option<Instant>>(), 8);
}
