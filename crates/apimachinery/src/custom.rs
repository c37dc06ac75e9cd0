//! Custom resources as Rust structs, declared with [`custom_resource!`](crate::custom_resource).

mod covers;
mod fields;
mod merge;
mod place;
mod write;

use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::codec::{DecodeError, EncodedMeta, Format, ManagedFields, expect_kind, expect_list, json};
use crate::resource::Resource;

pub use fields::{
    Absent, Fields, deserialize_fields, ignore, into_field, optional, other, others, read_other, required,
    serialize_fields, settle,
};

/// Declares a struct for the objects of a custom resource.
///
/// The lines before the struct give the names and scope under which the resource is served, as the
/// CustomResourceDefinition does, and which of the subresources `Status` and `Scale` it has, in the order of the
/// example. The scope is `Namespaced` or `Cluster`. The struct gets the field `metadata`, which is not written down,
/// `Clone`, `Debug`, `Default`, serde's traits, and the traits that clients and caches require of a kind:
/// [`Object`](crate::Object), [`Resource`], the [`verbs`](crate::verbs) and [`Wire`](crate::codec::Wire). Its fields
/// are those of the objects, with names in camel case; their types have `Clone`, `Debug`, `Default` and serde's traits.
/// The crate `serde` must be a dependency of the program, with its feature `derive`:
///
/// ```toml
/// [dependencies]
/// serde = { version = "1", features = ["derive"] }
/// ```
///
/// ```
/// use klient_apimachinery::{Object as _, Resource as _, custom_resource};
/// use serde::{Deserialize, Serialize};
///
/// custom_resource! {
///     group: "example.com", version: "v1", kind: "Website", plural: "websites",
///     scope: Namespaced, subresources: [Status, Scale];
///
///     /// A website that some deployments serve.
///     #[derive(PartialEq)]
///     pub struct Website {
///         pub spec: WebsiteSpec,
///         pub status: Option<WebsiteStatus>,
///     }
/// }
///
/// #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase", default)]
/// pub struct WebsiteSpec {
///     pub replicas: u32,
/// }
///
/// #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase", default)]
/// pub struct WebsiteStatus {
///     pub ready_replicas: u32,
/// }
///
/// let mut website: Website = serde_json::from_str(
///     r#"{"metadata": {"name": "shop"}, "spec": {"replicas": 2, "theme": "dark"}}"#,
/// )?;
/// website.spec.replicas = 3;
/// assert_eq!((website.name(), Website::INFO.api_version()), ("shop", "example.com/v1".to_owned()));
/// let json = serde_json::to_value(&website)?;
/// assert_eq!(json["kind"], "Website");
/// assert_eq!(json["spec"], serde_json::json!({"replicas": 3, "theme": "dark"}));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Unknown fields
///
/// An object that is read, changed and written keeps the fields that the struct and those in it do not know, at any
/// depth, as built-in kinds do. The object carries the JSON in which it was [received](Received); the unknown fields of
/// that are added when it is written. Fields that the program removes stay removed, with all below them.
///
/// Items of lists are matched by equality, or else by their fields `name`, `key`, `id` and `type`, or, if they have
/// none of these and the list is as long as it was, by position. An item without a match is new.
///
/// Comparison looks at the fields that the struct knows.
///
/// # Absent fields
///
/// A field of the struct itself that serde writes as `null`, such as an `Option` that is `None`, is left out.
#[macro_export]
macro_rules! custom_resource {
    (
        group: $group:literal, version: $version:literal, kind: $kind:literal, plural: $plural:literal,
        scope: $scope:ident $(, subresources: [$($subresource:ident),* $(,)?])? $(,)?;

        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$field_attribute:meta])* $field_visibility:vis $field:ident: $type:ty),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, Default, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(remote = "Self", rename_all = "camelCase", default)]
        $visibility struct $name {
            /// Metadata that every object has.
            pub metadata: $crate::meta::v1::ObjectMeta,
            $($(#[$field_attribute])* $field_visibility $field: $type,)*
            /// The JSON in which the object was received, for the fields that this struct does not know.
            #[serde(skip)]
            pub received: $crate::custom::Received,
        }

        $crate::object!($name);
        $crate::resource! {
            $name: $scope, $group, $version, $kind, $plural
            { Create Delete DeleteCollection Get List Patch Update Watch $($($subresource)*)? }
        }

        impl $crate::custom::CustomResource for $name {
            fn read_fields<'de, D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                // The function of serde's `remote` derive, not the trait's.
                <$name>::deserialize(deserializer)
            }

            fn write_fields<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                <$name>::serialize(self, serializer)
            }

            fn received(&self) -> &$crate::custom::Received {
                &self.received
            }

            fn received_mut(&mut self) -> &mut $crate::custom::Received {
                &mut self.received
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::custom::serialize(self, serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::custom::deserialize(deserializer)
            }
        }

        impl $crate::codec::Wire for $name {
            fn from_json(bytes: &[u8]) -> ::std::result::Result<Self, $crate::codec::DecodeError> {
                $crate::custom::from_json(bytes)
            }

            fn to_json(&self, out: &mut ::std::vec::Vec<u8>) {
                $crate::custom::to_json(self, out)
            }

            fn field_to_json(&self, name: &str, out: &mut ::std::vec::Vec<u8>) {
                $crate::custom::field_to_json(self, name, out)
            }

            fn item_from_json(
                bytes: &[u8],
                managed_fields: $crate::codec::ManagedFields,
            ) -> ::std::result::Result<::std::option::Option<(Self, usize)>, $crate::codec::DecodeError> {
                $crate::custom::item_from_json(bytes, managed_fields)
            }

            fn check_item(
                format: $crate::codec::Format,
                bytes: &[u8],
            ) -> ::std::result::Result<$crate::codec::EncodedMeta<'_>, $crate::codec::DecodeError> {
                $crate::custom::check_item::<Self>(format, bytes)
            }

            fn check_kind(
                api_version: &str,
                kind: &str,
            ) -> ::std::result::Result<(), $crate::codec::DecodeError> {
                $crate::custom::check_kind::<Self>(api_version, kind)
            }

            fn check_list(
                api_version: &str,
                kind: &str,
            ) -> ::std::result::Result<(), $crate::codec::DecodeError> {
                $crate::custom::check_list::<Self>(api_version, kind)
            }

            fn list_type(_: &[Self]) -> (::std::string::String, ::std::string::String) {
                $crate::custom::list_type::<Self>()
            }
        }
    };
    ($($other:tt)*) => {
        ::std::compile_error!(
            "custom_resource! takes, in this order: group: \"…\", version: \"…\", kind: \"…\", plural: \"…\", \
             scope: Namespaced or Cluster, and perhaps subresources: [Status, Scale]; then a semicolon and a struct with \
             named fields, without `metadata`, which is added"
        );
    };
}

