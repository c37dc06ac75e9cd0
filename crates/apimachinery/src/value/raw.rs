//! JSON that is kept as it came: [`Json`], [`RawExtension`], [`FieldsV1`], and [`ByteString`].

use std::fmt;

use serde_json::value::RawValue;

/// A JSON value kept as text, such as a default in a CRD's schema.
///
/// ```
/// use klient_apimachinery::Json;
/// let json = Json::from(serde_json::json!({"size": 3}));
/// assert_eq!(json.as_str(), r#"{"size":3}"#);
/// assert_eq!(json.to_value()["size"], 3);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

/// An object of any kind inside another, kept as JSON text.
pub type RawExtension = Json;

/// A set of fields, as in `managedFields`, kept as JSON text.
pub type FieldsV1 = Json;

impl Json {
    /// The text, which is one JSON value. That of managed fields which came in protobuf was not checked; JSON is
    /// written with `null` in its place if it is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Checks that `text` is one JSON value.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Box<RawValue>>(text).map(Json::from)
    }
}

impl Json {
    /// From text that a parser has checked.
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

/// Bytes that JSON writes in base64, such as a Secret's data. `Debug` says only how many there are.
///
/// ```
/// use klient_apimachinery::ByteString;
/// assert_eq!(format!("{:?}", ByteString::from("s3cret")), "6 bytes");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteString(pub Vec<u8>);

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
