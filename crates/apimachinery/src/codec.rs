//! Encoding and decoding of objects: JSON and protobuf, whole, item by item, or field by field.

mod encoded;
mod field_path;
pub mod json;
mod list;
mod list_reader;
pub mod protobuf;

use std::borrow::Cow;
use std::fmt;

pub(crate) use encoded::check_by_decoding;
#[doc(hidden)]
pub use encoded::check_item;
pub use encoded::{Encoded, EncodedMeta, EncodedOwner, Identity};
pub use field_path::{FieldPath, InvalidPath};
pub use list_reader::ListReader;

use crate::schema::Schema;

/// The encoding of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// Protobuf, in the envelope `runtime.Unknown`.
    Protobuf,
}

/// The treatment of `managedFields` when objects are read. They are a quarter of many objects, and few programs look at
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManagedFields {
    /// Decodes them like all other fields.
    #[default]
    Keep,
    /// Skips them, which saves their time and memory. An update with such an object leaves them unchanged on the
    /// server.
    Skip,
}

/// A type with a JSON encoding, and for built-in types a protobuf encoding.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to a server nor received from one",
    label = "this is no type of the Kubernetes API",
    note = "declare the struct of a custom resource with `klient::custom_resource!`",
    note = "`klient::Unstructured` is an object of any kind"
)]
pub trait Wire: Sized + Send + Sync + 'static {
    /// Reads JSON.
    ///
    /// # Errors
    ///
    /// If the bytes are not JSON, or not JSON of this type; the error says where.
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// Appends JSON to `out`.
    fn to_json(&self, out: &mut Vec<u8>);

    /// Returns true if the type has a protobuf encoding.
    fn has_protobuf() -> bool {
        false
    }

    /// Reads protobuf.
    ///
    /// # Errors
    ///
    /// If the bytes are not protobuf of this type, or protobuf does not have the type.
    fn from_protobuf(bytes: &[u8]) -> Result<Self, DecodeError> {
        let kind = protobuf::Envelope::parse(bytes)?.kind;
        Err(DecodeError::of_document(format_args!("{kind} came in protobuf, and is known in JSON only")))
    }

    /// Appends protobuf to `out`: nothing where protobuf does not have the type.
    fn to_protobuf(&self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// Reads one YAML or JSON document, as kubectl reads manifests. [`yaml::documents`](crate::yaml::documents) splits
    /// a file of several.
    ///
    /// ```
    /// use klient_apimachinery::codec::Wire;
    /// use klient_apimachinery::meta::v1::PartialObjectMetadata;
    ///
    /// let object = PartialObjectMetadata::from_yaml("metadata: {name: web, labels: {app: web}}")?;
    /// assert_eq!(object.metadata.labels["app"], "web");
    /// # Ok::<(), klient_apimachinery::codec::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the string is not YAML, has more than one document, or is not of this type; the error names the field.
    fn from_yaml(text: &str) -> Result<Self, DecodeError> {
        let value = crate::yaml::single_document(text).map_err(DecodeError::of_document)?;
        Self::from_json(value.to_string().as_bytes())
    }

    /// The YAML that `kubectl get -o yaml` prints.
    fn to_yaml(&self) -> String {
        let mut json = Vec::new();
        self.to_json(&mut json);
        let value = serde_json::from_slice(&json).expect("a type writes valid JSON");
        crate::yaml::to_string(&value)
    }

    /// Reads bytes of either format.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json) and [`from_protobuf`](Self::from_protobuf).
    fn decode(format: Format, bytes: &[u8]) -> Result<Self, DecodeError> {
        match format {
            Format::Json => Self::from_json(bytes),
            Format::Protobuf => Self::from_protobuf(bytes),
        }
    }

    /// Appends the JSON of a top-level field: nothing if it is left out. Fields in it that the type does not know may be
    /// missing.
    #[doc(hidden)]
    fn field_to_json(&self, name: &str, out: &mut Vec<u8>) {
        let mut json = Vec::new();
        self.to_json(&mut json);
        out.extend_from_slice(json::field(&json, name).unwrap_or_default().as_bytes());
    }

    /// Reads the JSON value at the beginning of `bytes` and returns it with its length; `None` if the bytes end within
    /// it.
    #[doc(hidden)]
    fn item_from_json(
        bytes: &[u8],
        managed_fields: ManagedFields,
    ) -> Result<Option<(Self, usize)>, DecodeError> {
        let _ = managed_fields;
        match json::value_at(bytes)? {
            Some(value) => Ok(Some((Self::from_json(value)?, value.len()))),
            None => Ok(None),
        }
    }

    /// Reads the protobuf of an item of a list, which has no envelope of its own.
    #[doc(hidden)]
    fn item_from_protobuf(bytes: &[u8], managed_fields: ManagedFields) -> Result<Self, DecodeError> {
        let _ = (bytes, managed_fields);
        Err(DecodeError::of_document("the list came in protobuf, and its items are known in JSON only"))
    }

    /// The kind and schema known at compile time; `None` for types without a schema.
    #[doc(hidden)]
    fn table() -> Option<KindTable> {
        None
    }

    /// Checks that an item can be decoded, and returns its metadata.
    #[doc(hidden)]
    fn check_item(format: Format, bytes: &[u8]) -> Result<EncodedMeta<'_>, DecodeError> {
        check_by_decoding::<Self>(format, bytes)
    }

    /// The value of a field as a string.
    #[doc(hidden)]
    fn text_at<'a>(&'a self, path: &FieldPath<Self>) -> Option<Cow<'a, str>> {
        let mut json = Vec::new();
        self.to_json(&mut json);
        path.text_in_bytes(Format::Json, &json).map(|text| Cow::Owned(text.into_owned()))
    }

    /// Checks the `apiVersion` and `kind` of an object; an error if they are those of another kind.
    #[doc(hidden)]
    fn check_kind(api_version: &str, kind: &str) -> Result<(), DecodeError> {
        let _ = (api_version, kind);
        Ok(())
    }

    /// Returns true for `PartialObjectMetadata`, to which servers convert objects of any kind.
    #[doc(hidden)]
    fn is_partial() -> bool {
        false
    }

    /// Sets the kind of an item from that of its list, which built-in lists leave out of their items.
    #[doc(hidden)]
    fn set_list_type(&mut self, api_version: &str, kind: &str) {
        let _ = (api_version, kind);
    }

    /// The `apiVersion` and `kind` of a list of such items.
    #[doc(hidden)]
    fn list_type(items: &[Self]) -> (String, String) {
        let _ = items;
        ("v1".to_owned(), "List".to_owned())
    }

    /// Appends the protobuf of a list.
    #[doc(hidden)]
    fn list_to_protobuf(list: &crate::List<Self>, out: &mut Vec<u8>) {
        let _ = (list, out);
    }

    /// Checks the `apiVersion` and `kind` of a list; an error if they are those of another kind.
    #[doc(hidden)]
    fn check_list(api_version: &str, kind: &str) -> Result<(), DecodeError> {
        let _ = (api_version, kind);
        Ok(())
    }
}

