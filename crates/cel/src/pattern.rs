//! [`Pattern`], a regular expression in Go's syntax.
//!
//! Schemas and expressions use the syntax of Go's `regexp`. It is rewritten to that of the crate `regex`, which has more constructs
//! (`{` must be escaped, classes nest) and interprets others differently (`\d` is any digit of Unicode). A pattern that is
//! too large for that crate, because it repeats a class of Unicode, is a program of Go's kind ([`Runes`]). All engines
//! match in linear time.

mod class;
mod escape;
mod rewrite;
mod runes;

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Repetition};

use crate::effort::{self, Interrupted};
use rewrite::{REPEAT_MAX, rewrite};
use runes::Runes;

/// The size limit of a pattern that the crate `regex` compiles, in bytes: it takes milliseconds.
const SIZE_LIMIT: usize = 1 << 18;

/// The effort of compiling a byte of a pattern.
const BYTE: u64 = 50;

/// The effort of compiling a pattern that repeats classes of Unicode.
const CLASSES: u64 = 1 << 16;

/// A regular expression in Go's syntax.
///
/// It is compiled on first use: a definition may have many patterns that no object is matched against.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Result<Engine, String>>,
}

#[derive(Clone, Debug)]
enum Engine {
    Regex(Regex),
    Runes(Runes),
}

impl Pattern {
    /// A pattern. An invalid one matches nothing.
    pub fn new(source: &str) -> Self {
        Pattern { source: source.to_owned(), compiled: OnceLock::new() }
    }

    /// The compiled pattern. One whose compilation is interrupted is compiled by the next who uses it.
    fn compiled(&self) -> Result<&Engine, String> {
        if self.compiled.get().is_none() && effort::take(work(&self.source)).is_err() {
            return Err(Interrupted.to_string());
        }
        self.compiled.get_or_init(|| compile(&self.source)).as_ref().map_err(String::clone)
    }

    /// The syntax error of the pattern, worded as Go's.
    pub fn error(&self) -> Option<String> {
        self.compiled().err()
    }

    /// The pattern as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns true if a part of the text matches.
    pub fn matches(&self, text: &str) -> bool {
        match self.compiled() {
            Ok(Engine::Regex(regex)) => regex.is_match(text),
            Ok(Engine::Runes(runes)) => runes.find(&mut runes.threads(), text, 0, true).is_some(),
            Err(_) => false,
        }
    }

    /// The first part of the text that matches.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.find_all(text).next()
    }

    /// The parts of the text that match.
    pub fn find_all<'p, 't: 'p>(&'p self, text: &'t str) -> Box<dyn Iterator<Item = &'t str> + 'p> {
        match self.compiled() {
            Ok(Engine::Regex(regex)) => Box::new(regex.find_iter(text).map(|found| found.as_str())),
            Ok(Engine::Runes(runes)) => Box::new(parts(runes, text)),
            Err(_) => Box::new(std::iter::empty()),
        }
    }
}

/// The parts of a text that match; none is empty at the end of the one before.
fn parts<'t>(runes: &Runes, text: &'t str) -> impl Iterator<Item = &'t str> {
    let (mut from, mut last, mut threads) = (0, None, runes.threads());
    std::iter::from_fn(move || {
        loop {
            let (start, end) = runes.find(&mut threads, text, from, false)?;
            if start == end && last == Some(end) {
                from = end + text[end..].chars().next()?.len_utf8();
                continue;
            }
            (from, last) = (end, Some(end));
            return Some(&text[start..end]);
        }
    })
}

