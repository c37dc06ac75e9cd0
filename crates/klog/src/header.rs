//! The header of a line: `I1129 14:35:31.123456   12345 main.rs:58] `.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::format::push_number;
use crate::{Severity, local_time};

/// The place in the program that a line comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position<'a> {
    file: Option<&'a str>,
    line: u32,
}

impl<'a> Position<'a> {
    pub(crate) fn new(file: Option<&'a str>, line: Option<u32>) -> Self {
        match file {
            Some(_) => Position { file, line: line.unwrap_or_default() },
            None => Position { file: None, line: 1 },
        }
    }

    /// The name of the file, with that of its folder on request.
    pub(crate) fn file(self, with_folder: bool) -> &'a str {
        let Some(path) = self.file else { return "???" };
        let slashes = if with_folder { 2 } else { 1 };
        let separator = path.rmatch_indices(['/', '\\']).nth(slashes - 1);
        separator.map_or(path, |(at, _)| &path[at + 1..])
    }

    pub(crate) fn line(self) -> u32 {
        self.line
    }
}

/// Appends the header, with the present time of day where the program runs.
pub(crate) fn push_header(out: &mut String, severity: Severity, position: Position<'_>, with_folder: bool) {
    static PROCESS: LazyLock<String> = LazyLock::new(|| format!(" {:>7} ", std::process::id()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    out.push(severity.letter());
    push_second(out, i64::try_from(now.as_secs()).unwrap_or_default());
    let micros = (now.subsec_micros() + 1_000_000).into();
    let dot = out.len();
    push_number(out, micros);
    // The first digit is 1, which kept the zeros.
    out.replace_range(dot..=dot, ".");
    out.push_str(&PROCESS);
    out.push_str(position.file(with_folder));
    out.push(':');
    push_number(out, position.line().into());
    out.push_str("] ");
}

/// Appends a second as `mmdd hh:mm:ss`. Each thread keeps the last.
fn push_second(out: &mut String, second: i64) {
    const LENGTH: usize = "mmdd hh:mm:ss".len();
    thread_local! {
        static LAST: Cell<(i64, [u8; LENGTH])> = const { Cell::new((i64::MIN, [0; LENGTH])) };
    }
    let (last, mut text) = LAST.get();
    if last != second {
        let time = local_time::at(Timestamp::from_second(second).unwrap_or_default());
        let formatted = time.strftime("%m%d %H:%M:%S").to_string();
        text.copy_from_slice(formatted.as_bytes());
        LAST.set((second, text));
    }
    out.push_str(std::str::from_utf8(&text).expect("digits and colons are ASCII"));
}

/// Returns a line of klog's text format for a message, with the present time, for programs that end with it.
pub fn line(severity: Severity, file: &str, line: u32, message: &str) -> String {
    let mut out = String::new();
    push_header(&mut out, severity, Position::new(Some(file), Some(line)), false);
    out.push_str(message);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_the_columns_of_klog() {
        let header = line(Severity::Error, "src/command/get.rs", 7, "x");
        assert_eq!(&header[30..], "get.rs:7] x");
        let shape: String = header.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(&shape[..22], "E0000 00:00:00.000000 ");
        let process: u32 = header[22..29].trim().parse().unwrap();
        assert_eq!(process, std::process::id());
    }

    #[test]
    fn a_position_is_a_file_with_its_folder_on_request() {
        let of = |file| Position::new(file, Some(3));
        assert_eq!(of(Some("a/b/c.rs")).file(false), "c.rs");
        assert_eq!(of(Some("a/b/c.rs")).file(true), "b/c.rs");
        assert_eq!(of(Some("c.rs")).file(true), "c.rs");
        assert_eq!((of(None).file(true), of(None).line()), ("???", 1));
    }
}
