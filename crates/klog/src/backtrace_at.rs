//! [`BacktraceAt`], a position whose lines get the stack (`--log-backtrace-at`).

use klient_apimachinery::go::quoted;

use crate::Error;
use crate::header::Position;

/// A file and a line in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BacktraceAt {
    file: String,
    line: u32,
}

impl BacktraceAt {
    /// Parses `main.rs:58`; nothing if the text is empty. Errors name the flag and the text.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Error> {
        BacktraceAt::read(text)
            .map_err(|problem| Error::new(format!("--log-backtrace-at: {}: {problem}", quoted(text))))
    }

    /// The same with errors that name the problem alone.
    pub(crate) fn read(text: &str) -> Result<Option<Self>, &'static str> {
        const SYNTAX: &str = "syntax error: expect file.rs:234";
        if text.is_empty() {
            return Ok(None);
        }
        let (file, line) = text.split_once(':').filter(|(file, _)| file.contains('.')).ok_or(SYNTAX)?;
        let line: i64 = line.parse().map_err(|_| SYNTAX)?;
        match u32::try_from(line) {
            Ok(line) if line > 0 => Ok(Some(BacktraceAt { file: file.to_owned(), line })),
            _ => Err("negative or zero value for level"),
        }
    }

    pub(crate) fn is(&self, position: Position<'_>) -> bool {
        self.line == position.line() && self.file == position.file(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_that_does_not_parse_is_one_error() {
        assert_eq!(BacktraceAt::parse("").unwrap(), None);
        assert!(
            BacktraceAt::parse("main.rs:3").unwrap().unwrap().is(Position::new(Some("src/main.rs"), Some(3)))
        );
        for (text, problem) in [
            ("main.rs", "--log-backtrace-at: \"main.rs\": syntax error: expect file.rs:234"),
            ("main:3", "--log-backtrace-at: \"main:3\": syntax error: expect file.rs:234"),
            ("main.rs:x", "--log-backtrace-at: \"main.rs:x\": syntax error: expect file.rs:234"),
            ("main.rs:0", "--log-backtrace-at: \"main.rs:0\": negative or zero value for level"),
        ] {
            assert_eq!(BacktraceAt::parse(text).unwrap_err().to_string(), problem);
        }
    }
}
