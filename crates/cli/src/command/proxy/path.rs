//! Paths of requests: their escapes and their shortest form.

/// Decodes the escapes of a path; `None` if there is one that two hexadecimal digits do not follow. Bytes that are not
/// UTF-8 become U+FFFD.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(
        String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

/// The rest of a path behind a prefix that ends with a slash, with its escapes. The segments of the prefix may be escaped in
/// the path; an escaped slash separates none.
pub(super) fn behind<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = path.strip_prefix('/')?;
    for segment in prefix.split_terminator('/').skip(1) {
        let (first, others) = rest.split_once('/')?;
        if decoded(first)? != segment {
            return None;
        }
        rest = others;
    }
    Some(rest)
}

/// Escapes a path, as Go's `URL.EscapedPath`.
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte.into()),
            b'-' | b'_' | b'.' | b'~' | b'/' | b'$' | b'&' | b'+' | b',' | b':' | b';' | b'=' | b'@' => {
                out.push(byte.into());
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The path without `.`, `..` and empty segments, as Go's `cleanPath`.
pub(super) fn clean(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_escaped() {
        for (path, cleaned) in [
            ("", "/"),
            ("/", "/"),
            ("/a//b/./c/../d/", "/a/b/d/"),
            ("/../..", "/"),
            ("a", "/a"),
            ("/a/..", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert_eq!(decoded("/a%2Fb%20"), Some("/a/b ".to_owned()));
        for malformed in ["/%", "/%2", "/%zz"] {
            assert_eq!(decoded(malformed), None, "{malformed}");
        }
        assert_eq!(decoded("/%ff"), Some("/\u{FFFD}".to_owned()));
        assert_eq!(encoded("/a b?c/ü"), "/a%20b%3Fc/%C3%BC");
    }

    #[test]
    fn an_escaped_slash_separates_no_segments() {
        for (path, prefix, rest) in [
            ("/version", "/", Some("version")),
            ("/", "/", Some("")),
            ("/%2fversion", "/", Some("%2fversion")),
            ("/static/a%2Fb", "/static/", Some("a%2Fb")),
            ("/%73tatic/a", "/static/", Some("a")),
            ("/static%2fa", "/static/", None),
            ("/static", "/static/", None),
            ("/a/b/c", "/a/b/", Some("c")),
            ("/statics/a", "/static/", None),
        ] {
            assert_eq!(behind(path, prefix), rest, "{path} {prefix}");
        }
    }
}
