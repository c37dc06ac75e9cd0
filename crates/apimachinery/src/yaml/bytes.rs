//! Encodings of YAML: UTF-8, and UTF-16 with a byte order mark.

use std::borrow::Cow;

use serde_json::Value;

use super::{DuplicateKey, YamlError, from_str_with_duplicates};

/// Decodes the bytes of a file as kubectl does: UTF-16 with a byte order mark (which PowerShell's `>` writes), else
/// UTF-8. U+FFFD replaces invalid code units.
///
/// ```
/// use klient_apimachinery::yaml;
/// assert_eq!(yaml::text(b"\xff\xfea\0:\0 \x001\0"), "a: 1");
/// ```
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match utf_16(bytes) {
        Some(units) => {
            let chars = char::decode_utf16(units.map(|unit| unit.unwrap_or(0xfffd)));
            chars.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
        }
        None => String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    }
}

/// Parses one document in UTF-8, or in UTF-16 with a byte order mark; `null` if there is none.
///
/// # Errors
///
/// The same as those of [`from_str`](super::from_str), and for bytes that are invalid in the encoding.
pub fn from_slice(bytes: &[u8]) -> Result<Value, YamlError> {
    from_slice_with_duplicates(bytes).map(|(value, _)| value)
}

/// Parses as [`from_slice`], and returns the duplicate keys.
///
/// # Errors
///
/// The same as those of [`from_slice`].
pub fn from_slice_with_duplicates(bytes: &[u8]) -> Result<(Value, Vec<DuplicateKey>), YamlError> {
    if let Some(units) = utf_16(bytes) {
        let units: Option<Vec<u16>> = units.collect();
        let units = units.ok_or_else(|| YamlError::yaml("incomplete UTF-16 character"))?;
        let text =
            String::from_utf16(&units).map_err(|_| YamlError::yaml("unexpected low surrogate area"))?;
        return from_str_with_duplicates(&text);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => from_str_with_duplicates(text),
        Err(error) => Err(YamlError::yaml(match (bytes[error.valid_up_to()], error.error_len()) {
            (0x80..0xc0 | 0xf8.., _) => "invalid leading UTF-8 octet",
            (_, None) => "incomplete UTF-8 octet sequence",
            (_, Some(_)) => "invalid trailing UTF-8 octet",
        })),
    }
}

/// The code units of UTF-16 behind a byte order mark; `None` for a single byte left over.
fn utf_16(bytes: &[u8]) -> Option<impl Iterator<Item = Option<u16>>> {
    let (order, bytes): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, bytes @ ..] => (u16::from_le_bytes, bytes),
        [0xfe, 0xff, bytes @ ..] => (u16::from_be_bytes, bytes),
        _ => return None,
    };
    Some(bytes.chunks(2).map(move |unit| unit.try_into().ok().map(order)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
    }

    #[test]
    fn utf_16_with_a_byte_order_mark_is_decoded() {
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes = utf_16("a: é😀\r\n", order);
            assert_eq!(text(&bytes), "a: é😀\r\n");
            assert_eq!(from_slice(&bytes), Ok(json!({"a": "é😀"})));
        }
        assert_eq!(text(b"\xef\xbb\xbfa: 1"), "a: 1");
        assert_eq!(from_slice(b"\xef\xbb\xbfa: 1"), Ok(json!({"a": 1})));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_in_files_and_refused_elsewhere() {
        for (bytes, replaced, problem) in [
            (&b"a: \xff"[..], "a: \u{fffd}", "yaml: invalid leading UTF-8 octet"),
            (b"a: \xe2(\xa1", "a: \u{fffd}(\u{fffd}", "yaml: invalid trailing UTF-8 octet"),
            (b"a: \xe2\x82", "a: \u{fffd}", "yaml: incomplete UTF-8 octet sequence"),
            (b"\xff\xfea\0:", "a\u{fffd}", "yaml: incomplete UTF-16 character"),
            (b"\xff\xfea\0\0\xdc", "a\u{fffd}", "yaml: unexpected low surrogate area"),
        ] {
            assert_eq!(text(bytes), replaced);
            assert_eq!(from_slice(bytes).unwrap_err().to_string(), problem);
        }
    }
}
