//! Raw JSON: [`Json`], [`RawExtension`], [`FieldsV1`]; and [`ByteString`].

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use serde_json::value::RawValue;

/// A JSON value kept as a string, such as a default in a CRD's schema.
///
/// ```
/// use klient_apimachinery::Json;
/// let json = Json::from(serde_json::json!({"size": 3}));
/// assert_eq!(json.as_str(), r#"{"size":3}"#);
/// assert_eq!(json.to_value()["size"], 3);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

/// An object of any kind inside another, kept as JSON.
pub type RawExtension = Json;

/// A set of fields in `managedFields`, kept as JSON.
pub type FieldsV1 = Json;

impl Json {
    /// The JSON. Managed fields that came in protobuf are not checked; in an object's JSON they become `null` if they
    /// are not JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Checks that `text` is one JSON value and keeps it.
    ///
    /// # Errors
    ///
    /// If it is not JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Box<RawValue>>(text).map(Json::from)
    }
}

impl Json {
    /// From the string of a JSON value that a parser has checked.
    pub(crate) fn from_checked(text: &str) -> Self {
        Json(text.into())
    }
}

impl Default for Json {
    fn default() -> Self {
        Json("null".into())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Json(raw.into())
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Json(value.to_string().into())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes that JSON writes in base64, such as a Secret's data. `Debug` shows their number only.
///
/// ```
/// use klient_apimachinery::ByteString;
/// assert_eq!(format!("{:?}", ByteString::from("s3cret")), "6 bytes");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteString(pub Vec<u8>);

impl ByteString {
    /// Decodes base64 as Go's decoder does; it may have line breaks, such as those of the program `base64`.
    ///
    /// ```
    /// use klient_apimachinery::ByteString;
    /// assert_eq!(ByteString::from_base64("czNj\ncmV0\n")?.as_ref(), b"s3cret");
    /// # Ok::<(), klient_apimachinery::InvalidBase64>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is not base64 with padding.
    pub fn from_base64(text: &str) -> Result<ByteString, InvalidBase64> {
        let is_break = |c| c == '\r' || c == '\n';
        let bytes = match text.contains(is_break) {
            true => BASE64.decode(text.replace(is_break, "")),
            false => BASE64.decode(text),
        };
        bytes.map(ByteString).map_err(|_| InvalidBase64 { at: first_fault(text.as_bytes()) })
    }

    /// Encodes the bytes in base64, without line breaks.
    pub fn to_base64(&self) -> String {
        BASE64.encode(self)
    }
}

/// Go's decoder ignores the unused bits of the last character.
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// The offset at which Go's decoder finds that a string is not base64. It reads four characters at a time, and names
/// the first of those that are too few, without counting line breaks among them.
fn first_fault(text: &[u8]) -> usize {
    let is_break = |c: u8| c == b'\r' || c == b'\n';
    let mut at = 0;
    loop {
        let mut taken = 0;
        while taken < 4 {
            let Some(&c) = text.get(at) else { return at - taken };
            at += 1;
            match c {
                _ if is_break(c) => {}
                b'=' if taken >= 2 => {
                    let next = |at: usize| at + text[at..].iter().take_while(|c| is_break(**c)).count();
                    at = next(at);
                    if taken == 2 {
                        match text.get(at) {
                            None => return at,
                            Some(b'=') => at = next(at + 1),
                            Some(_) => return at - 1,
                        }
                    }
                    return at;
                }
                b'+' | b'/' => taken += 1,
                c if c.is_ascii_alphanumeric() => taken += 1,
                _ => return at - 1,
            }
        }
    }
}

/// A string that is not base64; the message is that of Go, which API servers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBase64 {
    at: usize,
}

impl fmt::Display for InvalidBase64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "illegal base64 data at input byte {}", self.at)
    }
}

impl std::error::Error for InvalidBase64 {}

impl<T: Into<Vec<u8>>> From<T> for ByteString {
    fn from(bytes: T) -> Self {
        ByteString(bytes.into())
    }
}

impl AsRef<[u8]> for ByteString {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
