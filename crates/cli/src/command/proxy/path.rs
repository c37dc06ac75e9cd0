//! Paths of requests: their escapes and their shortest form.

/// Decodes the escapes of a path; `None` if there is one that two hexadecimal digits do not follow, or it is not UTF-8.
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
    String::from_utf8(out).ok()
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
        for malformed in ["/%", "/%2", "/%zz", "/%ff"] {
            assert_eq!(decoded(malformed), None, "{malformed}");
        }
        assert_eq!(encoded("/a b?c/ü"), "/a%20b%3Fc/%C3%BC");
    }
}