/// The JSON in which an object of a custom resource was received; empty for an object that the program has made. All
/// values are equal, so that comparison of objects ignores it.
#[derive(Clone, Default)]
pub struct Received(Option<Arc<[u8]>>);

impl PartialEq for Received {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Received {}

/// The JSON may be secret, and is not shown.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(json) => write!(f, "{} bytes", json.len()),
            None => f.write_str("nothing"),
        }
    }
}

/// Returns true if nothing in a value is set, for `skip_serializing_if` of generated code.
#[doc(hidden)]
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A struct that [`custom_resource!`](crate::custom_resource) has declared.
#[doc(hidden)]
pub trait CustomResource: Resource + Sized {
    /// Reads the struct's own fields.
    fn read_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Writes the struct's own fields.
    fn write_fields<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    fn received(&self) -> &Received;

    fn received_mut(&mut self) -> &mut Received;
}

/// The `apiVersion` and `kind` of an object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeMeta {
    #[serde(default)]
    api_version: Option<String>,
    #[serde(default)]
    kind: Option<String>,
}

impl TypeMeta {
    /// Checks the `apiVersion` and `kind` of an object; empty ones are accepted.
    fn check<K: CustomResource>(self) -> Result<(), DecodeError> {
        let (api_version, kind) = (self.api_version.unwrap_or_default(), self.kind.unwrap_or_default());
        if api_version.is_empty() && kind.is_empty() {
            return Ok(());
        }
        check_kind::<K>(&api_version, &kind)
    }
}

