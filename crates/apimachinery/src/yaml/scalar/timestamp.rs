//! Timestamps, as Go's YAML library recognizes them.

/// Returns true for a date, or a date and a time with fields of one or two digits: with a zone behind a `T` or `t`,
/// without one behind a space. The date and the time must exist.
pub(super) fn is_timestamp(text: &str) -> bool {
    let mut rest = text;
    let Some(year) = number(&mut rest, 4..=4) else { return false };
    let Some([month, day]) = fields(&mut rest, ['-', '-']) else { return false };
    (1..=12).contains(&month) && (1..=days(year, month)).contains(&day) && is_time(rest)
}

/// A time, which may be missing.
fn is_time(mut rest: &str) -> bool {
    let Some(separator) = rest.chars().next() else { return true };
    if !matches!(separator, 'T' | 't' | ' ') {
        return false;
    }
    rest = if separator == ' ' { rest.trim_start_matches(' ') } else { &rest[1..] };
    let Some(hour) = number(&mut rest, 1..=2) else { return false };
    let Some([minute, second]) = fields(&mut rest, [':', ':']) else { return false };
    if let Some(fraction) = rest.strip_prefix(['.', ',']).filter(|rest| starts_with_digit(rest)) {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    hour < 24 && minute < 60 && second < 60 && if separator == ' ' { rest.is_empty() } else { is_zone(rest) }
}

fn is_zone(mut rest: &str) -> bool {
    if rest == "Z" {
        return true;
    }
    let Some(behind) = rest.strip_prefix(['+', '-']) else { return false };
    rest = behind;
    let hour = number(&mut rest, 2..=2);
    rest = match rest.strip_prefix(':') {
        Some(rest) => rest,
        None => return false,
    };
    let minute = number(&mut rest, 2..=2);
    rest.is_empty() && hour.is_some_and(|hour| hour <= 24) && minute.is_some_and(|minute| minute <= 60)
}

/// Two fields of one or two digits, each behind its separator.
fn fields(rest: &mut &str, separators: [char; 2]) -> Option<[u32; 2]> {
    let mut values = [0; 2];
    for (value, separator) in values.iter_mut().zip(separators) {
        *rest = rest.strip_prefix(separator)?;
        *value = number(rest, 1..=2)?;
    }
    Some(values)
}

/// The number at the beginning, with as many digits as there are, up to the maximum.
fn number(rest: &mut &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let len = rest.bytes().take(*digits.end()).take_while(u8::is_ascii_digit).count();
    let (number, behind) = rest.split_at_checked(len).filter(|_| digits.contains(&len))?;
    *rest = behind;
    number.parse().ok()
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn days(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
