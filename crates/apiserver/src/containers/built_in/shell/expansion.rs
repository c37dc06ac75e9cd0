//! The expansion of words: the values of variables in their places.

use super::syntax::{Part, Word};
use super::{MAX_WORDS, Shell};

impl Shell {
    /// Words with the values of their variables; the value of one without quotes may be several words, or none.
    pub(super) fn expand(&self, words: &[Word]) -> Result<Vec<String>, String> {
        let mut expanded = Expansion::default();
        for word in words {
            for part in &word.0 {
                match part {
                    Part::Text { text, .. } => expanded.add(text)?,
                    Part::Variable { name, quoted: true } => expanded.add(&self.value(name))?,
                    Part::Variable { name, quoted: false } => {
                        for (index, piece) in self.value(name).split_whitespace().enumerate() {
                            if index > 0 {
                                expanded.end_word();
                            }
                            expanded.add(piece)?;
                        }
                    }
                }
            }
            expanded.end_word();
        }
        Ok(expanded.words)
    }

    pub(super) fn expand_one(&self, word: &Word) -> Result<String, String> {
        let mut expanded = Expansion::default();
        for part in &word.0 {
            match part {
                Part::Text { text, .. } => expanded.add(text)?,
                Part::Variable { name, .. } => expanded.add(&self.value(name))?,
            }
        }
        Ok(expanded.current.unwrap_or_default())
    }

    fn value(&self, name: &str) -> String {
        match name {
            "?" => self.code.to_string(),
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
    words: Vec<String>,
    /// The word that is being built; none while it has no part.
    current: Option<String>,
    size: usize,
}

impl Expansion {
    fn add(&mut self, text: &str) -> Result<(), String> {
        if self.current.is_none() {
            self.size += size_of::<String>();
        }
        self.size += text.len();
        if self.size > MAX_WORDS {
            return Err("Argument list too long".to_owned());
        }
        self.current.get_or_insert_default().push_str(text);
        Ok(())
    }

    fn end_word(&mut self) {
        self.words.extend(self.current.take());
    }
}