/// Returns true if an object begins with the `apiVersion` and `kind` of a type, as servers write them: the rest of it is
/// not looked at.
fn is_of_kind<K: CustomResource>(json: &[u8]) -> bool {
    let kind = json
        .strip_prefix(br#"{"apiVersion":""#)
        .and_then(|json| json.strip_prefix(K::INFO.api_version().as_bytes()))
        .and_then(|json| json.strip_prefix(br#"","kind":""#));
    kind.and_then(|json| json.strip_prefix(K::INFO.kind.as_bytes()))
        .is_some_and(|json| json.starts_with(b"\""))
}

fn decode<K: CustomResource>(json: &[u8]) -> Result<K, DecodeError> {
    read(json).map_err(|error| decode_error::<K>(json, &error, &error.to_string()))
}

/// Reads the fields of an object. All of klient reads them by this type of deserializer, since the code of a struct is
/// compiled for each.
fn read<K: CustomResource>(json: &[u8]) -> Result<K, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let object = K::read_fields(&mut deserializer)?;
    deserializer.end().map(|()| object)
}

/// The decoding error of an object, with the path of the field: that of the value whose end makes the error.
///
/// The position of an error may be behind that: errors of `untagged`, `flatten`, `try_from` and `with` have that of the end of
/// the value around.
#[cold]
fn decode_error<K: CustomResource>(json: &[u8], error: &serde_json::Error, problem: &str) -> DecodeError {
    let (mut least, mut end) = (0, place::offset(json, error).min(json.len()));
    let words = words_of(error);
    // A beginning of the document that is long enough has the error, too; a shorter one has that of a document that is cut off.
    while error.is_data() && least < end {
        let middle = least + (end - least) / 2;
        match read::<K>(&json[..middle]) {
            Err(error) if words_of(&error) == words => end = middle,
            _ => least = middle + 1,
        }
    }
    let path = place::path_at(&json[..end]);
    // Types of Kubernetes append the end of the path to the message.
    let problem = match problem.split_once(": ") {
        Some((end, problem)) if path.ends_with(end) => problem,
        _ => problem,
    };
    DecodeError::new(path, problem)
}

#[doc(hidden)]
pub fn from_json<K: CustomResource>(json: &[u8]) -> Result<K, DecodeError> {
    if !is_of_kind::<K>(json) {
        let type_meta: TypeMeta = serde_json::from_slice(json).map_err(DecodeError::of_document)?;
        type_meta.check::<K>()?;
    }
    let mut object: K = decode(json)?;
    *object.received_mut() = Received(Some(json.into()));
    Ok(object)
}

#[doc(hidden)]
pub fn item_from_json<K: CustomResource>(
    bytes: &[u8],
    managed_fields: ManagedFields,
) -> Result<Option<(K, usize)>, DecodeError> {
    match managed_fields {
        ManagedFields::Keep => {
            if let Some(item) = read_item(bytes) {
                return Ok(Some(item));
            }
            let Some(json) = json::value_at(bytes)? else { return Ok(None) };
            Ok(Some((from_json(json)?, json.len())))
        }
        ManagedFields::Skip => {
            let Some((json, length)) = json::item_without_managed_fields(bytes)? else { return Ok(None) };
            Ok(Some((from_json(&json)?, length)))
        }
    }
}

/// Reads an object of the kind at the beginning of `bytes`; `None` if there is none that can be read.
fn read_item<K: CustomResource>(bytes: &[u8]) -> Option<(K, usize)> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut object = K::read_fields(&mut json).ok().filter(|_| is_of_kind::<K>(bytes))?;
    let length = json.into_iter::<serde::de::IgnoredAny>().byte_offset();
    *object.received_mut() = Received(Some(bytes.get(..length)?.into()));
    Some((object, length))
}

#[doc(hidden)]
pub fn check_item<K: CustomResource>(format: Format, bytes: &[u8]) -> Result<EncodedMeta<'_>, DecodeError> {
    if format == Format::Protobuf {
        return Err(DecodeError::of_document("custom resources are known in JSON only"));
    }
    decode::<K>(bytes)?;
    json::meta_of_any(bytes).ok_or_else(|| DecodeError::of_document("it has no metadata that can be read"))
}

#[doc(hidden)]
pub fn check_kind<K: CustomResource>(api_version: &str, kind: &str) -> Result<(), DecodeError> {
    expect_kind((&K::INFO.api_version(), &K::INFO.kind), (api_version, kind))
}

#[doc(hidden)]
pub fn check_list<K: CustomResource>(api_version: &str, kind: &str) -> Result<(), DecodeError> {
    expect_list((&K::INFO.api_version(), &K::INFO.kind), (api_version, kind))
}

