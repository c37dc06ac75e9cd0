//! [`Format`], the format of a string.

mod checksum;
mod network;

pub use network::is_uri;

use std::str::FromStr as _;

use klient_apimachinery::Duration;

/// A format of strings that schemas can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `bsonobjectid`
    BsonObjectId,
    /// `byte`
    Byte,
    /// `cidr`
    Cidr,
    /// `creditcard`
    CreditCard,
    /// `date`
    Date,
    /// `date-time`
    DateTime,
    /// `duration`
    Duration,
    /// `email`
    Email,
    /// `hexcolor`
    HexColor,
    /// `hostname`
    Hostname,
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
    /// `isbn`
    Isbn,
    /// `isbn10`
    Isbn10,
    /// `isbn13`
    Isbn13,
    /// `k8s-long-name`
    LongName,
    /// `mac`
    Mac,
    /// `password`
    Password,
    /// `rgbcolor`
    RgbColor,
    /// `k8s-short-name`
    ShortName,
    /// `ssn`
    Ssn,
    /// `uri`
    Uri,
    /// `uuid`
    Uuid,
    /// `uuid3`
    Uuid3,
    /// `uuid4`
    Uuid4,
    /// `uuid5`
    Uuid5,
}

impl Format {
    /// The format with a name; dashes are ignored.
    pub fn named(name: &str) -> Option<Format> {
        Some(match name.replace('-', "").as_str() {
            "bsonobjectid" => Format::BsonObjectId,
            "byte" => Format::Byte,
            "cidr" => Format::Cidr,
            "creditcard" => Format::CreditCard,
            "date" => Format::Date,
            "datetime" => Format::DateTime,
            "duration" => Format::Duration,
            "email" => Format::Email,
            "hexcolor" => Format::HexColor,
            "hostname" => Format::Hostname,
            "ipv4" => Format::Ipv4,
            "ipv6" => Format::Ipv6,
            "isbn" => Format::Isbn,
            "isbn10" => Format::Isbn10,
            "isbn13" => Format::Isbn13,
            "k8slongname" => Format::LongName,
            "k8sshortname" => Format::ShortName,
            "mac" => Format::Mac,
            "password" => Format::Password,
            "rgbcolor" => Format::RgbColor,
            "ssn" => Format::Ssn,
            "uri" => Format::Uri,
            "uuid" => Format::Uuid,
            "uuid3" => Format::Uuid3,
            "uuid4" => Format::Uuid4,
            "uuid5" => Format::Uuid5,
            _ => return None,
        })
    }

    /// Returns true if a string has the format.
    pub fn matches(self, text: &str) -> bool {
        match self {
            Format::BsonObjectId => text.len() == 24 && is_hexadecimal(text),
            Format::Byte => is_base64(text),
            Format::Cidr => network::is_cidr(text),
            Format::CreditCard => checksum::is_credit_card(text),
            Format::Date => is_date(text),
            Format::DateTime => is_date_time(text),
            Format::Duration => is_duration(text),
            Format::Email => network::is_email(text),
            Format::HexColor => is_hex_color(text),
            Format::Hostname => network::is_hostname(text),
            Format::Ipv4 => network::is_ipv4(text),
            Format::Ipv6 => network::is_ipv6(text),
            Format::Isbn => checksum::is_isbn10(text) || checksum::is_isbn13(text),
            Format::Isbn10 => checksum::is_isbn10(text),
            Format::Isbn13 => checksum::is_isbn13(text),
            Format::LongName => text.len() <= 253 && text.split('.').all(is_name),
            Format::Mac => network::is_mac(text),
            Format::Password => true,
            Format::RgbColor => is_rgb_color(text),
            Format::ShortName => text.len() <= 63 && is_name(text),
            Format::Ssn => checksum::is_ssn(text),
            Format::Uri => network::is_uri(text),
            Format::Uuid => is_uuid(text, None),
            Format::Uuid3 => is_uuid(text, Some('3')),
            Format::Uuid4 => is_uuid(text, Some('4')),
            Format::Uuid5 => is_uuid(text, Some('5')),
        }
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_body = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(is_body)
}

fn is_name(text: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if alphanumeric(first) && alphanumeric(last))
        && bytes.iter().all(|&c| alphanumeric(c) || c == b'-')
}

