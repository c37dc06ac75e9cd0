//! Warnings that a server sends beside its answers.

/// The texts of a `Warning` header (RFC 7234), one or more of `299 - "text"`, each perhaps with a date. Other codes
/// are not for people. What follows an error is passed over.
pub(crate) fn warnings(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header;
    while let Some((code, text, behind)) = warning(rest) {
        if code == "299" && !text.is_empty() {
            texts.push(text);
        }
        rest = behind;
    }
    texts
}

/// The code and text of the first warning, and the rest of the header.
fn warning(header: &str) -> Option<(&str, String, &str)> {
    let (code, rest) = header.trim_start().split_once(' ')?;
    let (_agent, rest) = rest.split_once(' ')?;
    let (text, rest) = quoted(rest)?;
    let rest = rest.trim_start();
    let rest = if rest.starts_with('"') { quoted(rest)?.1.trim_start() } else { rest };
    match rest.strip_prefix(',') {
        Some(behind) => Some((code, text, behind)),
        None => rest.is_empty().then_some((code, text, rest)),
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
        let check = |header: &str, texts: &[&str]| assert_eq!(warnings(header), texts, "{header}");
        check(r#"299 - "unknown field \"a\"""#, &[r#"unknown field "a""#]);
        check(r#"199 - "no""#, &[]);
        check(r#"299 - "cut"#, &[]);
        check("299", &[]);
        check(r#"299 - "a, b", 199 x "no" "Sat, 25 Aug 2012 23:34:45 GMT",299 y "c""#, &["a, b", "c"]);
        check(r#"299 - "" , 299 - "d" 7, 299 - "e""#, &[]);
    }
}