/// The effort of compiling a pattern.
fn work(source: &str) -> u64 {
    let has_classes = source.contains(r"\p") || source.contains(r"\P");
    let is_repeated = source.split('{').any(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    let classes = if has_classes && is_repeated { CLASSES } else { 0 };
    (source.len() as u64).saturating_mul(BYTE).saturating_add(classes)
}

fn compile(source: &str) -> Result<Engine, String> {
    let unsupported = || format!("error parsing regexp: invalid or unsupported syntax: `{source}`");
    let rewritten = rewrite(source).map_err(|error| format!("error parsing regexp: {error}"))?;
    let parsed = regex_syntax::parse(&rewritten).map_err(|_| unsupported())?;
    repeats(&parsed).map_err(|repeat| format!("error parsing regexp: invalid repeat count: `{repeat}`"))?;
    match RegexBuilder::new(&rewritten).size_limit(SIZE_LIMIT).build() {
        Ok(regex) => Ok(Engine::Regex(regex)),
        Err(regex::Error::CompiledTooBig(_)) => {
            let too_large = |_| format!("error parsing regexp: expression too large: `{source}`");
            Runes::compile(&parsed).map(Engine::Runes).map_err(too_large)
        }
        Err(_) => Err(unsupported()),
    }
}

/// The times that a part of a pattern is repeated at most, where the repetitions are counted.
///
/// # Errors
///
/// The innermost repetition that repeats something more often than Go allows, with those in it.
fn repeats(pattern: &Hir) -> Result<u64, String> {
    match pattern.kind() {
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            let times = u64::from(max.unwrap_or(*min).max(1)).saturating_mul(repeats(sub)?);
            if times <= u64::from(REPEAT_MAX) {
                return Ok(times);
            }
            Err(match max {
                Some(max) if max == min => format!("{{{min}}}"),
                Some(max) => format!("{{{min},{max}}}"),
                None => format!("{{{min},}}"),
            })
        }
        HirKind::Capture(capture) => repeats(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().try_fold(1, |most, part| Ok(repeats(part)?.max(most)))
        }
        _ => Ok(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], other: &[&str]) {
        let pattern = Pattern::new(pattern);
        assert_eq!(pattern.error(), None, "{pattern:?}");
        for text in matching {
            assert!(pattern.matches(text), "{} should match {text:?}", pattern.source());
        }
        for text in other {
            assert!(!pattern.matches(text), "{} should not match {text:?}", pattern.source());
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        check(r"^\d+$", &["12"], &["٣", "a"]);
        check(r"^\w+\s\W$", &["a_1 -"], &["é -", "a\u{b}-"]);
        check(r"^{.*}$", &["{a}"], &["a"]);
        check(r"^a{,2}$", &["a{,2}"], &["aa"]);
        check(r"^a{1,2}$", &["a", "aa"], &["", "aaa"]);
        check(r"^[[a]$", &["[", "a"], &["b"]);
        check(r"^[a&&b]$", &["&", "a"], &["c"]);
        check(r"^[]a]$", &["]", "a"], &["b"]);
        check(r"^[^]a]$", &["b", "\n"], &["]"]);
        check(r"^[a-]$", &["-"], &["b"]);
        check(r"^[[:alpha:][:^word:]]$", &["x", "-"], &["1"]);
        check(r"^[\D\.]$", &["x", "."], &["1"]);
        check(r"^\<a\>$", &["<a>"], &["a"]);
        check(r"^\Qa.b\E.$", &["a.bc"], &["aXbc"]);
        check(r"^\x41\x{42}\103$", &["ABC"], &[]);
        check(r"(?i)^ab[c-e]é$", &["ABDÉ", "abcé"], &["abf"]);
        check(r"^(?i:a)b$", &["Ab", "ab"], &["aB"]);
        check(r"^(a(?i)b)c$", &["aBc"], &["aBC", "Abc"]);
        check(r"^(?P<one>a)(?<two>b)$", &["ab"], &["a"]);
        check(r"^\p{Lu}\pL\P{L}$", &["Éa1"], &["éa1"]);
        check(r"^a\b.c$", &["a-c"], &["abc"]);
        check(r"^.\B.$", &["ab", "--", "éé"], &["a-", "aé"]);
        check(r"(?s)^a.b$", &["a\nb"], &[]);
        check(r"(?m)^b$", &["a\nb"], &["ab"]);
        check("^é+$", &["éé"], &["e"]);
    }

    #[test]
    fn patterns_go_does_not_know_are_refused_in_its_words() {
        for (pattern, error) in [
            ("[a", "missing closing ]: `[a`"),
            ("(a", "missing closing ): `(a`"),
            ("a)", "unexpected ): `a)`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("(+)", "missing argument to repetition operator: `+`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("a{3,2}", "invalid repeat count: `{3,2}`"),
            (r"\", "trailing backslash at end of expression: ``"),
            (r"\y", r"invalid escape sequence: `\y`"),
            (r"(a)\1", r"invalid escape sequence: `\1`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
            (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?<!a)b", "invalid named capture: `(?<!a)b`"),
        ] {
            assert_eq!(
                Pattern::new(pattern).error(),
                Some(format!("error parsing regexp: {error}")),
                "{pattern}"
            );
        }
    }

    #[test]
    fn repetitions_multiply_up_to_a_thousand_as_in_go() {
        check(r"^((a{1,10}){1,10}){1,10}$", &["a"], &[""]);
        check(r"^(a{10}|b{100}){10}(c{1000})?$", &[&"a".repeat(100)], &["a"]);
        for (pattern, repeat) in [
            (r"((\pL{1,1000}){1,1000}){1,1000}", "{1,1000}"),
            (r"(a{20}){51}", "{51}"),
            (r"(a{2,}){501,}b", "{501,}"),
        ] {
            let error = format!("error parsing regexp: invalid repeat count: `{repeat}`");
            assert_eq!(Pattern::new(pattern).error(), Some(error), "{pattern}");
        }
    }

    #[test]
    fn classes_of_unicode_can_be_repeated_as_often_as_in_go() {
        let text = "é".repeat(1000);
        let long = format!("{text}é");
        check(r"^\p{L}{1,1000}$", &["a", &text], &["", "1", &long]);
        check(r"^[\p{L}\p{N} ]{1,1000}$", &["a 1", &text], &["", "-", &long]);
        check(r"^(\p{L}{0,63}\.){0,10}$", &["", ".", "a.é."], &["a", "a.é.b", &".".repeat(11)]);
        check(r"(?m)^\p{Lu}{50,900}$", &[&format!("a\n{}\nb", "É".repeat(60))], &[&"É".repeat(49)]);
        check(r"\b\pL{900}\b", &[&format!("a{}a", "é".repeat(898))], &["a"]);
        let size = |pattern: &str| match Pattern::new(pattern).compiled() {
            Ok(Engine::Runes(runes)) => format!("{runes:?}").len(),
            other => panic!("{pattern}: {other:?}"),
        };
        // The class itself is there once.
        assert!(size(r"^\p{L}{1,1000}$") < 2 * size(r"^\p{L}{1,400}$"));
    }

    /// A pattern compiled by both engines.
    fn both(pattern: &str) -> [Pattern; 2] {
        let runes = Runes::compile(&regex_syntax::parse(&rewrite(pattern).unwrap()).unwrap()).unwrap();
        let compiled = OnceLock::from(Ok(Engine::Runes(runes)));
        [Pattern::new(pattern), Pattern { source: pattern.to_owned(), compiled }]
    }

    #[test]
    fn both_engines_find_the_same() {
        let texts = ["", "a", "ab", "aab b", "éa\nab\nb", "abab-ab_ba é", "b\n", "aaaaaaaaab"];
        for pattern in [
            "a",
            "a*",
            "a*?",
            "a+?b",
            "(a|ab)(b|)",
            "ab|a",
            "a|ab",
            "(?:ab)+",
            "[^a]",
            "^",
            "$",
            "(?m)^a",
            "(?m)b$",
            r"\b",
            r"\B",
            r"\ba",
            "a{2,3}",
            "a{2,3}?",
            "a{2,}",
            "(a{0,2}b){1,2}",
            ".",
            "(?s).+",
            "é|a",
            r"\pL+",
            "x*",
            "(a*)*",
            "(a*)+b",
            "(|a)+",
            "a??b",
            r"[[:word:]]+\s",
        ] {
            let [one, other] = both(pattern);
            for text in texts {
                let found: Vec<&str> = one.find_all(text).collect();
                assert_eq!(other.find_all(text).collect::<Vec<_>>(), found, "{pattern} in {text:?}");
                assert_eq!(other.matches(text), one.matches(text), "{pattern} in {text:?}");
            }
        }
    }
}
