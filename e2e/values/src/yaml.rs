//! YAML: one document, the documents of a file, and what is printed.

use fastrand::Rng;
use klient_apimachinery::{go, yaml};
use serde_json::Value;

use crate::input::pick;
use crate::numbers::{HALF_PAIRS, number};
use crate::question::{Kept, Question};
use crate::words;

pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "yaml-decode",
        table: DOCUMENTS,
        make: document,
        ours: |input| yaml::from_str(input).map(|value| json(&value)).map_err(words),
        compares_words: false,
        kept: &[INDICATORS, ROOT_KEY, DEPTH, REPLACED, VERSION, LATER_MARK, SAME_KEYS, OTHER],
    },
    Question {
        name: "yaml-documents",
        table: STREAMS,
        make: stream,
        ours: |input| {
            let documents = yaml::documents(input).collect::<Result<Vec<_>, _>>().map_err(words)?;
            Ok(documents.iter().map(json).collect::<Vec<_>>().join("\n"))
        },
        compares_words: false,
        kept: &[
            INDICATORS, ROOT_KEY, DEPTH, REPLACED, VERSION, LATER_MARK, SAME_KEYS, ZERO, HALF_PAIRS,
            SHORT_REST, OTHER,
        ],
    },
    Question {
        name: "yaml-encode",
        table: OBJECTS,
        make: |rng| object(rng, 0),
        ours: |input| {
            let value: Value = serde_json::from_str(input).map_err(words)?;
            Ok(yaml::to_string(&value))
        },
        compares_words: false,
        kept: &[MERGE_KEY, CONTROLS, HALF_PAIRS],
    },
];

const INDICATORS: Kept = Kept {
    reason: "libyaml 0.2 refuses brackets in tags, and a colon before a comma, where Go's port of 0.1 guesses",
    is: |input, ours, theirs| ours.is_err() && theirs.is_ok() && input.contains(['!', '{', '[', ',']),
};

const ROOT_KEY: Kept = Kept {
    reason: "an empty list or map is no key: Go passes over what is behind it",
    is: |input, ours, theirs| ours.is_err() && theirs.is_ok() && input.contains(':'),
};

const DEPTH: Kept = Kept {
    reason: "lists and maps are nested 200 deep at most, 10,000 in Go",
    is: |_, ours, _| matches!(ours, Err(problem) if problem.contains("exceeded max depth")),
};

const REPLACED: Kept = Kept {
    reason: "what is no UTF-8 is U+FFFD in both; Go's JSON writes it as an escape",
    is: |_, ours, theirs| matches!((ours, theirs), (Ok(ours), Ok(theirs)) if theirs.replace("\\ufffd", "\u{fffd}") == *ours),
};

const VERSION: Kept = Kept {
    reason: "libyaml 0.2 reads YAML 1.2 too",
    is: |input, ours, theirs| input.contains("%YAML") && ours.is_ok() && theirs.is_err(),
};

const LATER_MARK: Kept = Kept {
    reason: "Go takes a byte order mark within the text for a character of it, and one of two carriage returns away",
    is: |input, _, _| input.contains('\u{feff}') || input.contains("\r\r"),
};

const SAME_KEYS: Kept = Kept {
    reason: "of keys that are the same text in JSON the last counts, in Go any",
    is: |input, ours, theirs| {
        ours.is_ok() && theirs.is_ok() && input.matches(": ").count() > 1 && input.contains(['1', '0'])
    },
};

const ZERO: Kept = Kept {
    reason: "-0.0 is kept as it is in YAML too; Go makes an integer of the -0 that it writes",
    is: |_, ours, theirs| matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours.replace("-0", "0") == theirs.replace("-0", "0")),
};

const OTHER: Kept = Kept {
    reason: "Go takes a sign behind 0b, and !!binary of the key << for a value",
    is: |input, _, _| input.contains("0b") || input.contains("!!binary <<"),
};

const SHORT_REST: Kept = Kept {
    reason: "YAML behind JSON is read though it has fewer than four bytes, or begins with a number",
    is: |_, ours, theirs| {
        ours.is_ok()
            && matches!(theirs, Err(problem) if problem.contains("invalid character") || problem == "unexpected EOF")
    },
};

const MERGE_KEY: Kept = Kept {
    reason: "the text << is quoted, since it would be read as a merge",
    is: |input, ours, theirs| input.contains("<<") && ours.is_ok() && theirs.is_ok(),
};

