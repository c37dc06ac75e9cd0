//! [`Unstructured`], an object of a kind that is not known at compile time.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Time;
use crate::codec::{
    DecodeError, EncodedMeta, FieldPath, Format, ManagedFields, Wire, check_by_decoding, json,
};
use crate::meta::v1::{GroupVersionKind, OwnerReference};
use crate::object::Object;
use crate::yaml;

/// An object of any kind, as the JSON object it is.
///
/// ```
/// use klient_apimachinery::{Object, Unstructured};
/// use serde_json::json;
///
/// let mut gadget = Unstructured::new("shop.example/v1", "Gadget", "g1");
/// gadget["spec"] = json!({"size": 3});
/// assert_eq!(gadget.name(), "g1");
/// assert_eq!(gadget.kind(), "Gadget");
///
/// let parsed: serde_json::Map<_, _> = serde_json::from_str(r#"{"kind": "Gadget"}"#)?;
/// assert_eq!(Unstructured::from(parsed).kind(), "Gadget");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[doc(alias = "DynamicObject")]
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unstructured(pub Map<String, Value>);

impl Unstructured {
    /// An object with a name and nothing else.
    pub fn new(api_version: &str, kind: &str, name: &str) -> Self {
        let mut object = Map::new();
        object.insert("apiVersion".to_owned(), api_version.into());
        object.insert("kind".to_owned(), kind.into());
        object.insert("metadata".to_owned(), serde_json::json!({ "name": name }));
        Unstructured(object)
    }

    /// Parses the objects of a manifest: a stream of YAML or JSON documents, as `kubectl apply -f` reads. Empty
    /// documents are passed over, and the items of a `List` are objects of their own.
    ///
    /// ```
    /// use klient_apimachinery::{Object, Unstructured};
    ///
    /// let manifest = "
    /// {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
    /// ---
    /// apiVersion: v1
    /// kind: List
    /// items:
    /// - {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}}
    /// ";
    /// let objects = Unstructured::from_manifest(manifest)?;
    /// assert_eq!(objects[1].kind(), "Service");
    /// assert_eq!(objects[1].name(), "web");
    /// # Ok::<(), klient_apimachinery::codec::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a document is neither YAML nor JSON, or no object; the error counts documents from 1.
    pub fn from_manifest(text: &str) -> Result<Vec<Self>, DecodeError> {
        let mut objects = Vec::new();
        for (index, document) in yaml::documents(text).enumerate() {
            let path = || format!("document {}", index + 1);
            let document = document.map_err(|error| DecodeError::new(path(), error))?;
            let Value::Object(document) = document else {
                return Err(DecodeError::new(path(), "expected an object"));
            };
            Unstructured(document).add_to(&mut objects, &path())?;
        }
        Ok(objects)
    }

