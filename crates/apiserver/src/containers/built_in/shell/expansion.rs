//! The expansion of words: the values of variables, the output of commands, and the paths that match patterns, in their
//! places.

use klient_apimachinery::BoxFuture;

use super::io::Io;
use super::pattern::Wild;
use super::syntax::{Part, Word};
use super::{MAX_WORDS, Shell, TOO_LONG};

impl Shell {
    /// Words with the values of their parts. That of a variable or command without quotes may be several words, or none, and
    /// a pattern without quotes stands for the paths that match it, if there are any.
    pub(super) fn expand<'a>(
        &'a mut self,
        words: &'a [Word],
        io: &'a Io,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        Box::pin(async move {
            let mut expanded = Expansion::default();
            for word in words {
                for part in &word.0 {
                    match part {
                        Part::Text { text, quoted } => expanded.add(text, *quoted)?,
                        Part::Variable { name, quoted } if name == "@" || name == "*" && !quoted => {
                            for (index, value) in self.variables.parameters().enumerate() {
                                if index > 0 {
                                    expanded.end_word();
                                }
                                match quoted {
                                    true => expanded.add(value, true)?,
                                    false => expanded.add_fields(value)?,
                                }
                            }
                        }
                        part => match (self.value_of(part, io).await?, part.is_quoted()) {
                            (value, true) => expanded.add(&value, true)?,
                            (value, false) => expanded.add_fields(&value)?,
                        },
                    }
                }
                expanded.end_word();
            }
            let mut words = Vec::new();
            let mut size = 0;
            for field in expanded.fields {
                let paths = match field.wild.is_empty() {
                    true => vec![field.text],
                    false => self.matching(&field.text, &field.wild).await?,
                };
                size += paths.iter().map(|path| size_of::<String>() + path.len()).sum::<usize>();
                if size > MAX_WORDS {
                    return Err(TOO_LONG.to_owned());
                }
                words.extend(paths);
            }
            Ok(words)
        })
    }

    /// A word with the values of its parts, which remains one.
    pub(super) fn expand_one<'a>(
        &'a mut self,
        word: &'a Word,
        io: &'a Io,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            let mut expanded = Expansion::default();
            for part in &word.0 {
                match part {
                    Part::Text { text, .. } => expanded.add(text, true)?,
                    part => expanded.add(&self.value_of(part, io).await?, true)?,
                }
            }
            Ok(expanded.current.unwrap_or_default().text)
        })
    }

    async fn value_of(&mut self, part: &Part, io: &Io) -> Result<String, String> {
        match part {
            Part::Text { text, .. } => Ok(text.clone()),
            Part::Variable { name, .. } => Ok(self.value(name)),
            Part::Command { node, .. } => self.substitute(node, io).await,
        }
    }

    pub(super) fn value(&self, name: &str) -> String {
        match name {
            "?" => self.code.to_string(),
            "#" => self.variables.parameters().count().to_string(),
            "@" | "*" => self.variables.parameters().map(String::as_str).collect::<Vec<_>>().join(" "),
            "!" => self.last_job.map(|pid| pid.to_string()).unwrap_or_default(),
            "$" => self.pid.to_string(),
            "PWD" => {
                if self.folder.is_empty() {
                    "/".to_owned()
                } else {
                    self.folder.clone()
                }
            }
            name => self.variables.get(name).cloned().unwrap_or_default(),
        }
    }
}

/// Words while they are built, of a bounded size.
#[derive(Debug, Default)]
struct Expansion {
    fields: Vec<Field>,
    /// The word that is being built; none while it has no part.
    current: Option<Field>,
    size: usize,
}

/// A word before the paths that match it are in its place.
#[derive(Debug, Default)]
struct Field {
    text: String,
    wild: Wild,
}

impl Expansion {
    fn add(&mut self, text: &str, quoted: bool) -> Result<(), String> {
        if self.current.is_none() {
            self.size += size_of::<String>();
        }
        let field = self.current.get_or_insert_default();
        let start = field.text.len();
        self.size += text.len();
        if !quoted {
            self.size += field.wild.add(start, text);
        }
        if self.size > MAX_WORDS {
            return Err(TOO_LONG.to_owned());
        }
        field.text.push_str(text);
        Ok(())
    }

    /// Adds a value whose spaces separate words.
    fn add_fields(&mut self, value: &str) -> Result<(), String> {
        for (index, piece) in value.split_whitespace().enumerate() {
            if index > 0 || value.starts_with(char::is_whitespace) {
                self.end_word();
            }
            self.add(piece, false)?;
        }
        if value.ends_with(char::is_whitespace) {
            self.end_word();
        }
        Ok(())
    }

    fn end_word(&mut self) {
        self.fields.extend(self.current.take());
    }
}
