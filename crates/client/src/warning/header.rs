//! The syntax of `Warning` headers.

use super::Warning;

/// The warnings of a `Warning` header (RFC 7234), one or more of `299 - "text"`, each perhaps with a date. Other codes
/// are not for people. The rest of the header after an error is passed over.
pub(super) fn warnings(header: &str) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut rest = header;
    while let Some((code, warning, behind)) = warning(rest) {
        if code == "299" && !warning.text.is_empty() {
            warnings.push(warning);
        }
        rest = behind;
    }
    warnings
}

/// The code and the first warning, and the rest of the header.
fn warning(header: &str) -> Option<(&str, Warning, &str)> {
    let (code, rest) = header.trim_start().split_once(' ')?;
    let (agent, rest) = rest.split_once(' ')?;
    let (text, rest) = quoted(rest)?;
    let rest = rest.trim_start();
    let rest = if rest.starts_with('"') { quoted(rest)?.1.trim_start() } else { rest };
    let warning = Warning { agent: agent.to_owned(), text };
    match rest.strip_prefix(',') {
        Some(behind) => Some((code, warning, behind)),
        None => rest.is_empty().then_some((code, warning, rest)),
    }
}

/// A quoted string, and the rest of the header.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut chars = text.trim_start().strip_prefix('"')?.chars();
    let mut out = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((out, chars.as_str())),
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_for_people_are_read() {
        let check = |header: &str, texts: &[&str]| {
            let found: Vec<String> = warnings(header).into_iter().map(|warning| warning.text).collect();
            assert_eq!(found, texts, "{header}");
        };
        check(r#"299 - "unknown field \"a\"""#, &[r#"unknown field "a""#]);
        check(r#"199 - "no""#, &[]);
        check(r#"299 - "cut"#, &[]);
        check("299", &[]);
        check(r#"299 - "a, b", 199 x "no" "Sat, 25 Aug 2012 23:34:45 GMT",299 y "c""#, &["a, b", "c"]);
        check(r#"299 - "" , 299 - "d" 7, 299 - "e""#, &[]);
    }
}
