//! [`Pattern`], a regular expression in Go's syntax.
//!
//! Schemas and expressions use the syntax of Go's `regexp`. It is rewritten to that of the crate `regex`, which has more constructs
//! (`{` must be escaped, classes nest) and interprets others differently (`\d` is any digit of Unicode). Both engines
//! match in linear time.

mod class;
mod escape;
mod rewrite;

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use rewrite::rewrite;

/// The size limit of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 10 << 20;

/// A regular expression in Go's syntax.
///
/// It is compiled on first use: a definition may have many patterns that no object is matched against.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Result<Regex, String>>,
}

impl Pattern {
    /// A pattern. An invalid one matches nothing.
    pub fn new(source: &str) -> Self {
        Pattern { source: source.to_owned(), compiled: OnceLock::new() }
    }

    fn compiled(&self) -> &Result<Regex, String> {
        self.compiled.get_or_init(|| compile(&self.source))
    }

    /// The syntax error of the pattern, worded as Go's.
    pub fn error(&self) -> Option<&str> {
        self.compiled().as_ref().err().map(String::as_str)
    }

    /// The pattern as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns true if a part of the text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled().as_ref().is_ok_and(|regex| regex.is_match(text))
    }

    /// The first part of the text that matches.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.find_all(text).next()
    }

    /// The parts of the text that match.
    pub fn find_all<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let regex = self.compiled().as_ref().ok();
        regex.into_iter().flat_map(move |regex| regex.find_iter(text)).map(|found| found.as_str())
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    let rewritten = rewrite(source).map_err(|error| format!("error parsing regexp: {error}"))?;
    RegexBuilder::new(&rewritten).size_limit(SIZE_LIMIT).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("error parsing regexp: expression too large: `{source}`"),
        _ => format!("error parsing regexp: invalid or unsupported syntax: `{source}`"),
    })
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
                Some(format!("error parsing regexp: {error}").as_str()),
                "{pattern}"
            );
        }
    }

    #[test]
    fn patterns_that_grow_too_large_are_refused() {
        let error = Pattern::new(r"((\pL{1,1000}){1,1000}){1,1000}").error().unwrap().to_owned();
        assert!(error.contains("expression too large"), "{error}");
    }
}
