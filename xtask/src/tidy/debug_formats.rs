//! Debug placeholders in messages: `{:?}` escapes strings as Rust does, and users of Kubernetes read Go's `%q`.
//!
//! A placeholder is accepted in tests, in implementations of `Debug`, and in the macros of panics, assertions and
//! tracing.

/// Crates whose messages are worded as those of kube-apiserver and kubectl.
const FOLDERS: [&str; 6] = [
    "crates/apiextensions/src/",
    "crates/apimachinery/src/",
    "crates/apis/src/",
    "crates/apiserver/src/",
    "crates/cli/src/",
    "crates/structured-merge/src/",
];

/// Macros whose messages are for developers.
const FOR_DEVELOPERS: [&str; 15] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "debug_span",
    "error",
    "info",
    "panic",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
];

/// The violations in a file.
pub(super) fn wrong(name: &str, text: &str) -> Vec<String> {
    let is_test = name.split('/').any(|part| part == "tests" || part.ends_with("tests.rs"));
    if is_test || !FOLDERS.iter().any(|folder| name.starts_with(folder)) {
        return Vec::new();
    }
    let lines = lines(text).into_iter();
    lines.map(|line| format!("{name}:{line}: a message with {{:?}}: quote with go::quoted")).collect()
}

/// The lines of strings with a Debug placeholder, in the macros of messages for users.
fn lines(text: &str) -> Vec<usize> {
    let mut scan = Scan { rest: text, groups: vec![Group::default()], exempt: None, word: "" };
    let mut found = Vec::new();
    while !scan.rest.is_empty() {
        let at = text.len() - scan.rest.len();
        if let Some(string) = scan.step() {
            let group = scan.group();
            if group.in_macro && !group.is_exempt && has_debug_placeholder(string) {
                found.push(text[..at].lines().count().max(1));
            }
        }
    }
    found
}

/// The state of reading a source file.
struct Scan<'a> {
    rest: &'a str,
    /// The open brackets, below one for the file.
    groups: Vec<Group>,
    /// The number of open brackets at an item that is a test or an implementation of `Debug`, until its body begins.
    exempt: Option<usize>,
    /// The last word, with the `!` behind it, if nothing but spaces stands after them.
    word: &'a str,
}

/// The text between two brackets.
#[derive(Clone, Copy, Default)]
struct Group {
    in_macro: bool,
    is_exempt: bool,
}

impl<'a> Scan<'a> {
    fn group(&self) -> Group {
        *self.groups.last().expect("the group of the file is never closed")
    }

    /// Passes over one token, and returns it if it is a string.
    fn step(&mut self) -> Option<&'a str> {
        let text = self.rest;
        let first = text.chars().next()?;
        let length = match first {
            '/' if text.starts_with("//") => text.find('\n').unwrap_or(text.len()),
            '/' if text.starts_with("/*") => text.find("*/").map_or(text.len(), |end| end + 2),
            '"' => return Some(self.string(0)),
            'b' if text.starts_with("b\"") => return Some(self.string(1)),
            'r' | 'b' if raw_hashes(text).is_some() => return Some(self.raw_string()),
            '\'' => quote(text),
            '(' | '[' | '{' => {
                self.open(first);
                1
            }
            ')' | ']' | '}' => {
                if self.groups.len() > 1 {
                    self.groups.pop();
                }
                1
            }
            ';' => {
                self.exempt = self.exempt.filter(|depth| *depth != self.groups.len());
                1
            }
            '#' if text.starts_with("#[cfg(test)]") => {
                self.exempt = Some(self.groups.len());
                "#[cfg(test)]".len()
            }
            first if is_name(first) => {
                let mut end = text.find(|c| !is_name(c)).unwrap_or(text.len());
                let header = text.split('{').next().unwrap_or_default();
                if &text[..end] == "impl" && header.contains("Debug for ") {
                    self.exempt = Some(self.groups.len());
                }
                if text[end..].starts_with('!') && !text[end..].starts_with("!=") {
                    end += 1;
                }
                self.word = &text[..end];
                self.rest = &text[end..];
                return None;
            }
            first => first.len_utf8(),
        };
        if !first.is_whitespace() {
            self.word = "";
        }
        self.rest = &text[length..];
        None
    }

    fn open(&mut self, bracket: char) {
        let outer = self.group();
        let name = self.word.strip_suffix('!');
        let is_body = bracket == '{' && self.exempt == Some(self.groups.len());
        if is_body {
            self.exempt = None;
        }
        self.groups.push(Group {
            in_macro: outer.in_macro || name.is_some(),
            is_exempt: outer.is_exempt || is_body || name.is_some_and(|name| FOR_DEVELOPERS.contains(&name)),
        });
    }

    /// Passes over a string whose opening quote stands behind `prefix` characters.
    fn string(&mut self, prefix: usize) -> &'a str {
        let inside = &self.rest[prefix + 1..];
        let mut escaped = false;
        let end = inside.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.take(inside, end.unwrap_or(inside.len()), 1)
    }

    fn raw_string(&mut self) -> &'a str {
        let hashes = raw_hashes(self.rest).expect("the caller has seen the string begin");
        let begin = self.rest.find('"').expect("a raw string has an opening quote");
        let inside = &self.rest[begin + 1..];
        let close = format!("\"{}", "#".repeat(hashes));
        self.take(inside, inside.find(&close).unwrap_or(inside.len()), close.len())
    }

    fn take(&mut self, inside: &'a str, end: usize, close: usize) -> &'a str {
        self.word = "";
        self.rest = inside.get(end + close..).unwrap_or_default();
        &inside[..end]
    }
}

