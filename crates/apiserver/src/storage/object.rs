//! [`Object`], a stored object, and [`Key`], its name.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::Map;
use klient_apimachinery::{Str, fields, labels};

use super::TableId;
use crate::protobuf;

/// `NAMESPACE/NAME`, or `NAME` for cluster-scoped objects; ordered as in etcd.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Key(Box<str>);

impl Key {
    pub(crate) fn new(namespace: Option<&str>, name: &str) -> Self {
        match namespace {
            Some(namespace) => Key(format!("{namespace}/{name}").into()),
            None => Key(name.into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.0.split_once('/').map(|(namespace, _)| namespace)
    }

    pub(crate) fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A precondition of creating an object: another object is at this version.
pub(crate) struct Unchanged {
    pub(crate) table: TableId,
    pub(crate) key: Key,
    pub(crate) version: u64,
}

/// An object at one version.
pub(crate) struct Object {
    pub(crate) key: Key,
    pub(crate) version: u64,
    pub(crate) uid: Str,
    /// The schema of its form: [`Version::schema_hash`] for a custom resource, else 0.
    ///
    /// [`Version::schema_hash`]: klient_apiextensions::definition::Version::schema_hash
    pub(crate) schema_hash: u64,
    /// The version of its form, if it is a custom resource; else empty.
    pub(crate) version_name: Str,
    /// True if it is marked for deletion: it has `metadata.deletionTimestamp`.
    pub(crate) is_terminating: bool,
    /// JSON without `apiVersion` and `kind`, which depend on the version that serves it.
    pub(crate) json: Bytes,
    /// The same as protobuf, encoded on first use.
    pub(crate) protobuf: OnceLock<Bytes>,
    pub(crate) labels: Box<[(Str, Str)]>,
    /// The selectable fields of its kind, except name and namespace.
    pub(crate) fields: Box<[(Str, Str)]>,
}

impl Object {
    /// The object as a value, without `apiVersion` and `kind`.
    pub(crate) fn value(&self) -> Map {
        serde_json::from_slice(&self.json).expect("the server has written it, nested no deeper than it reads")
    }

    /// The object as protobuf, without an envelope.
    pub(crate) fn protobuf(&self, schema: &'static Schema) -> &Bytes {
        self.protobuf.get_or_init(|| protobuf::raw(&self.json, schema).into())
    }

    /// Returns true if it matches a selection.
    pub(crate) fn matches(&self, selection: &Selection) -> bool {
        selection.labels.matches(|key| find(&self.labels, key))
            && selection.fields.matches(|field| match field {
                "metadata.name" => self.key.name(),
                "metadata.namespace" => self.key.namespace().unwrap_or_default(),
                _ => find(&self.fields, field).unwrap_or_default(),
            })
    }
}

fn find<'a>(pairs: &'a [(Str, Str)], key: &str) -> Option<&'a str> {
    pairs.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.key, self.version)
    }
}

/// A selection of objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) labels: labels::Selector,
    pub(crate) fields: fields::Selector,
}

impl Selection {
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }
}
