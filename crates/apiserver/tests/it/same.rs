//! Comparison of two servers' responses: generated values, such as uids and versions, are paired.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use regex::{Captures, Regex};

/// The paired values: those of the record, and this server's in their place.
#[derive(Default)]
pub(crate) struct Counterparts {
    uids: HashMap<String, String>,
    versions: HashMap<u64, u64>,
    tokens: HashMap<String, String>,
}

/// A value that a server makes up.
#[derive(Clone, Debug, PartialEq)]
enum Made {
    Uid(String),
    Version(u64),
    Token(String),
}

/// A text without what servers make up.
struct Skeleton {
    text: String,
    made: Vec<Made>,
}

impl Counterparts {
    /// Compares a response with the recorded one, of which possibly only the beginning is recorded. Values generated
    /// by the two servers are paired, now and in all responses that follow.
    ///
    /// # Errors
    ///
    /// The difference.
    pub(crate) fn compare(&mut self, recorded: &str, cut: bool, answer: &str) -> Result<(), String> {
        let (recorded, answer) = (Skeleton::of(recorded), Skeleton::of(answer));
        let same = if cut { answer.text.starts_with(&recorded.text) } else { answer.text == recorded.text };
        if !same {
            let at = recorded
                .text
                .bytes()
                .zip(answer.text.bytes())
                .take_while(|(one, other)| one == other)
                .count();
            let rest = |text: &str| {
                let from = (0..=at.saturating_sub(30)).rev().find(|at| text.is_char_boundary(*at));
                text[from.unwrap_or_default()..].chars().take(300).collect::<String>()
            };
            return Err(format!("recorded …{:?}\nanswered …{:?}", rest(&recorded.text), rest(&answer.text)));
        }
        recorded.made.iter().zip(&answer.made).try_for_each(|(one, other)| self.pair(one, other))
    }

    fn pair(&mut self, one: &Made, other: &Made) -> Result<(), String> {
        match (one, other) {
            (Made::Uid(one), Made::Uid(other)) => {
                self.uids.entry(one.clone()).or_insert_with(|| other.clone());
                let twice = self.uids.values().filter(|value| *value == other).count() > 1;
                if self.uids[one] != *other || twice {
                    return Err(format!("uid {other} stands for {one}"));
                }
            }
            (Made::Version(one), Made::Version(other)) => {
                self.versions.entry(*one).or_insert(*other);
                let in_order = |(a, b): (&u64, &u64)| {
                    (a < one && b <= other) || (a > one && b >= other) || (a == one && b == other)
                };
                if let Some(pair) = self.versions.iter().find(|pair| !in_order(*pair)) {
                    return Err(format!("version {other} stands for {one}, and {} for {}", pair.1, pair.0));
                }
            }
            (Made::Token(one), Made::Token(other)) => {
                self.tokens.insert(one.clone(), other.clone());
            }
            (one, other) => return Err(format!("{other:?} stands for {one:?}")),
        }
        Ok(())
    }

    /// A path of the record as this server knows it.
    pub(crate) fn path(&self, path: &str, now: u64) -> String {
        let path = path.replace("NOW", &now.to_string());
        let path = ASKED_VERSION.replace_all(&path, |captures: &Captures<'_>| {
            let version = captures[1].parse().ok().and_then(|version| self.versions.get(&version));
            version.map_or_else(|| captures[0].to_owned(), |version| format!("resourceVersion={version}"))
        });
        self.tokens.iter().fold(path.into_owned(), |path, (one, other)| path.replace(one, other))
    }
}

impl Skeleton {
    fn of(text: &str) -> Skeleton {
        let mut text = without_what_is_missing(text);
        let mut made = Vec::new();
        for captures in TOKEN.captures_iter(&text.clone()) {
            let token = &captures[1];
            let open = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            made.push(Made::Token(token.to_owned()));
            text = text.replace(token, &open.expect("a token is text in base64"));
        }
        let text = MADE.replace_all(&text, |captures: &Captures<'_>| {
            if let Some(uid) = captures.name("uid") {
                made.push(Made::Uid(uid.as_str().to_owned()));
                // Its first digits may look like a version.
                return format!("{}UID", captures.name("record").map_or("", |record| record.as_str()));
            }
            if let Some(version) = captures.name("version") {
                made.push(Made::Version(version.as_str().parse().expect("it is made of digits")));
                return format!("{}VERSION", &captures["before"]);
            }
            captures.name("fact").map_or("VARIES".to_owned(), |fact| format!("{}VARIES", fact.as_str()))
        });
        Skeleton { text: text.into_owned(), made }
    }
}

/// A text without the prose of columns, which the server does not write.
fn without_what_is_missing(text: &str) -> String {
    PROSE.replace_all(text, "").into_owned()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

static PROSE: LazyLock<Regex> = LazyLock::new(|| regex(r#","description":"(?:[^"\\]|\\.)*""#));

static TOKEN: LazyLock<Regex> = LazyLock::new(|| regex(r#""continue":"([A-Za-z0-9_-]+)""#));

static ASKED_VERSION: LazyLock<Regex> = LazyLock::new(|| regex(r"\bresourceVersion=(\d+)"));

/// All that varies from server to server and from time to time: uids and versions, times and ages, generated
/// names, the server's address, and facts of its build.
static MADE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?P<record>in record \()?(?P<uid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        r#"|(?P<before>"?resourceVersion"?: ?"|"rv":|current: |too old resource version: 1 \(|in record \()(?P<version>\d+)\b"#,
        r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        r#"|"\d+s""#,
        r"|g-[a-z0-9]{5}",
        r"|127\.0\.0\.1:\d+",
        r#"|(?P<fact>"(?:gitCommit|gitTreeState|buildDate|goVersion|compiler|platform)": )"[^"]*""#,
    ))
});