const CONTROLS: Kept = Kept {
    reason: "characters that Go's parser refuses, or takes for a line break, in what Go's JSON has written are escaped",
    is: |input, ours, _| {
        ours.is_ok() && input.contains(['\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{fffe}', '\u{ffff}'])
            || input.contains("\\u")
    },
};

const DOCUMENTS: &[&str] = &[
    "",
    "0008",
    "400.0",
    "4e2",
    "3.0",
    "-0.0",
    "-0",
    "18446744073709551615",
    "-9223372036854775809",
    "1e20",
    "1e400",
    "0o17",
    "0x1F",
    "0b11",
    "+5",
    "1__0",
    ".5_0",
    ".5__0",
    "1_000.5",
    "1:30",
    "2026-01-31T10:04:03Z",
    "2001-12-14 21:59:43.10",
    "2001-13-01",
    "a: .inf",
    "a: .nan",
    "~: x",
    "1.5: x",
    "1e3: x",
    "16777217.0: x",
    "yes: no",
    "b: &b {a: 1, c: 3}\nd: {a: 5, <<: *b}",
    "d: {<<: [{a: 1}, {a: 2, b: 3}]}",
    "{a: 5, <<: *b}",
    "<<: {a: 1}\na: 2",
    "<<: 1",
    "\"<<\": 1",
    "a: !!binary aGVsbG8=",
    "a: !!binary |\n  aGVs\n  bG8=",
    "a: !!binary gIGC",
    "a: !!binary x",
    "!!int 7",
    "!!int 3.0",
    "!!float 3",
    "!!str 1",
    "!!bool yes",
    "!!bool 1",
    "!!null ''",
    "!!timestamp 2001-1-1",
    "! 5",
    "!foo bar",
    "a: |\n  x",
    "a: |\n  x\n\n",
    "a: |+\n  x\n\n",
    "a: >-\n  x\n  y\n",
    "- - a\n  - b\n- {}\n- []\n",
    "? a\n: b\n",
    "'it''s'",
    "\"\\U0001F600\\x41\\n\"",
    "\"\\ud83d\\ude00\"",
    "a: b # c",
    "&a [1, *a]",
    "a: *x",
    "%YAML 1.1\n---\na: 1\n...\n",
    "%YAML 1.2\n---\na: 1",
    "- \"a\\\n  b\"\n",
    "a: b: c",
    "a:\n- b\n-  c:  d\n   e: f\n",
    "\u{feff}a: 1",
    "é: 😀",
    "a:\n\tb: 1",
    "[1, 2",
    "{a: 1",
    "a: 1\na: 2",
];

const STREAMS: &[&str] = &[
    "",
    "---\n",
    "---\n---\n",
    "# c\n",
    "a: 1\n---\nb: 2\n--- # c\nc: 3",
    "a: 1\n---#c\nb: 1",
    "--- junk\na: 1",
    "a: 1\n--- {b: 2}\n",
    "----\na: 1",
    "---a: 1",
    "a: 1\n ---\nb: 2",
    "a: |\n  x\n  ---\n  y\n",
    "a: |\n  x",
    "{\"a\": 1}\n{\"b\": 2.0}",
    "{\"a\": 3.0}\n---\nb: 3.0",
    "{a: 1}",
    "{a: [",
    "{\"a\": 1",
    "{\"a\": 1} {\"b\": 1} {\"c\": 1} x",
    "{\"a\": 1}\n# end\n",
    "a: 1\r\n---\r\nb: 2\r\n",
    "- a\n",
    "null\n---\n~\n---\na: 1",
    "\u{feff}a: 1\n",
];

