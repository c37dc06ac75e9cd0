//! Field selectors: `status.phase=Running,spec.nodeName!=n1`.

use std::fmt;
use std::str::FromStr;

use crate::Str;
use crate::labels::InvalidSelector;

/// A field selector: conditions on the values of fields, all of which must hold.
///
/// ```
/// use klient_apimachinery::fields::Selector;
/// let selector: Selector = r"metadata.name=a\,b,status.phase!=Failed".parse()?;
/// assert_eq!(selector.exact("metadata.name"), Some("a,b"));
/// # Ok::<(), klient_apimachinery::labels::InvalidSelector>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    terms: Vec<Term>,
}

/// One condition of a selector: a field equals a value, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The field's path, such as `status.phase`.
    pub field: Str,
    /// The value to compare with.
    pub value: Str,
    /// True for `!=`.
    pub not: bool,
}

impl Selector {
    /// The selector that matches everything.
    pub const fn everything() -> Self {
        Selector { terms: Vec::new() }
    }

    /// The selector for objects with this value in a field.
    pub fn one(field: &str, value: &str) -> Self {
        Selector { terms: vec![Term { field: field.into(), value: value.into(), not: false }] }
    }

    /// Returns true if the selector has no conditions.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The conditions.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The same conditions with the field names replaced.
    pub fn renamed(mut self, name: impl Fn(&str) -> &str) -> Self {
        for term in &mut self.terms {
            term.field = name(&term.field).into();
        }
        self
    }

    /// The value that a field must equal, if there is such a condition.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|term| !term.not && term.field == field).map(|term| term.value.as_str())
    }

    /// Returns true if all conditions hold; `field` gives the value at a path, empty for a missing field.
    pub fn matches<'a>(&self, field: impl Fn(&str) -> &'a str) -> bool {
        self.terms.iter().all(|term| (field(&term.field) == term.value) != term.not)
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        let mut terms = Vec::new();
        for part in split_unescaped(text).into_iter().filter(|part| !part.is_empty()) {
            let not_understood =
                || InvalidSelector::new(format!("invalid selector: '{text}'; can't understand '{part}'"));
            let at = (0..part.len()).find(|&at| {
                let rest = &part.as_bytes()[at..];
                rest.starts_with(b"=") || rest.starts_with(b"!=")
            });
            let (field, rest) = part.split_at(at.ok_or_else(not_understood)?);
            let (not, value) = match rest.strip_prefix("!=") {
                Some(value) => (true, value),
                None => (false, rest.strip_prefix("==").unwrap_or(&rest[1..])),
            };
            let value = unescape(value)?;
            if field.is_empty() && value.is_empty() {
                // An empty condition matches everything.
                continue;
            }
            terms.push(Term { field: field.into(), value, not });
        }
        Ok(Selector { terms })
    }
}

/// Splits at commas that are not escaped with a backslash.
fn split_unescaped(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(value: &str) -> Result<Str, InvalidSelector> {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                Some(c) => {
                    return Err(InvalidSelector::new(format!(
                        "invalid field selector: invalid escape sequence: \\{c}"
                    )));
                }
                None => {
                    return Err(InvalidSelector::new(
                        "invalid field selector: invalid escape sequence: \\".to_owned(),
                    ));
                }
            },
            ',' | '=' => {
                // Go prints a character as its number.
                return Err(InvalidSelector::new(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(c)
                )));
            }
            c => out.push(c),
        }
    }
    Ok(out.into())
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Term { field, value, not }) in self.terms.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let operator = if *not { "!=" } else { "=" };
            let value = value.replace('\\', r"\\").replace(',', r"\,").replace('=', r"\=");
            write!(f, "{comma}{field}{operator}{value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_compared_and_printed() {
        let selector: Selector = "status.phase!=Failed,spec.nodeName==n1,".parse().expect("a selector");
        let pod = |phase: &'static str| move |field: &str| if field == "status.phase" { phase } else { "n1" };
        assert!(selector.matches(pod("Running")));
        assert!(!selector.matches(pod("Failed")));
        assert_eq!(selector.to_string(), "status.phase!=Failed,spec.nodeName=n1");
        let odd = Selector::one("metadata.name", r"a,b=c\d");
        assert_eq!(odd.to_string().parse(), Ok(odd));
    }

    #[test]
    fn malformed_selectors_are_refused_in_the_servers_words() {
        for (text, problem) in [
            ("abc", "invalid selector: 'abc'; can't understand 'abc'"),
            ("a!b", "invalid selector: 'a!b'; can't understand 'a!b'"),
            (r"a=b\c", r"invalid field selector: invalid escape sequence: \c"),
            ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ] {
            assert_eq!(text.parse::<Selector>().unwrap_err().to_string(), problem);
        }
    }
}