fn is_date(text: &str) -> bool {
    let digits = |text: &str| -> Option<u32> {
        text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    };
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (digits(year), digits(month), digits(day)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Go checks little more than the position of digits: any hours of an offset are valid.
fn is_date_time(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_time(time)
}

fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let clock: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = clock[..] else { return false };
    let below =
        |text: &str, limit: u32| is_digits(text, 2) && text.parse().is_ok_and(|value: u32| value < limit);
    if !(below(hours, 24) && below(minutes, 60) && below(seconds, 60)) {
        return false;
    }
    if is_offset(rest) {
        return true;
    }
    // A fraction may begin with any character.
    let mut fraction = rest.chars();
    if fraction.next().is_none_or(|c| c == '\n') {
        return false;
    }
    let fraction = fraction.as_str();
    let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    offset.len() < fraction.len() && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    let offset = || -> Option<bool> {
        let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
        Some(is_digits(hours, 2) && is_digits(minutes, 2))
    };
    text == "z" || offset().unwrap_or_default()
}

fn is_digits(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|c| c.is_ascii_digit())
}

fn is_duration(text: &str) -> bool {
    duration(text).is_some()
}

/// The nanoseconds of a duration of Go, or the sum of the numbers with units that a string contains.
pub(crate) fn duration(text: &str) -> Option<i64> {
    if let Ok(duration) = Duration::from_str(text) {
        return Some(duration.nanos());
    }
    let mut rest = text;
    let mut sum: Option<i64> = None;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[start..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let unit = after.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let end = unit.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(unit.len());
        rest = &unit[end..];
        if end == 0 {
            continue;
        }
        let number: i64 = number.parse().ok()?;
        for nanos in unit_nanos(&unit[..end].to_lowercase()) {
            sum = Some(sum.unwrap_or_default().wrapping_add(number.wrapping_mul(nanos)));
        }
    }
    sum
}

/// The nanoseconds of every unit that a word stands for.
fn unit_nanos(word: &str) -> impl Iterator<Item = i64> {
    const UNITS: [(&[&str], i64); 8] = [
        (&["ns", "nano"], 1),
        (&["us", "µs", "micro"], 1_000),
        (&["ms", "milli"], 1_000_000),
        (&["s", "sec"], 1_000_000_000),
        (&["m", "min"], 60_000_000_000),
        (&["h", "hr", "hour"], 3_600_000_000_000),
        (&["d", "day"], 86_400_000_000_000),
        (&["w", "wk", "week"], 604_800_000_000_000),
    ];
    let word = word.to_owned();
    UNITS.into_iter().flat_map(move |(names, nanos)| {
        // The last name of a unit is the beginning of longer ones.
        let is = |(index, name): (usize, &str)| {
            word == *name || (index + 1 == names.len() && word.starts_with(name))
        };
        let count = names.iter().copied().enumerate().filter(|name| is(*name)).count();
        std::iter::repeat_n(nanos, count)
    })
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && is_hexadecimal(digits)
}

fn is_rgb_color(text: &str) -> bool {
    let Some(body) = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) else { return false };
    let parts: Vec<&str> = body.split(',').collect();
    let is_part = |part: &&str| {
        let part = part.trim_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let canonical = part == "0" || !part.starts_with('0');
        canonical && part.bytes().all(|c| c.is_ascii_digit()) && part.parse::<u8>().is_ok()
    };
    parts.len() == 3 && parts.iter().all(is_part)
}

