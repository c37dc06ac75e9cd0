//! [`BodyTrace`], the beginning of a body as an event.

use std::fmt::Write as _;

use super::{HttpTrace, log_body};

/// Bytes per line of a hexadecimal dump.
const ROW: usize = 16;

/// The length of a dump's line without its characters: offset, bytes and separators.
const ROW_OVERHEAD: usize = 63;

/// The beginning of a body, collected as it arrives.
pub(crate) struct BodyTrace {
    limit: usize,
    kept: Vec<u8>,
    length: usize,
    is_binary: bool,
}

impl BodyTrace {
    /// `None` if the detail has no bodies, or no subscriber takes the events.
    pub(crate) fn begin(configured: HttpTrace) -> Option<Self> {
        let limit = match HttpTrace::asked_for(configured)? {
            HttpTrace::Timing | HttpTrace::RequestHeaders => return None,
            HttpTrace::Bodies => 1024,
            HttpTrace::Curl => 10_240,
            HttpTrace::WholeBodies => usize::MAX,
        };
        Some(BodyTrace { limit, kept: Vec::new(), length: 0, is_binary: false })
    }

    /// Logs the body of a request.
    pub(crate) fn request(configured: HttpTrace, body: &[u8]) {
        if let Some(mut trace) = BodyTrace::begin(configured) {
            trace.push(body);
            trace.log("Request Body");
        }
    }

    /// Adds the next part of the body.
    pub(crate) fn push(&mut self, part: &[u8]) {
        let rest = self.limit.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&part[..rest.min(part.len())]);
        self.length += part.len();
        // client-go's test for a body that cannot be printed.
        self.is_binary = self.is_binary || part.iter().any(|byte| *byte < b'\n');
    }

    /// Logs the body of a response, after its last part.
    pub(crate) fn response(self) {
        self.log("Response Body");
    }

    fn log(self, message: &str) {
        log_body(message, &self.body());
    }

    /// The text of the body, or a dump of it, and the number of characters that are left out.
    fn body(&self) -> String {
        let (mut body, length) = if self.is_binary {
            let mut dump = dump(&self.kept);
            // A dump is longer than its bytes, and has one byte per character.
            dump.truncate(self.limit);
            let rest = self.length % ROW;
            let last = if rest == 0 { 0 } else { ROW_OVERHEAD + rest };
            (dump, self.length / ROW * (ROW_OVERHEAD + ROW) + last)
        } else {
            (String::from_utf8_lossy(&self.kept).into_owned(), self.length)
        };
        if length > self.limit {
            body.push_str(&format!(" [truncated {} chars]", length - self.limit));
        }
        body
    }
}

/// A dump as Go's `hex.Dump` and `hexdump -C` write it.
fn dump(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(ROW) * (ROW_OVERHEAD + ROW));
    for (number, row) in bytes.chunks(ROW).enumerate() {
        let mut hex = String::new();
        for (index, byte) in row.iter().enumerate() {
            let gap = if index == ROW / 2 { "  " } else { " " };
            write!(hex, "{gap}{byte:02x}").expect("a String takes all text");
        }
        let printable = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
        let characters: String = row.iter().map(printable).collect();
        writeln!(out, "{:08x} {hex:<49}  |{characters}|", number * ROW).expect("a String takes all text");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: usize, parts: &[&[u8]], shown: &str) {
        let mut trace = BodyTrace { limit, kept: Vec::new(), length: 0, is_binary: false };
        parts.iter().for_each(|part| trace.push(part));
        assert_eq!(trace.body(), shown);
    }

    #[test]
    fn bodies_are_cut_at_the_limit() {
        check(8, &[], "");
        check(8, &[b"{\"a\":", b"1}\n"], "{\"a\":1}\n");
        check(8, &[b"{\"a\":", b"1, \"b\": 2}"], "{\"a\":1,  [truncated 7 chars]");
        let first = "00000000  6b 38 73 00 0a 0c 0a 02  76 31 12 06 53 65 63 72  |k8s.....v1..Secr|\n";
        let second = format!("00000010  65 74{}|et|\n", " ".repeat(45));
        let bytes = b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret";
        check(1024, &[&bytes[..5], &bytes[5..]], &format!("{first}{second}"));
        check(20, &[bytes], &format!("{} [truncated 124 chars]", &first[..20]));
    }
}
