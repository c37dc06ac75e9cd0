//! [`parse`], the ranges of a file that a request wants, as Go's `http.FileServer` has them.
//!
//! The crate `http-range` parses each of them. Where it finds a suffix of no bytes behind the end of the file, Go has an empty
//! range at the end, and the crate takes the unit in any case.

use http_range::{HttpRange, HttpRangeParseError};

/// The unit of ranges.
const UNIT: &[u8] = b"bytes=";

/// Parses the value of `Range`, which is empty for the whole file.
pub(super) fn parse(wanted: &[u8], size: u64) -> Result<Vec<HttpRange>, HttpRangeParseError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let ranges = wanted.strip_prefix(UNIT).ok_or(HttpRangeParseError::InvalidRange)?;
    let (mut parsed, mut is_behind_end) = (Vec::new(), false);
    for range in ranges.split(|byte| *byte == b',') {
        match HttpRange::parse_bytes(&[UNIT, range].concat(), size) {
            Err(HttpRangeParseError::NoOverlap) if range.trim_ascii_start().starts_with(b"-") => {
                parsed.push(HttpRange { start: size, length: 0 });
            }
            Err(HttpRangeParseError::NoOverlap) => is_behind_end = true,
            range => parsed.extend(range?),
        }
    }
    match parsed.is_empty() && is_behind_end {
        true => Err(HttpRangeParseError::NoOverlap),
        false => Ok(parsed),
    }
}