/// A UUID; its dashes are optional.
fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut rest = text;
    let mut groups = Vec::new();
    for (index, len) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, after)) = rest.split_at_checked(len) else { return false };
        if !is_hexadecimal(group) {
            return false;
        }
        groups.push(group);
        rest = after;
    }
    let has_version = version.is_none_or(|version| groups[2].starts_with(version));
    let has_variant = !matches!(version, Some('4' | '5'))
        || groups[3].starts_with(|c: char| matches!(c.to_ascii_lowercase(), '8' | '9' | 'a' | 'b'));
    rest.is_empty() && has_version && has_variant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_formats_go_sees() {
        let uuid = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("bsonobjectid", &["507f1f77bcf86cd799439011"], &["507f", "507f1f77bcf86cd79943901g"]),
            ("byte", &["YQ==", "YWI=", "YWJj"], &["", "YQ", "YQ=", "Y===", "a-b_"]),
            (
                "cidr",
                &["10.0.0.0/8", "10.0.0.0/08", "::/0", "010.0.0.0/8"],
                &["10.0.0.0", "10.0.0.0/33", "a/8"],
            ),
            ("creditcard", &["4111-1111-1111-1111", "378282246310005"], &["4111111111111112", "1"]),
            (
                "date",
                &["2024-02-29", "0000-01-01"],
                &["2023-02-29", "2024-2-09", "2024-02-09T", "+024-02-09"],
            ),
            (
                "date-time",
                &["2024-02-29T23:59:59Z", "2024-01-01t00:00:00.1+99:99", "2024-01-01T00:00:00x1z"],
                &[
                    "2024-01-01",
                    "2024-01-01 00:00:00Z",
                    "2024-01-01T24:00:00Z",
                    "2024-01-01T00:00:00",
                    "2024-01-01T00:00:00.z",
                ],
            ),
            (
                "duration",
                &["1h30m", "1.5s", "22 ns", "3 days", "2w", "0"],
                &["", "1", "s", "1 x", "99999999999999999999 s"],
            ),
            (
                "email",
                &["a@b.c", "Ann <a@b.c>", "a+b@[127.0.0.1]", r#""a b"@c"#],
                &["a", "@b", "a@", "a b@c", "a..b@c"],
            ),
            ("hexcolor", &["#fff", "A0b1C2"], &["#ff", "#ggg", ""]),
            (
                "hostname",
                &["a", "localhost", "a-b.example", "é.example", "a-"],
                &["", "-a", "my-host", "a_b.example", "a.b1"],
            ),
            ("ipv4", &["1.2.3.4", "01.2.3.4", "::ffff:1.2.3.4"], &["1.2.3", "1.2.3.256", "::1"]),
            ("ipv6", &["::1", "::ffff:1.2.3.4"], &["1.2.3.4", "fe80::1%eth0", ":::"]),
            ("isbn", &["0321751043", "978-0321751041", "080442957X"], &["0321751044", "12"]),
            ("isbn10", &["0321751043"], &["978-0321751041"]),
            ("isbn13", &["978 0321751041"], &["0321751043"]),
            ("k8s-long-name", &["a.b-c", "1"], &["A", "a..b", "-a"]),
            ("k8s-short-name", &["a-b"], &["a.b", "a-", ""]),
            (
                "mac",
                &["01:23:45:67:89:ab", "01-23-45-67-89-ab", "0123.4567.89ab"],
                &["01:23", "01:23:45-67:89:ab"],
            ),
            ("password", &["", "x"], &[]),
            ("rgbcolor", &["rgb(0, 255,1)"], &["rgb(256,0,0)", "rgb(01,0,0)", "rgb(1,2)"]),
            ("ssn", &["111-22-3333", "111 22 3333"], &["111223333", "111-22-333"]),
            (
                "uri",
                &["/a", "http://a.b/c?d#e", "mailto:a", "http://[::1]:80/", "*"],
                &["", "a", "http://a b/", "http://a:b/", "/%zz", ":a", "http://[::1", "/a\u{7f}"],
            ),
            ("uuid", &[uuid, &uuid.to_uppercase(), &uuid.replace('-', "")], &["f47ac10b", &uuid[1..]]),
            ("uuid3", &[&uuid.replace("-4", "-3")], &[uuid]),
            ("uuid4", &[uuid], &[&uuid.replace("-a5", "-c5")]),
            ("uuid5", &[&uuid.replace("-4", "-5")], &[uuid]),
        ];
        for (name, good, bad) in cases {
            let format = Format::named(name).expect(name);
            for text in *good {
                assert!(format.matches(text), "{text:?} is a {name}");
            }
            for text in *bad {
                assert!(!format.matches(text), "{text:?} is no {name}");
            }
        }
        assert_eq!(Format::named("int32"), None);
    }
}
