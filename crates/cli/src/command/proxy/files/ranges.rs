//! Ranges of a file's bytes that a request asks for (Go's `parseRange`).

use http::StatusCode;

/// A part of a file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: i64,
    pub(super) length: i64,
}

impl Range {
    /// The value of `Content-Range`.
    pub(super) fn header(self, size: i64) -> String {
        format!("bytes {}-{}/{size}", self.start, self.start + self.length - 1)
    }
}

/// A request whose ranges cannot be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsatisfiable {
    /// The header is not understood.
    Invalid,
    /// All ranges are behind the end of the file.
    NoOverlap,
}

impl Unsatisfiable {
    pub(super) const STATUS: StatusCode = StatusCode::RANGE_NOT_SATISFIABLE;

    pub(super) fn message(&self) -> &'static str {
        match self {
            Unsatisfiable::Invalid => "invalid range",
            Unsatisfiable::NoOverlap => "invalid range: failed to overlap",
        }
    }
}

/// The ranges of a header for a file of a size; none for the whole file.
pub(super) fn parse(header: &str, size: i64) -> Result<Vec<Range>, Unsatisfiable> {
    let invalid = Unsatisfiable::Invalid;
    let Some(list) = header.strip_prefix("bytes=") else {
        return if header.is_empty() { Ok(Vec::new()) } else { Err(invalid) };
    };
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
    let (mut ranges, mut is_behind) = (Vec::new(), false);
    for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((start, end)) = part.split_once('-') else { return Err(invalid) };
        let (start, end) = (start.trim(), end.trim());
        if start.is_empty() {
            // The last bytes.
            let Some(count) = number(end).filter(|_| !end.starts_with('-')) else { return Err(invalid) };
            let length = count.min(size);
            ranges.push(Range { start: size - length, length });
            continue;
        }
        let Some(start) = number(start) else { return Err(invalid) };
        if start >= size {
            is_behind = true;
            continue;
        }
        let last = match end {
            "" => size - 1,
            end => match number(end).filter(|end| *end >= start) {
                Some(end) => end.min(size - 1),
                None => return Err(invalid),
            },
        };
        ranges.push(Range { start, length: last - start + 1 });
    }
    if ranges.is_empty() && is_behind && size > 0 {
        return Err(Unsatisfiable::NoOverlap);
    }
    // More bytes than the file has are probably an attack, or a client that does not count.
    let total = ranges.iter().try_fold(0_i64, |total, range| total.checked_add(range.length));
    if total.is_none_or(|total| total > size) {
        ranges.clear();
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_within_the_file() {
        let range = |start, length| Range { start, length };
        for (header, size, expected) in [
            ("", 12, Ok(vec![])),
            ("bytes=0-3", 12, Ok(vec![range(0, 4)])),
            ("bytes=-3", 12, Ok(vec![range(9, 3)])),
            ("bytes=-30", 12, Ok(vec![range(0, 12)])),
            ("bytes=0-1, ,4-", 12, Ok(vec![range(0, 2), range(4, 8)])),
            ("bytes=50-,0-0", 12, Ok(vec![range(0, 1)])),
            ("bytes=0-,0-", 12, Ok(vec![])),
            ("bytes=0-", 0, Ok(vec![])),
            ("bytes=50-", 12, Err(Unsatisfiable::NoOverlap)),
            ("bytes=5-2", 12, Err(Unsatisfiable::Invalid)),
            ("bytes=--2", 12, Err(Unsatisfiable::Invalid)),
            ("bytes=1", 12, Err(Unsatisfiable::Invalid)),
            ("bytes=99999999999999999999-", 12, Err(Unsatisfiable::Invalid)),
            ("lines=1-2", 12, Err(Unsatisfiable::Invalid)),
        ] {
            assert_eq!(parse(header, size), expected, "{header}");
        }
    }
}
