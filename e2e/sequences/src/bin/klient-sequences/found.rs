//! [`Found`], what went wrong in a sequence.

use std::sync::LazyLock;

use regex::Regex;

/// What went wrong in a sequence.
pub(crate) struct Found {
    /// What was sent until then.
    pub(crate) requests: Vec<String>,
    pub(crate) title: String,
    pub(crate) wrong: Vec<String>,
}

impl Found {
    /// What goes wrong alike has the same: the kind of write and the first thing that is wrong, without names and
    /// values.
    pub(crate) fn cause(&self) -> String {
        static VALUES: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#""(\\.|[^"\\])*"|seq-[0-9-]+|\d+"#).expect("the expression is valid")
        });
        let first = self.wrong.first().map_or("", String::as_str);
        let line: String = VALUES.replace_all(first, "_").chars().take(300).collect();
        format!("{}: {}", self.title, line.replace('\n', " "))
    }

    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n", self.requests.join("\n"), self.wrong.join("\n"))
    }
}
