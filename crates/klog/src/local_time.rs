//! The time of day where the program runs, as Go's lines have it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The present date and time.
pub(crate) fn now() -> DateTime {
    at(Timestamp::now())
}

/// The date and time at a moment.
pub(crate) fn at(moment: Timestamp) -> DateTime {
    TimeZone::system().to_datetime(moment)
}
