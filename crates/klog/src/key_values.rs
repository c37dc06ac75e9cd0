//! [`KeyValues`], keys and values of a line.

use crate::LogFormat;

/// Keys and values in a format, one behind the other.
///
/// In text a key is there once, as in klog (`serialize.FormatKVs`): the last value counts, and stands in its own place; one
/// that repeats the value before it stands in the place of that. In JSON there are all, as zap writes them.
#[derive(Debug, Default)]
pub(crate) struct KeyValues {
    text: String,
    entries: Vec<Entry>,
}

/// The place of a key with its value in the text.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: &'static str,
    begin: usize,
    end: usize,
}

impl KeyValues {
    /// Appends a key and a value, which a function writes.
    pub(crate) fn push(&mut self, format: LogFormat, key: &'static str, write: impl FnOnce(&mut String)) {
        let begin = self.text.len();
        write(&mut self.text);
        let entry = Entry { key, begin, end: self.text.len() };
        let is_repeated = |existing: &Entry| format == LogFormat::Text && existing.key == key;
        match self.entries.iter().position(is_repeated) {
            Some(existing) => self.replace(existing, entry),
            None => self.entries.push(entry),
        }
    }

    /// Leaves one of two values of a key.
    fn replace(&mut self, existing: usize, new: Entry) {
        let old = self.entries[existing];
        if self.text[old.begin..old.end] == self.text[new.begin..new.end] {
            self.text.truncate(new.begin);
            return;
        }
        let length = old.end - old.begin;
        self.text.replace_range(old.begin..old.end, "");
        self.entries.remove(existing);
        self.entries.push(new);
        for entry in self.entries.iter_mut().filter(|entry| entry.begin > old.begin) {
            entry.begin -= length;
            entry.end -= length;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// All keys and values.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Each key, and the key with its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries.iter().map(|entry| (entry.key, &self.text[entry.begin..entry.end]))
    }

    /// Bytes of memory.
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: LogFormat, pairs: &[(&'static str, &str)], expected: &str) {
        let mut values = KeyValues::default();
        for (key, value) in pairs {
            values.push(format, key, |out| *out += &format!(" {key}={value}"));
        }
        assert_eq!(values.as_str(), expected);
        let parts: Vec<&str> = values.iter().map(|(_, text)| text).collect();
        assert_eq!(parts.concat(), expected);
    }

    #[test]
    fn a_key_is_there_once_in_text() {
        let text = LogFormat::Text;
        check(text, &[("a", "1"), ("b", "2"), ("c", "3")], " a=1 b=2 c=3");
        check(text, &[("a", "1"), ("b", "2"), ("a", "3")], " b=2 a=3");
        check(text, &[("a", "1"), ("b", "2"), ("a", "1"), ("c", "3")], " a=1 b=2 c=3");
        check(text, &[("a", "1"), ("b", "2"), ("a", "333"), ("b", "4"), ("a", "5")], " b=4 a=5");
        check(text, &[("a", "1"), ("a", "2"), ("a", "1")], " a=1");
        check(LogFormat::Json, &[("a", "1"), ("a", "1"), ("a", "2")], " a=1 a=1 a=2");
    }
}