const OBJECTS: &[&str] = &[
    "null",
    "true",
    "\"\"",
    "\"a\"",
    "{}",
    "[]",
    "[[],{}]",
    "{\"a\":{\"b\":[1,[2,3],{\"c\":null}]}}",
    "{\"a\":\"x\\ny\"}",
    "{\"a\":\"x\\n\\n\"}",
    "\"x\\n\\n\"",
    "\"\\n\"",
    "\" a\\nb\"",
    "\"a \\nb\"",
    "\"<<\"",
    "\"😀 x\"",
    "\"\\ufeffab\"",
    "\"\u{a0}\"",
    "\"\\u2028\"",
    "\"yes\"",
    "\"1:30\"",
    "\"0x1\"",
    "\"2001-01-01\"",
    "\"2001-13-01\"",
    "\"~\"",
    "\"- a\"",
    "\"a: b\"",
    "\"a #b\"",
    "\"it's\"",
    "-0.0",
    "1e6",
    "1234567.5",
    "1e21",
    "1e-7",
    "18446744073709551615",
    "9223372036854775808",
    "10000000000000000000",
    "{\"b\":1,\"a10\":1,\"a2\":1,\"A\":1,\"10\":1,\"9\":1,\"-\":1,\"\":1}",
    "\"word word word word word word word word word word word word word word word word word word word word\"",
    "\"word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word: x\"",
];

/// Parts of YAML.
const PARTS: &[&str] = &[
    "a",
    "b",
    "é",
    "😀",
    " ",
    "\n",
    "  ",
    "- ",
    ": ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&x ",
    "*x",
    "<<: ",
    "!!int ",
    "!!float ",
    "!!str ",
    "!!binary ",
    "!!null ",
    "!!timestamp ",
    "! ",
    "|",
    "|-",
    ">",
    "|+\n",
    "'",
    "\"",
    "# ",
    "---",
    "...",
    "0",
    "1",
    "-",
    "+",
    ".",
    "e",
    "_",
    "0x",
    "1e400",
    ".inf",
    "~",
    "null",
    "true",
    "2001-01-02",
    "T10:00:00Z",
    "1.0",
    "\t",
    "\r",
    "\u{85}",
    "\\n",
    "\\x",
    "%",
    "@",
    "`",
    "aGk=",
];

/// Parts of strings that need care where they are written.
const TEXTS: &[&str] = &[
    "a",
    "a b",
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore",
    "\n",
    "x\ny",
    "\n\n",
    " ",
    "  ",
    "é",
    "😀",
    "\u{a0}",
    "\u{feff}",
    "\u{2028}",
    "\t",
    "\r",
    "\u{1}",
    "'",
    "\"",
    "\\",
    "#",
    "- ",
    "-",
    ": ",
    ":",
    "?",
    "[",
    "{",
    "yes",
    "1",
    "1.0",
    "1e3",
    "1:30",
    "2001-01-01",
    "~",
    "null",
    "...",
    "---",
    "=",
    "<<",
    "0x1",
    ".5",
    ".inf",
    "%",
    "@",
    "`",
    "!",
    "&",
    "*",
    "|",
    ">",
    "longlonglonglonglonglonglonglonglonglonglonglonglonglong",
    "1_0",
    "08",
    "+1",
];

fn document(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(0..4) {
        text.push_str(pick(rng, &["a", "b", "'c'", "1", "yes", "~x", "\"d\""]));
        text.push_str(": ");
        text.push_str(&(0..rng.usize(0..4)).map(|_| pick(rng, PARTS)).collect::<String>());
        text.push('\n');
    }
    text
}

fn stream(rng: &mut Rng) -> String {
    let separators = ["---\n", "--- # c\n", "---\r\n", "--- x\n", "\n---\n", "...\n", ""];
    (0..rng.usize(0..4)).map(|_| format!("{}{}", document(rng), pick(rng, &separators))).collect()
}

fn object(rng: &mut Rng, depth: usize) -> String {
    let text = |rng: &mut Rng| {
        Value::from((0..rng.usize(0..5)).map(|_| pick(rng, TEXTS)).collect::<String>()).to_string()
    };
    match rng.u8(0..if depth > 4 { 5 } else { 8 }) {
        0 => pick(rng, &["null", "true", "false"]).to_owned(),
        1 => number(rng),
        2..=4 => text(rng),
        5 => {
            let items: Vec<_> = (0..rng.usize(0..4)).map(|_| object(rng, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => {
            let entries = (0..rng.usize(0..4)).map(|_| format!("{}:{}", text(rng), object(rng, depth + 1)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

/// JSON as Go writes it, with text that is safe within HTML.
fn json(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => go::json_float(float),
            None => number.to_string(),
        },
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}:{}", string(key), json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::String(text) => string(text),
        Value::Null | Value::Bool(_) => value.to_string(),
    }
}

fn string(text: &str) -> String {
    let escaped = |c: char| match c {
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    Value::from(text).to_string().chars().map(escaped).collect()
}