/// A type with an `apiVersion` and a `kind` of its own.
pub trait SchemaKind {
    /// The `apiVersion`, such as `apps/v1`.
    const API_VERSION: &'static str;
    /// The kind, such as `Deployment`.
    const KIND: &'static str;
    /// The schema of the struct.
    const SCHEMA: &'static Schema;
}

/// The names and the schema of a [`SchemaKind`], without its type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KindTable {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) schema: &'static Schema,
}

impl KindTable {
    /// The names and schema of a kind.
    pub const fn of<K: SchemaKind>() -> Self {
        KindTable { api_version: K::API_VERSION, kind: K::KIND, schema: K::SCHEMA }
    }
}

/// The `apiVersion` and `kind` of a list.
#[doc(hidden)]
pub fn list_type<K: SchemaKind>() -> (String, String) {
    (K::API_VERSION.to_owned(), format!("{}List", K::KIND))
}

/// Checks the `apiVersion` and `kind` of an object against those of `K`.
#[doc(hidden)]
pub fn check_kind<K: SchemaKind>(api_version: &str, kind: &str) -> Result<(), DecodeError> {
    expect_kind((K::API_VERSION, K::KIND), (api_version, kind))
}

/// Checks the `apiVersion` and `kind` of a list against those of `K`. Empty ones are accepted.
#[doc(hidden)]
pub fn check_list<K: SchemaKind>(api_version: &str, kind: &str) -> Result<(), DecodeError> {
    expect_list((K::API_VERSION, K::KIND), (api_version, kind))
}