    /// Adds the object to a list, or its items if it is a `List` itself.
    fn add_to(mut self, objects: &mut Vec<Self>, path: &str) -> Result<(), DecodeError> {
        if !(self.kind().ends_with("List") && self.is_list()) {
            objects.push(self);
            return Ok(());
        }
        let Some(Value::Array(items)) = self.0.remove("items") else { return Ok(()) };
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{path}: items[{index}]");
            let Value::Object(item) = item else {
                return Err(DecodeError::new(path, "expected an object"));
            };
            let mut item = Unstructured(item);
            item.set_list_type(self.api_version(), self.kind());
            item.add_to(objects, &path)?;
        }
        Ok(())
    }

    /// Converts a typed object.
    pub fn from_typed<T: Wire>(object: &T) -> Self {
        let mut json = Vec::new();
        object.to_json(&mut json);
        Unstructured(serde_json::from_slice(&json).unwrap_or_default())
    }

    /// Converts the object to a Rust type.
    ///
    /// # Errors
    ///
    /// If it is of another kind, or a field has a value of another type.
    pub fn to_typed<T: Wire>(&self) -> Result<T, DecodeError> {
        let mut json = Vec::new();
        self.to_json(&mut json);
        T::from_json(&json)
    }

    /// `apiVersion`, or empty.
    pub fn api_version(&self) -> &str {
        text(self.0.get("apiVersion"))
    }

    /// `kind`, or empty.
    pub fn kind(&self) -> &str {
        text(self.0.get("kind"))
    }

    /// The group, version and kind.
    pub fn group_version_kind(&self) -> GroupVersionKind {
        let (group, version) = self.api_version().split_once('/').unwrap_or(("", self.api_version()));
        GroupVersionKind::new(group, version, self.kind())
    }

    /// Sets `metadata.name`.
    pub fn set_name(&mut self, name: &str) {
        self.set_metadata("name", name);
    }

    /// Sets `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        self.set_metadata("namespace", namespace);
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_in("labels", key, value);
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_in("annotations", key, value);
    }

    /// Sets `metadata.ownerReferences`.
    pub(crate) fn set_owner_references(&mut self, owners: &[OwnerReference]) {
        let owners = serde_json::to_value(owners).expect("owner references are JSON");
        self.metadata_mut().insert("ownerReferences".to_owned(), owners);
    }

    /// The value at a path of field names, such as `["spec", "replicas"]`.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(*name))
    }

    /// Returns true if it is a list of objects.
    pub fn is_list(&self) -> bool {
        matches!(self.0.get("items"), Some(Value::Array(_)))
    }

    fn metadata(&self, name: &str) -> Option<&Value> {
        self.0.get("metadata")?.get(name)
    }

    fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        object_in(&mut self.0, "metadata")
    }

    fn set_metadata(&mut self, name: &str, value: &str) {
        self.metadata_mut().insert(name.to_owned(), value.into());
    }

    fn set_in(&mut self, map: &str, key: &str, value: &str) {
        object_in(self.metadata_mut(), map).insert(key.to_owned(), value.into());
    }

    fn pairs(&self, map: &str) -> impl Iterator<Item = (&str, &str)> {
        let map = self.metadata(map).and_then(Value::as_object);
        map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }
}

/// The object under `name`; created if it is missing, or something else.
fn object_in<'a>(parent: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let value = parent.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made an object above")
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

impl Object for Unstructured {
    fn name(&self) -> &str {
        text(self.metadata("name"))
    }

    fn namespace(&self) -> Option<&str> {
        self.metadata("namespace").and_then(Value::as_str).filter(|namespace| !namespace.is_empty())
    }

    fn uid(&self) -> &str {
        text(self.metadata("uid"))
    }

    fn resource_version(&self) -> &str {
        text(self.metadata("resourceVersion"))
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs("labels")
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs("annotations")
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        let finalizers = self.metadata("finalizers").and_then(Value::as_array);
        finalizers.into_iter().flatten().filter_map(Value::as_str)
    }

    fn owner_references(&self) -> Cow<'_, [OwnerReference]> {
        let owners = self.metadata("ownerReferences").and_then(Value::as_array);
        let owners = owners.into_iter().flatten().filter_map(|owner| OwnerReference::deserialize(owner).ok());
        Cow::Owned(owners.collect())
    }

    fn generation(&self) -> Option<i64> {
        self.metadata("generation").and_then(Value::as_i64)
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.metadata("deletionTimestamp").and_then(Value::as_str)?.parse().ok()
    }
}

impl From<Map<String, Value>> for Unstructured {
    fn from(object: Map<String, Value>) -> Self {
        Unstructured(object)
    }
}

/// All verbs: those that its kind lacks are errors at run time.
macro_rules! all_verbs {
    ($($verb:ident)*) => { $(impl crate::verbs::$verb for Unstructured {})* };
}

all_verbs! {
    Create Delete DeleteCollection Get List Patch Update Watch
    Approval EphemeralContainers Exec Finalize Log Proxy Resize Scale Status
}

