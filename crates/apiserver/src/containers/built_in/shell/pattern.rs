//! Patterns of paths, such as `*.conf`, and the paths that match them.

use glob::{MatchOptions, Pattern};

use super::{MAX_WORDS, Shell, TOO_LONG};

/// The longest part of a pattern between slashes, in bytes: a name of Linux has no more. It bounds the depth of a match.
const MAX_PART: usize = 255;

/// Hidden files match a dot only.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The positions in a word of the characters that mean more than themselves, as they are in no quotes.
#[derive(Debug, Default)]
pub(super) struct Wild(Vec<usize>);

impl Wild {
    /// Adds those of a text at a position, and returns the bytes that they take.
    pub(super) fn add(&mut self, start: usize, text: &str) -> usize {
        let before = self.0.len();
        for (index, letter) in text.char_indices() {
            // Within brackets more of them do.
            if matches!(letter, '*' | '?' | '[') || (!self.0.is_empty() && matches!(letter, ']' | '!' | '-'))
            {
                self.0.push(start + index);
            }
        }
        (self.0.len() - before) * size_of::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pattern of a part of a word; none if it is only a text.
    fn pattern(&self, word: &str, start: usize, end: usize) -> Option<Pattern> {
        let from = self.0.partition_point(|position| *position < start);
        let mut wild = self.0[from..].iter().copied().take_while(|position| *position < end).peekable();
        wild.peek()?;
        if end - start > MAX_PART {
            return None;
        }
        let mut pattern = String::new();
        for (index, letter) in word[start..end].char_indices() {
            if wild.next_if_eq(&(start + index)).is_none() {
                pattern.push_str(&Pattern::escape(letter.encode_utf8(&mut [0; 4])));
            } else if !(letter == '*' && pattern.ends_with('*')) {
                // Two of them mean folders in folders to the crate.
                pattern.push(letter);
            }
        }
        Pattern::new(&pattern).ok()
    }
}

impl Shell {
    /// The paths that match a word, in their order, or the word itself if there are none.
    pub(super) async fn matching(&self, word: &str, wild: &Wild) -> Result<Vec<String>, String> {
        // The beginnings of paths, each with its slashes.
        let mut found = vec![String::new()];
        let (mut start, mut is_pattern) = (0, false);
        for part in word.split_inclusive('/') {
            let name = part.trim_end_matches('/');
            let slash = &part[name.len()..];
            let pattern = wild.pattern(word, start, start + name.len());
            start += part.len();
            is_pattern |= pattern.is_some();
            let mut next = Vec::new();
            let mut size = 0;
            for prefix in found {
                let names = match &pattern {
                    None => vec![name.to_owned()],
                    Some(pattern) => self.names_matching(&prefix, pattern),
                };
                for name in names {
                    let path = format!("{prefix}{name}{slash}");
                    size += size_of::<String>() + path.len();
                    if is_pattern && !self.exists(&path) {
                        continue;
                    }
                    next.push(path);
                }
                if size > MAX_WORDS {
                    return Err(TOO_LONG.to_owned());
                }
                // A search through many folders lets others run.
                tokio::task::yield_now().await;
            }
            found = next;
        }
        Ok(if is_pattern && !found.is_empty() { found } else { vec![word.to_owned()] })
    }

    /// The names in a folder that match a pattern, in their order.
    fn names_matching(&self, folder: &str, pattern: &Pattern) -> Vec<String> {
        let files = self.container.files();
        let path = files.resolve(&self.folder, folder, true);
        let mut names = files.names(&path);
        drop(files);
        names.retain(|name| pattern.matches_with(name, OPTIONS));
        names.sort_unstable();
        names
    }

    /// Returns true for a file or link, and for a folder whose path ends with a slash.
    fn exists(&self, path: &str) -> bool {
        let files = self.container.files();
        match path.ends_with('/') {
            true => files.is_folder(&files.resolve(&self.folder, path, true)),
            false => files.get(&files.resolve(&self.folder, path, false)).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which names a word matches, in which the letters behind a backslash are in quotes.
    #[track_caller]
    fn matches(word: &str, expected: &[&str]) {
        let (mut text, mut wild) = (String::new(), Wild::default());
        let mut letters = word.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => text.extend(letters.next()),
                letter => {
                    wild.add(text.len(), letter.encode_utf8(&mut [0; 4]));
                    text.push(letter);
                }
            }
        }
        let pattern = wild.pattern(&text, 0, text.len());
        let names = ["a", "ab", "abc", "b", "-", "]", "[a", "*", ".a", "é"];
        let matched =
            |name: &&&str| pattern.as_ref().is_some_and(|pattern| pattern.matches_with(name, OPTIONS));
        assert_eq!(names.iter().filter(matched).copied().collect::<Vec<_>>(), expected, "{word}");
    }

    #[test]
    fn patterns_match_as_those_of_sh() {
        matches("*", &["a", "ab", "abc", "b", "-", "]", "[a", "*", "é"]);
        matches("**", &["a", "ab", "abc", "b", "-", "]", "[a", "*", "é"]);
        matches(".*", &[".a"]);
        matches("?", &["a", "b", "-", "]", "*", "é"]);
        matches("a*", &["a", "ab", "abc"]);
        matches("a?*", &["ab", "abc"]);
        matches("[ab]", &["a", "b"]);
        matches("[!ab]", &["-", "]", "*", "é"]);
        matches("[a-c]*c", &["abc"]);
        matches("*[-]", &["-"]);
        matches("\\*", &[]);
        matches("[", &[]);
        matches("\\[*", &["[a"]);
        matches(&"*a".repeat(127), &[]);
        matches(&"*".repeat(256), &[]);
    }
}