#[doc(hidden)]
pub fn list_type<K: CustomResource>() -> (String, String) {
    (K::INFO.api_version(), format!("{}List", K::INFO.kind))
}

/// Appends an object's JSON.
///
/// # Panics
///
/// If the object cannot be JSON, such as a map with keys that are not strings.
#[doc(hidden)]
pub fn to_json<K: CustomResource>(object: &K, out: &mut Vec<u8>) {
    let begin = out.len();
    known_to_json(object, out);
    let Some(received) = &object.received().0 else { return };
    if !covers::covers(&out[begin..], received) {
        out.truncate(begin);
        expect_written::<K, _>(to_map(object).and_then(|map| serde_json::to_writer(out, &map)));
    }
}

/// Appends the JSON of an object without the received fields that its type does not know.
fn known_to_json<K: CustomResource>(object: &K, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"apiVersion":"#);
    expect_written::<K, _>(serde_json::to_writer(&mut *out, &K::INFO.api_version()));
    out.extend_from_slice(br#","kind":"#);
    expect_written::<K, _>(serde_json::to_writer(&mut *out, &*K::INFO.kind));
    expect_written::<K, _>(object.write_fields(write::FieldWriter::new(out)));
    out.push(b'}');
}

fn expect_written<K, T>(written: Result<T, serde_json::Error>) -> T {
    match written {
        Ok(written) => written,
        Err(error) => {
            panic!("the fields of {} cannot be written as JSON: {error}", std::any::type_name::<K>())
        }
    }
}

/// Appends the JSON of a field as [`Wire::field_to_json`](crate::codec::Wire::field_to_json).
#[doc(hidden)]
pub fn field_to_json<K: CustomResource>(object: &K, name: &str, out: &mut Vec<u8>) {
    expect_written::<K, _>(object.write_fields(write::FieldWriter::only(name, out)));
}

#[doc(hidden)]
pub fn serialize<K: CustomResource, S: Serializer>(object: &K, serializer: S) -> Result<S::Ok, S::Error> {
    to_map(object).map_err(S::Error::custom)?.serialize(serializer)
}

#[doc(hidden)]
pub fn deserialize<'de, K: CustomResource, D: Deserializer<'de>>(deserializer: D) -> Result<K, D::Error> {
    let value = Value::deserialize(deserializer)?;
    TypeMeta::deserialize(&value).map_err(D::Error::custom)?.check::<K>().map_err(D::Error::custom)?;
    let json = serde_json::to_vec(&value).map_err(D::Error::custom)?;
    let mut object: K = read(&json).map_err(|error| D::Error::custom(error_in_value::<K>(&json, &error)))?;
    *object.received_mut() = Received(Some(json.into()));
    Ok(object)
}

/// The decoding error of an object that is no JSON text, whose position is none that the caller knows.
#[cold]
fn error_in_value<K: CustomResource>(json: &[u8], error: &serde_json::Error) -> DecodeError {
    decode_error::<K>(json, error, &words_of(error))
}

/// The words of an error without its position.
fn words_of(error: &serde_json::Error) -> String {
    let mut words = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    if words.ends_with(&position) {
        words.truncate(words.len() - position.len());
    }
    words
}

/// An object as JSON, with the received fields that its type does not know.
fn to_map<K: CustomResource>(object: &K) -> Result<Map<String, Value>, serde_json::Error> {
    let mut map = known_fields(object)?;
    if let Some(json) = &object.received().0 {
        let mut received: Map<String, Value> = serde_json::from_slice(json)?;
        // Metadata keeps its own unknown fields.
        received.remove("metadata");
        merge::keep_unknown_fields(&received, &known_fields(&read::<K>(json)?)?, &mut map);
    }
    map.insert("apiVersion".to_owned(), K::INFO.api_version().into());
    map.insert("kind".to_owned(), (*K::INFO.kind).into());
    Ok(map)
}

/// The fields that a type knows, by way of their JSON: a serializer of values would be compiled for every struct, too.
fn known_fields<K: CustomResource>(object: &K) -> Result<Map<String, Value>, serde_json::Error> {
    let mut json = b"{".to_vec();
    object.write_fields(write::FieldWriter::new(&mut json))?;
    json.push(b'}');
    serde_json::from_slice(&json)
}
