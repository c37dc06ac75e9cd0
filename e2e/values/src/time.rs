//! Times and spans of time.

use std::fmt::{Display, Write as _};
use std::str::FromStr;

use fastrand::Rng;
use klient_api::coordination::v1::LeaseSpec;
use klient_apimachinery::codec::{ManagedFields, json, protobuf};
use klient_apimachinery::message::Message;
use klient_apimachinery::meta::v1::{Condition, ManagedFieldsEntry, ObjectMeta};
use klient_apimachinery::{Duration, InvalidValue, MicroTime, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::input::{digits, pick};
use crate::judge::Answer;
use crate::question::{Kept, Question};
use crate::words;

pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "time",
        table: TIMES,
        make,
        ours: |input| read::<ManagedFieldsEntry>(&format!(r#"{{"time":{input}}}"#)),
        compares_words: false,
        kept: &[LESS_THAN_A_SECOND],
    },
    Question {
        name: "micro-time",
        table: TIMES,
        make,
        ours: |input| read::<LeaseSpec>(&format!(r#"{{"renewTime":{input}}}"#)),
        compares_words: false,
        kept: &[],
    },
    Question {
        name: "time-protobuf",
        table: MESSAGES,
        make: make_message,
        ours: |input| read_message::<ManagedFieldsEntry>(34, input),
        compares_words: false,
        kept: OF_MESSAGES,
    },
    Question {
        name: "micro-time-protobuf",
        table: MESSAGES,
        make: make_message,
        ours: |input| read_message::<LeaseSpec>(34, input),
        compares_words: false,
        kept: OF_MESSAGES,
    },
    Question {
        name: "time-text",
        table: TEXTS,
        make: |rng| make(rng).trim_matches('"').to_owned(),
        ours: |input| written::<Time>(input),
        compares_words: true,
        kept: &[],
    },
    Question {
        name: "micro-time-text",
        table: TEXTS,
        make: |rng| make(rng).trim_matches('"').to_owned(),
        ours: |input| written::<MicroTime>(input),
        compares_words: true,
        kept: &[],
    },
    Question {
        name: "time-in-struct",
        table: TIMES,
        make,
        ours: in_struct,
        compares_words: false,
        kept: &[LESS_THAN_A_SECOND],
    },
    Question {
        name: "duration",
        table: DURATIONS,
        make: make_duration,
        ours: |input| written::<Duration>(input),
        compares_words: true,
        kept: &[],
    },
];

const TIMES: &[&str] = &[
    r#""2026-11-21T10:04:03Z""#,
    r#""2026-11-21T10:04:03+01:00""#,
    r#""2026-11-21T10:04:03.999Z""#,
    r#""2026-11-21T10:04:03.999999Z""#,
    r#""2026-11-21T10:04:03.9999999Z""#,
    r#""2026-11-21T10:04:03.123456+01:00""#,
    r#""2026-11-21T10:04:03.123456789Z""#,
    r#""2026-11-21T10:04:03,123456Z""#,
    r#""2026-11-21T10:04:03.Z""#,
    r#""9999-12-31T23:59:59Z""#,
    r#""9999-12-31T23:59:59.999999Z""#,
    r#""9999-12-31T23:59:59-23:59""#,
    r#""9999-12-31T23:59:59.000000-23:59""#,
    r#""0000-01-01T00:00:00Z""#,
    r#""0000-01-01T00:00:00.000000Z""#,
    r#""0000-01-01T00:00:00+23:59""#,
    r#""0001-01-01T00:00:00Z""#,
    r#""0001-01-01T00:00:00.000000Z""#,
    r#""0001-01-01T01:00:00+01:00""#,
    r#""1970-01-01T00:00:00Z""#,
    r#""1970-01-01T00:00:00.000000Z""#,
    r#""2024-02-29T00:00:00Z""#,
    r#""2023-02-29T00:00:00Z""#,
    r#""2000-02-29T00:00:00.000000Z""#,
    r#""1900-02-29T00:00:00Z""#,
    r#""2026-00-01T00:00:00Z""#,
    r#""2026-13-01T00:00:00Z""#,
    r#""2026-01-00T00:00:00Z""#,
    r#""2026-04-31T00:00:00Z""#,
    r#""2026-11-21 10:04:03Z""#,
    r#""2026-11-21t10:04:03Z""#,
    r#""2026-11-21T10:04:03z""#,
    r#""2026-11-21T10:04:60Z""#,
    r#""2026-11-21T23:59:60.000000Z""#,
    r#""2026-11-21T24:00:00Z""#,
    r#""2026-11-21T10:60:00Z""#,
    r#""2026-11-21T18:43Z""#,
    r#""2026-11-21T10:04:03+02""#,
    r#""2026-11-21T10:04:03+0200""#,
    r#""2026-11-21T10:04:03+25:00""#,
    r#""2026-11-21T10:04:03+24:00""#,
    r#""2026-11-21T10:04:03+24:60""#,
    r#""2026-11-21T10:04:03+23:60""#,
    r#""2026-11-21T10:04:03.000000+24:60""#,
    r#""2026-11-21T10:04:03-00:00""#,
    r#""2026-11-21T10:04:03""#,
    r#""2026-11-21T1:04:03Z""#,
    r#""2026-11-21T001:04:03Z""#,
    r#""2026-1-21T10:04:03Z""#,
    r#""+2026-11-21T10:04:03Z""#,
    r#""02026-11-21T10:04:03Z""#,
    r#""-001-11-21T10:04:03Z""#,
    r#""10000-01-01T00:00:00Z""#,
    r#""2026-11-21T10:04:03Z ""#,
    r#"" 2026-11-21T10:04:03Z""#,
    r#""2026-11-21T10:04:03Z[UTC]""#,
    r#""2026-11-21T10:04:03\u005a""#,
    r#""2026-11-21""#,
    r#""yesterday""#,
    r#""""#,
    "null",
    "5",
    "true",
    "{}",
    "[]",
];

const TEXTS: &[&str] = &[
    "2026-11-21T10:04:03Z",
    "2026-11-21T10:04:03.123456Z",
    "2026-11-21T10:04:03.+12345Z",
    "2026-11-21T10:04:03.-00000Z",
    "2026-11-21T10:04:03.-00001Z",
    "2026-11-21T10:04:03.12345",
    "2026-11-21T10:04:03.123456",
    "2026-11-21T10:04:03.123456+24:61",
    "2026-11-21T10:04:03+25:61",
    "2026-11-21T10:04:03+25:x1",
    "2026-11-21T10:04:03x25:00",
    "2026-11-21T10:04:03x24:00",
    "2026-11-21T10:04:03Z\n\"é\\\u{7f}",
    "2026-02-30T10:04:03Z",
    "2026-02-30T10:04:03Z ",
    "2026-02-30T10:60:03Z",
    "2026-11-21T30:04:03Z",
    "2026-11-21T3:04:3Z",
    "2026-11-21T3:4:03Z",
    "2026-11-1T3:4:03Z",
    "26-11-1T3:4:03Z",
    "é",
    "",
];

fn make(rng: &mut Rng) -> String {
    let year = match rng.u8(0..4) {
        0 => pick(rng, &["0000", "0001", "1900", "1969", "1970", "2000", "2038", "9999"]).to_string(),
        1 => digits(rng, 4),
        _ => format!("20{}", digits(rng, 2)),
    };
    let two = |rng: &mut Rng, most: u8| format!("{:02}", rng.u8(0..=most));
    let mut text = format!("\"{year}-{}-{}", two(rng, 13), two(rng, 31));
    write!(text, "T{}:{}:{}", two(rng, 24), two(rng, 60), two(rng, 60)).expect("a String takes all text");
    if rng.bool() {
        text.push(pick(rng, &['.', '.', '.', '.', ',']));
        let len = pick(rng, &[0, 1, 3, 6, 6, 6, 6, 9, 10, 20]);
        text.push_str(&digits(rng, len));
    }
    match rng.u8(0..3) {
        0 => {
            let sign = pick(rng, &['+', '-']);
            write!(text, "{sign}{}:{}", two(rng, 25), two(rng, 60)).expect("a String takes all text");
        }
        _ => text.push('Z'),
    }
    text.push('"');
    text
}

/// The JSON and protobuf of an object in JSON.
fn read<T>(input: &str) -> Answer
where
    T: Message + Default + Serialize + DeserializeOwned + PartialEq,
{
    let mut object = T::default();
    json::decode(input.as_bytes(), &mut object).map_err(words)?;
    let by_serde: T = serde_json::from_str(input).map_err(words)?;
    if by_serde != object {
        return Err("serde reads it differently".to_owned());
    }
    let mut encoded = Vec::new();
    protobuf::encode(&object, &mut encoded);
    Ok(format!("{} {}", in_json(&object)?, hexadecimal(&encoded)))
}

fn in_struct(input: &str) -> Answer {
    let metadata =
        read::<ObjectMeta>(&format!(r#"{{"creationTimestamp":{input},"deletionTimestamp":{input}}}"#))?;
    let condition = read::<Condition>(&format!(r#"{{"lastTransitionTime":{input}}}"#))?;
    Ok(format!("{metadata} {condition}"))
}

/// The formatted value of a string, or the error.
fn written<T: FromStr<Err = InvalidValue> + Display>(input: &str) -> Answer {
    let value = input.parse::<T>().map_err(|problem| problem.go_message().unwrap_or_default().to_owned())?;
    Ok(value.to_string())
}

fn in_json<T: Message + Serialize>(object: &T) -> Answer {
    let mut text = Vec::new();
    json::encode(object, &mut text);
    let text = String::from_utf8(text).map_err(words)?;
    let by_serde = serde_json::to_string(object).map_err(words)?;
    if by_serde == text { Ok(text) } else { Err("serde writes it differently".to_owned()) }
}

const LESS_THAN_A_SECOND: Kept = Kept {
    reason: "a time that is zero but for a fraction, which is not written, is zero",
    is: |input, _, theirs| {
        input.contains("0001-01-0") && theirs.as_ref().is_ok_and(|text| text.contains("0001-01-01T00:00:00Z"))
    },
};

const OF_MESSAGES: &[Kept] = &[
    Kept { reason: "a time that is zero is not there", is: |input, _, _| input.is_empty() },
    Kept {
        reason: "microseconds are counted in 64 bits, which end 292,000 years after 1970",
        is: |_, ours, _| ours.as_ref().is_err_and(|problem| problem.ends_with("out of range")),
    },
    Kept {
        reason: "seconds that 64 bits do not hold since year 1 begin anew at the other end",
        is: |_, ours, theirs| {
            let is_far = |answer: &Answer| answer.as_ref().is_ok_and(|text| text.contains("2922770"));
            is_far(ours) && is_far(theirs)
        },
    },
    Kept {
        reason: "what cannot be a tag is refused, in parts that nobody knows too",
        is: |_, ours, _| ours.as_ref().is_err_and(|problem| problem.ends_with("should be a tag is none")),
    },
    Kept {
        reason: "numbers of more than 64 bits are refused",
        is: |_, ours, _| ours.as_ref().is_err_and(|problem| problem.ends_with("more than 64 bits")),
    },
];

/// Fields of `Timestamp`, in hexadecimal.
const MESSAGES: &[&str] = &[
    "",
    "0800",
    "08001000",
    "0880d2d8c90610c0843d",
    // 9999-12-31T23:59:59Z, and a second later.
    "08ff82d1ffaf07",
    "088083d1ffaf07",
    // 0001-01-01T00:00:00Z, and a microsecond later.
    "088092b8c398feffffff01",
    "088092b8c398feffffff0110e807",
    // 0000-01-01T00:00:00Z, and a second before.
    "088088aeb498feffffff01",
    "08ff87aeb498feffffff01",
    "08ffffffffffffffffff01",
    "0880d2d8c90610ffffffffffffffffff01",
    "0880d2d8c9061080a8d6b907",
    "08ffffffffffffffff7f",
    "0880808080808080808001",
    "10e807",
    "10e707",
    "1800",
    "1a00",
    "08",
    "0a00",
];

fn make_message(rng: &mut Rng) -> String {
    let mut message = Vec::new();
    let mut number = |tag: u8, value: i64| {
        message.push(tag);
        let mut rest = value as u64;
        while rest >= 0x80 {
            message.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        message.push(rest as u8);
    };
    let seconds = match rng.u8(0..4) {
        0 => rng.i64(..),
        1 => pick(rng, &[0, -1, 1, -62_135_596_800, -62_167_219_200, 253_402_300_799]) + rng.i64(-2..=2),
        _ => rng.i64(-62_200_000_000..=253_500_000_000),
    };
    number(8, seconds);
    if rng.bool() {
        number(16, if rng.bool() { rng.i64(0..1_000_000_000) } else { rng.i32(..).into() });
    }
    hexadecimal(&message)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The JSON of an object with one field in protobuf.
fn read_message<T: Message + Default + Serialize>(tag: u8, input: &str) -> Answer {
    let digits = |at: usize| input.get(at..at + 2).filter(|two| two.bytes().all(|c| c.is_ascii_hexdigit()));
    let byte = |at: usize| digits(at).and_then(|text| u8::from_str_radix(text, 16).ok());
    let bytes: Option<Vec<u8>> = (0..input.len()).step_by(2).map(byte).collect();
    let bytes = bytes.ok_or("no hexadecimal digits")?;
    let len = u8::try_from(bytes.len()).ok().filter(|len| *len < 0x80).ok_or("too long")?;
    let mut object = T::default();
    protobuf::decode(&[&[tag, len], &bytes[..]].concat(), &mut object, ManagedFields::Keep).map_err(words)?;
    in_json(&object)
}

const DURATIONS: &[&str] = &[
    "0",
    "0s",
    "5s",
    "1h30m",
    "1h30m0.5s",
    "-1.5h",
    "+5m",
    "-0",
    "1.s",
    ".5s",
    ".s",
    "1.5.5s",
    "1",
    "",
    "-",
    "1x",
    "1 s",
    "10us",
    "10µs",
    "10μs",
    "1ns",
    "0.1ns",
    "0.9ns",
    "1.9999999999s",
    "0.000000001h",
    "9223372036854775807ns",
    "9223372036854775808ns",
    "-9223372036854775808ns",
    "-9223372036854775809ns",
    "2562047h47m16.854775807s",
    "2562047h47m16.854775808s",
    "-2562047h47m16.854775808s",
    "9223372036854775808s",
    "0.3333333333333333333h",
    "0.9223372036854775807s",
    "1.00000000000000000000000000001s",
    "3000000h",
    "9007199254.740993ms",
    "52763797000ns",
    "1h1h1h",
    "1s1h",
    "infs",
    "1e3s",
];

fn make_duration(rng: &mut Rng) -> String {
    let mut text = pick(rng, &["", "", "", "-", "+"]).to_string();
    for _ in 0..rng.usize(1..4) {
        let (whole, fraction) = (rng.usize(0..8), rng.usize(0..12));
        text.push_str(&digits(rng, whole));
        if rng.bool() {
            text.push('.');
            text.push_str(&digits(rng, fraction));
        }
        text.push_str(pick(rng, &["h", "m", "s", "ms", "us", "µs", "ns"]));
    }
    text
}