macro_rules! verbs_of_metadata {
    ($($verb:ident)*) => { $(impl crate::verbs::$verb for crate::meta::v1::PartialObjectMetadata {})* };
}

verbs_of_metadata! { Delete DeleteCollection Get List Patch Watch }

impl Wire for Unstructured {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(bytes).map_err(|error| DecodeError::new(String::new(), error))
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        json::write(&self.0, out);
    }

    fn item_from_json(
        bytes: &[u8],
        managed_fields: ManagedFields,
    ) -> Result<Option<(Self, usize)>, DecodeError> {
        let Some(value) = json::value_at(bytes)? else { return Ok(None) };
        let mut object = Self::from_json(value)?;
        let metadata = object.0.get_mut("metadata").and_then(Value::as_object_mut);
        if let (ManagedFields::Skip, Some(metadata)) = (managed_fields, metadata) {
            metadata.remove("managedFields");
        }
        Ok(Some((object, value.len())))
    }

    fn check_item(format: Format, bytes: &[u8]) -> Result<EncodedMeta<'_>, DecodeError> {
        let meta = if format == Format::Json { json::check_any(bytes) } else { None };
        meta.map_or_else(|| check_by_decoding::<Self>(format, bytes), Ok)
    }

    fn text_at<'a>(&'a self, path: &FieldPath<Self>) -> Option<Cow<'a, str>> {
        path.text_in_json(&self.0)
    }

    fn set_list_type(&mut self, api_version: &str, kind: &str) {
        if let Some(kind) = kind.strip_suffix("List").filter(|kind| !kind.is_empty())
            && self.kind().is_empty()
        {
            self.0.insert("apiVersion".to_owned(), api_version.into());
            self.0.insert("kind".to_owned(), kind.into());
        }
    }

    fn list_type(items: &[Self]) -> (String, String) {
        let kind = items.first().map_or("", Unstructured::kind);
        let api_version = items.first().map_or("v1", Unstructured::api_version);
        (api_version.to_owned(), format!("{kind}List"))
    }
}

impl Index<&str> for Unstructured {
    type Output = Value;

    /// The field, or `null`.
    fn index(&self, field: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.0.get(field).unwrap_or(&NULL)
    }
}

impl IndexMut<&str> for Unstructured {
    fn index_mut(&mut self, field: &str) -> &mut Value {
        self.0.entry(field).or_insert(Value::Null)
    }
}

/// Shows kind and name only: the contents may be secret.
impl fmt::Debug for Unstructured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.api_version(), self.kind())?;
        if let Some(namespace) = self.namespace() {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_the_items_of_lists_and_errors_count_documents() {
        let names = |manifest: &str| {
            let objects = Unstructured::from_manifest(manifest)?;
            let of = |object: &Unstructured| {
                format!("{} {} {}", object.api_version(), object.kind(), object.name())
            };
            Ok(objects.iter().map(of).collect::<Vec<_>>())
        };
        let typed = "{kind: PodList, apiVersion: v1, items: [{metadata: {name: a}}]}";
        let nested =
            r#"{"kind": "List", "items": [{"kind": "List", "items": [{"kind": "A"}]}, {"kind": "B"}]}"#;
        for (manifest, expected) in [
            ("", Ok(vec![])),
            ("---\n# nothing\n---\n", Ok(vec![])),
            (typed, Ok(vec!["v1 Pod a"])),
            (nested, Ok(vec![" A ", " B "])),
            ("{kind: A}\n---\n- b\n", Err("document 2: expected an object")),
            ("{kind: List, items: [{kind: A}, 3]}", Err("document 1: items[1]: expected an object")),
            ("{kind: A}\n---\n{", Err("document 2: yaml: line 1: did not find expected node content")),
        ] {
            let read: Result<_, DecodeError> = names(manifest);
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(
                read.map_err(|error| error.to_string()),
                expected.map_err(str::to_owned),
                "{manifest}"
            );
        }
    }
}
