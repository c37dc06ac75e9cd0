//! `grep`.

use regex::bytes::RegexBuilder;
use tokio::io::AsyncReadExt as _;

use super::super::shell::{Io, Shell};
use super::{PART, inputs};

/// The size of a compiled pattern, and the longest line, in bytes.
const MAX_PATTERN: usize = 1024 * 1024;
const MAX_LINE: usize = 1024 * 1024;

/// The exit code of a pattern that is none, and of a file that cannot be read.
const FAILED: u8 = 2;

/// Prints the lines that match a pattern, with the options `-E`, `-F`, `-c`, `-i`, `-n`, `-q` and `-v`.
pub(super) async fn grep(shell: &Shell, words: &[&str], io: &Io) -> u8 {
    let count = words.iter().take_while(|word| word.starts_with('-') && word.len() > 1).count();
    let (options, rest) = words.split_at(count);
    let is_set = |flag: char| options.iter().any(|option| option.contains(flag));
    let Some((pattern, files)) = rest.split_first() else {
        io.complain("grep: a pattern is required").await;
        return FAILED;
    };
    let pattern = if is_set('F') { regex::escape(pattern) } else { (*pattern).to_owned() };
    let built = RegexBuilder::new(&pattern)
        .case_insensitive(is_set('i'))
        .unicode(false)
        .size_limit(MAX_PATTERN)
        .dfa_size_limit(MAX_PATTERN)
        .build();
    let Ok(regex) = built else {
        io.complain(format!("grep: bad regex '{pattern}'")).await;
        return FAILED;
    };
    let (inputs, failed) = inputs(shell, "grep", files, io).await;
    let mut code = 1;
    for input in inputs {
        let (mut number, mut found, mut line, mut part) = (0_u64, 0_u64, Vec::new(), vec![0; PART]);
        let mut stdin = input.stdin.lock().await;
        loop {
            let Ok(read) = stdin.read(&mut part).await else { return FAILED };
            let mut matched = Vec::new();
            let mut bytes = &part[..read];
            // The end of the input ends its last line.
            while !bytes.is_empty() || (read == 0 && !line.is_empty()) {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
                bytes = &bytes[end.map_or(bytes.len(), |end| end + 1)..];
                if line.len() > MAX_LINE {
                    input.complain("grep: Line too long").await;
                    return FAILED;
                }
                if end.is_none() && read > 0 {
                    break;
                }
                number += 1;
                if regex.is_match(&line) != is_set('v') {
                    found += 1;
                    if is_set('n') {
                        matched.extend_from_slice(format!("{number}:").as_bytes());
                    }
                    matched.extend_from_slice(&line);
                    matched.push(b'\n');
                }
                line.clear();
            }
            if found > 0 && is_set('q') {
                return 0;
            }
            if !matched.is_empty() && !is_set('c') && !input.print(&matched).await {
                return FAILED;
            }
            if read == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(stdin);
        if is_set('c') && !input.print(format!("{found}\n")).await {
            return FAILED;
        }
        if found > 0 {
            code = 0;
        }
    }
    if failed != 0 { FAILED } else { code }
}