/// The number of `#` of the raw string at the beginning of a text, if there is one.
fn raw_hashes(text: &str) -> Option<usize> {
    let text = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let rest = text.trim_start_matches('#');
    rest.starts_with('"').then_some(text.len() - rest.len())
}

/// The length of the character or lifetime at the beginning of a text.
fn quote(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(text.len(), |end| end + 4),
        Some(_) => match chars.next() {
            Some((end, '\'')) => end + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// Returns true if a format string has a placeholder that ends in `?`.
fn has_debug_placeholder(string: &str) -> bool {
    let string = string.replace("{{", "");
    string.split('{').skip(1).any(|rest| {
        let placeholder = rest.split('}').next().unwrap_or_default();
        placeholder.split_once(':').is_some_and(|(_, format)| format.ends_with('?'))
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[usize]) {
        assert_eq!(lines(text), expected, "{text}");
    }

    #[test]
    fn placeholders_in_messages_are_found() {
        check("fn f() {\n    format!(\"no {name:?}\");\n}", &[2]);
        check("format!(\"{}{:?}\", 1, 2)", &[1]);
        check("write!(f, r#\"{{\"a\":{0:#?}\"#, a)", &[1]);
        check("format!(\n    \"{{{:>8.3?}}}\",\n    'x',\n)", &[2]);
        check("error(format_args!(\"{x:?}\"))", &[1]);
        check("let quote = '\"';\nlet line = '\\n';\nsay!(\"{x:?}\")", &[3]);
    }

    #[test]
    fn other_strings_are_not() {
        check("format!(\"{name} {{:?}} {:>4}?\", 1)", &[]);
        check("let pattern = \"{x:?}\"; // format!(\"{x:?}\")\n/* format!(\"{x:?}\") */", &[]);
        check("fn f<'a>(x: &'a str) {}\nconst A: &str = \"a\\\"{:?}\";", &[]);
    }

    #[test]
    fn panics_assertions_and_tracing_may_have_them() {
        check("assert!(is_good, \"{text:?}\");\npanic!(\"{}\", format!(\"{x:?}\"));", &[]);
        check("tracing::debug!(\"{x:?}\");\nunreachable!(\n    \"{x:?}\"\n)", &[]);
    }

    #[test]
    fn debug_and_tests_may_have_them() {
        check(
            "impl<K> fmt::Debug for A<K> {\n    fn fmt() { write!(f, \"{:?}\", 1) }\n}\nimpl Display for A {\n    fn fmt() { write!(f, \"{:?}\", 1) }\n}",
            &[5],
        );
        check("#[cfg(test)]\nmod tests;\nfn f() { format!(\"{x:?}\") }", &[3]);
        check("#[cfg(test)]\nmod tests {\n    fn f() { format!(\"{x:?}\") }\n}\nformat!(\"{x:?}\")", &[5]);
    }

    #[test]
    fn crates_and_files_are_told_apart() {
        let message = "format!(\"{x:?}\")";
        assert_eq!(
            wrong("crates/cli/src/get.rs", message),
            ["crates/cli/src/get.rs:1: a message with {:?}: quote with go::quoted"]
        );
        for name in ["crates/client/src/rest.rs", "crates/cli/src/get/tests.rs", "crates/cli/tests/it/get.rs"]
        {
            assert!(wrong(name, message).is_empty(), "{name}");
        }
    }
}
