//! The blocks of PEM (RFC 7468).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The label of a certificate.
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";

/// A block of PEM with its label.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    /// The lines of the block, from the first to the last.
    pub(crate) text: String,
}

/// The blocks of a text. Other lines are passed over.
///
/// # Errors
///
/// If the text is not UTF-8, or ends within a block.
pub(crate) fn blocks(pem: &[u8]) -> Result<Vec<Block<'_>>, String> {
    let pem = str::from_utf8(pem).map_err(|_| "it is not PEM: it is not UTF-8".to_owned())?;
    let (mut complete, mut open) = (Vec::new(), None::<Block<'_>>);
    for line in pem.lines().map(str::trim_end) {
        if let Some(label) = marker(line, "BEGIN") {
            open = Some(Block { label, text: String::new() });
        }
        let Some(block) = &mut open else { continue };
        block.text.push_str(line);
        block.text.push('\n');
        if marker(line, "END") == Some(block.label) {
            complete.extend(open.take());
        }
    }
    match open {
        Some(Block { label, .. }) => Err(format!("it ends within a block {label}")),
        None => Ok(complete),
    }
}

fn marker<'a>(line: &'a str, which: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?.strip_prefix(which)?.strip_prefix(' ')?.strip_suffix("-----")
}

/// DER as a block of PEM.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    const LINE: usize = 64;
    let base64 = BASE64.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(LINE) {
        let line = str::from_utf8(line).expect("base64 is ASCII");
        pem.extend([line, "\n"]);
    }
    let _ = writeln!(pem, "-----END {label}-----");
    pem
}
