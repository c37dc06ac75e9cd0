//! Numbers in JSON, and how Go's formats print values.

use fastrand::Rng;
use klient_apimachinery::{Unstructured, codec::Wire as _, go};
use serde_json::Value;

use crate::input::pick;
use crate::judge::Answer;
use crate::question::{Kept, Question};
use crate::words;

pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "number",
        table: NUMBERS,
        make: number,
        ours,
        compares_words: false,
        kept: &[NEGATIVE_ZERO, HALF_PAIRS],
    },
    Question {
        name: "go-value",
        table: VALUES,
        make: object,
        ours: |input| parsed(input).map(|value| go::GoValue(&value).to_string()),
        compares_words: false,
        kept: VALUES_KEPT,
    },
    Question {
        name: "go-syntax",
        table: VALUES,
        make: object,
        ours: |input| match parsed(input)? {
            value @ Value::Object(_) => Ok(go::GoSyntax::of_json(&value).to_string()),
            Value::Null => Ok("map[string]interface {}(nil)".to_owned()),
            _ => Err("it is no object".to_owned()),
        },
        compares_words: false,
        kept: VALUES_KEPT,
    },
    Question {
        name: "go-quote",
        table: TEXTS,
        make: text,
        ours: |input| Ok(go::quoted(input)),
        compares_words: false,
        kept: &[],
    },
    Question {
        name: "printable",
        table: PLANES,
        make: row,
        ours: printable,
        compares_words: false,
        kept: &[],
    },
];

const VALUES_KEPT: &[Kept] = &[NEGATIVE_ZERO, HALF_PAIRS];

pub(crate) const NEGATIVE_ZERO: Kept = Kept {
    reason: "serde_json reads the number -0 as a float, and Go as the integer 0",
    is: |input, ours, theirs| input.contains("-0") && ours.is_ok() && theirs.is_ok(),
};

pub(crate) const HALF_PAIRS: Kept = Kept {
    reason: "halves of pairs of UTF-16 are refused in JSON, Go replaces them",
    is: |input, ours, theirs| input.contains("\\u") && ours.is_err() && theirs.is_ok(),
};

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1",
    "-1",
    "3.0",
    "400.0",
    "4e2",
    "1e3",
    "1.5",
    "0.1",
    "1e-6",
    "1e-7",
    "2.5e-7",
    "1e20",
    "1e21",
    "1.5e21",
    "1e22",
    "1e400",
    "5e-324",
    "1e-400",
    "1234567.5",
    "123456789.5",
    "82636196116947.12",
    "5.8994732575861125e-21",
    "9007199254740993",
    "9007199254740993.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "10000000000000000000",
    "18446744073709551615",
    "18446744073709551616",
    "1.7976931348623157e308",
    "00",
    "+1",
    "1.",
    ".5",
    "1e",
    "0x1",
];

const VALUES: &[&str] = &[
    "{}",
    "null",
    r#"{"a":null,"b":true,"c":[1,1.5,"x",[],{}]}"#,
    r#"{"a b":"c d"}"#,
    r#"{"a":1234567.5}"#,
    r#"{"a":1e21,"b":18446744073709551615,"c":1e-5}"#,
    r#"{"a":"\"\\\n\u0000\u007f\u200bé"}"#,
    r#"{"a":100000.0}"#,
    r#"{"a":[[null]],"b":{"c":{"d":""}}}"#,
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "\"",
    "\\",
    "\n\t\r",
    "\u{7}\u{8}\u{b}\u{c}",
    "\0",
    "\u{1b}",
    "\u{7f}",
    "é",
    "\u{a0}",
    "\u{200b}",
    "\u{301}",
    "😀",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "\u{e000}",
    "\u{10ffff}",
    "'",
    "`",
    "a b",
];

/// All code points.
const PLANES: &[&str] = &[
    "0-ffff",
    "10000-1ffff",
    "20000-2ffff",
    "30000-3ffff",
    "40000-4ffff",
    "50000-5ffff",
    "60000-6ffff",
    "70000-7ffff",
    "80000-8ffff",
    "90000-9ffff",
    "a0000-affff",
    "b0000-bffff",
    "c0000-cffff",
    "d0000-dffff",
    "e0000-effff",
    "f0000-fffff",
    "100000-10ffff",
];

/// A number as JSON may have it.
pub(crate) fn number(rng: &mut Rng) -> String {
    match rng.u8(0..6) {
        0 => rng.i64(..).to_string(),
        1 => rng.u64(..).to_string(),
        2 => (f64::from(rng.i32(..)) / 8.0).to_string(),
        3 => format!("{:e}", rng.f64() * 10_f64.powi(rng.i32(-30..30))),
        4 => format!("{}e{}", rng.i16(..), rng.i8(-40..40)),
        _ => serde_json::json!(f64::from_bits(rng.u64(..))).to_string(),
    }
}

fn text(rng: &mut Rng) -> String {
    let any = |rng: &mut Rng| char::from_u32(rng.u32(0..0x2_0000)).unwrap_or('a');
    (0..rng.usize(0..8))
        .map(|_| if rng.bool() { any(rng) } else { pick(rng, &['a', ' ', '"', '\\', '\n']) })
        .collect()
}

/// A range of 256 code points.
fn row(rng: &mut Rng) -> String {
    let first = rng.u32(0..=0x10ff) << 8;
    format!("{first:x}-{:x}", first | 0xff)
}

/// The printable characters in a range of code points, as ranges.
fn printable(input: &str) -> Answer {
    let (first, last) = input.split_once('-').unwrap_or((input, ""));
    let code_point = |text: &str| match u32::from_str_radix(text, 16) {
        Ok(code) if !text.starts_with('+') => Ok(code),
        _ => Err(format!("{} is no code point", go::quoted(text))),
    };
    let (first, last) = (code_point(first)?, code_point(last)?);
    if last > u32::from(char::MAX) {
        return Err(format!("{last:x} is no code point"));
    }
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for code in first..=last {
        if char::from_u32(code).is_some_and(go::is_printable) {
            match ranges.last_mut() {
                Some((_, end)) if *end + 1 == code => *end = code,
                _ => ranges.push((code, code)),
            }
        }
    }
    let ranges: Vec<String> = ranges.iter().map(|(first, last)| format!("{first:x}-{last:x}")).collect();
    Ok(ranges.join(","))
}

fn object(rng: &mut Rng) -> String {
    let key = |rng: &mut Rng| Value::from(pick(rng, &["a", "b", "c d", "é", ""]));
    let entries = (0..rng.usize(0..4)).map(|_| format!("{}:{}", key(rng), member(rng))).collect::<Vec<_>>();
    format!("{{{}}}", entries.join(","))
}

fn member(rng: &mut Rng) -> String {
    match rng.u8(0..6) {
        0 => number(rng),
        1 => "null".to_owned(),
        2 => object(rng),
        3 => format!("[{},{}]", number(rng), member(rng)),
        _ => Value::from(text(rng)).to_string(),
    }
}

fn parsed(input: &str) -> Result<Value, String> {
    serde_json::from_str(input).map_err(words)
}

fn ours(input: &str) -> Answer {
    let mut value = parsed(input)?;
    go::rewrite_numbers(&mut value);
    let object = Unstructured(serde_json::Map::from_iter([("a".to_owned(), value)]));
    let mut json = Vec::new();
    object.to_json(&mut json);
    let json = String::from_utf8(json).map_err(words)?;
    Ok(json.strip_prefix(r#"{"a":"#).and_then(|json| json.strip_suffix('}')).unwrap_or_default().to_owned())
}
