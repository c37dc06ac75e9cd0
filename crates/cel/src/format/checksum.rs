//! Formats of numbers with a check digit: ISBNs, credit cards; and US social security numbers.

/// An ISBN of ten digits.
pub(crate) fn is_isbn10(text: &str) -> bool {
    let digits = without_separators(text);
    let Some((body, last)) = digits.split_at_checked(9) else { return false };
    let last = match last {
        "X" => 10,
        _ if is_digits(last, 1) => digit_sum(last, |_| 1),
        _ => return false,
    };
    is_digits(body, 9) && (digit_sum(body, |index| index + 1) + 10 * last).is_multiple_of(11)
}

/// An ISBN of thirteen digits.
pub(crate) fn is_isbn13(text: &str) -> bool {
    let digits = without_separators(text);
    is_digits(&digits, 13)
        && digit_sum(&digits, |index| if index.is_multiple_of(2) { 1 } else { 3 }).is_multiple_of(10)
}

/// The number of a credit card, with any characters between its digits.
pub(crate) fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    has_issuer(&digits) && is_luhn(&digits)
}

fn has_issuer(digits: &str) -> bool {
    let starts = |beginnings: &[&str]| beginnings.iter().any(|beginning| digits.starts_with(beginning));
    match digits.len() {
        13 => starts(&["4"]),
        14 => starts(&["300", "301", "302", "303", "304", "305", "36", "38"]),
        15 => starts(&["34", "37", "2131", "1800"]),
        16 => starts(&["4", "51", "52", "53", "54", "55", "35", "6011", "65"]),
        _ => false,
    }
}

fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') * if index.is_multiple_of(2) { 1 } else { 2 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A social security number of the USA, with its two separators.
pub(crate) fn is_ssn(text: &str) -> bool {
    let separated = |at: usize| matches!(text.as_bytes().get(at), Some(b' ' | b'-'));
    text.len() == 11
        && separated(3)
        && separated(6)
        && text.bytes().enumerate().all(|(index, c)| matches!(index, 3 | 6) || c.is_ascii_digit())
}

fn without_separators(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | ' ' | '\t' | '\n' | '\r' | '\u{c}')).collect()
}

fn is_digits(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|c| c.is_ascii_digit())
}

/// The sum of a string's digits, weighted by position.
fn digit_sum(digits: &str, weight: impl Fn(u32) -> u32) -> u32 {
    (0..).zip(digits.bytes()).map(|(index, digit)| u32::from(digit - b'0') * weight(index)).sum()
}