/// Checks an `apiVersion` and `kind` against those expected.
pub(crate) fn expect_kind(expected: (&str, &str), found: (&str, &str)) -> Result<(), DecodeError> {
    if found == expected {
        return Ok(());
    }
    let ((api_version, kind), (found_version, found_kind)) = (expected, found);
    Err(DecodeError::of_document(format_args!(
        "expected {api_version} {kind}, found {found_version} {found_kind}"
    )))
}

/// Checks that a list is one of the expected `apiVersion` and `kind`.
pub(crate) fn expect_list(expected: (&str, &str), found: (&str, &str)) -> Result<(), DecodeError> {
    let ((api_version, kind), (found_version, found_kind)) = (expected, found);
    let is_any = matches!(found_kind, "" | "List");
    let is_own = found_kind.strip_suffix("List") == Some(kind);
    if is_any || (is_own && (found_version.is_empty() || found_version == api_version)) {
        return Ok(());
    }
    Err(DecodeError::of_document(format_args!(
        "expected {api_version} {kind}List, found {found_version} {found_kind}"
    )))
}

/// A failure to decode bytes: malformed input, another kind, or a field of another type.
#[derive(Debug)]
pub struct DecodeError {
    path: String,
    problem: String,
    /// The object that cannot be decoded, of a list or a watch.
    object: Option<Box<Identity>>,
}

impl DecodeError {
    pub(crate) fn new(path: String, problem: impl fmt::Display) -> Self {
        Self { path, problem: without_value(problem.to_string()), object: None }
    }

    /// An error of a document as a whole, without the path of a field.
    pub fn of_document(problem: impl fmt::Display) -> Self {
        Self::new(String::new(), problem)
    }

    /// The same error with its path below `place`.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("{place}{dot}{}", self.path);
        self
    }

    /// The same error with the object that cannot be decoded: one of a list or a watch, or one that came alone.
    pub fn of_object(self, object: Identity) -> Self {
        DecodeError { object: Some(Box::new(object)), ..self }
    }

    /// The path of the field, such as `spec.containers[0].image`; empty for a document that is no object.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The object that cannot be decoded. If it is one of a list or a watch, the others are not affected: reading can
    /// go on behind it.
    pub fn object(&self) -> Option<&Identity> {
        self.object.as_deref()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(object) = self.object.as_ref().filter(|object| !object.name.is_empty()) {
            write!(f, "{object}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for DecodeError {}

/// A message of serde about a value of the wrong type, without the value, which may be secret: `invalid type: string
/// "…", expected u32`.
fn without_value(problem: String) -> String {
    let value = ["invalid type: ", "invalid value: ", "unknown variant "].iter().find_map(|begin| {
        let at = problem.find(begin)? + begin.len();
        // The value of an unknown variant is its name.
        let from = if begin.starts_with("unknown") { at - 1 } else { at + problem[at..].find([' ', ','])? };
        let to = problem.rfind(", expected ").or_else(|| problem.rfind(", there are no variants"))?;
        (from < to).then_some(from..to)
    });
    match value {
        Some(value) => format!("{}{}", &problem[..value.start], &problem[value.end..]),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_is_not_repeated() {
        let check = |said: &str, told: &str| assert_eq!(without_value(said.to_owned()), told);
        check(
            r#"invalid type: string "a, expected \"b\"", expected u32 at line 1 column 2"#,
            "invalid type: string, expected u32 at line 1 column 2",
        );
        check(
            "not a watch event: invalid value: integer `7`, expected a map",
            "not a watch event: invalid value: integer, expected a map",
        );
        check("invalid type: map, expected a string", "invalid type: map, expected a string");
        check("missing field `kind`", "missing field `kind`");
        check("unknown variant `s3cret, x`, expected `A` or `B`", "unknown variant, expected `A` or `B`");
        check("unknown variant `s3cret`, there are no variants", "unknown variant, there are no variants");
    }
}
