//! [`Typed`], an object that follows a schema, with its operations.

mod atomics;
mod compare;
mod field_set;
mod item;
mod merge;
mod reconcile;
mod remove;
mod validate;

use std::borrow::Cow;

pub use compare::Comparison;
pub(crate) use field_set::with_named_fields;
pub(crate) use reconcile::reconcile;

use crate::schema::TypeRef;
use crate::{Error, FieldSet, Map, PathElement, Schema, value};

/// An object that follows a schema.
///
/// ```
/// use klient_structured_merge::{Duplicates, Schema, Typed};
/// use serde_json::json;
///
/// let schema = Schema::builtin(&klient_schema::core_v1::SERVICE);
/// let live = json!({"spec": {"ports": [{"port": 80, "name": "http"}], "type": "NodePort"}});
/// let config = json!({"spec": {"ports": [{"port": 443}, {"port": 80, "name": "web"}]}});
/// let live = Typed::new(live.as_object().expect("an object"), &schema, Duplicates::Allow)?;
/// let config = Typed::new(config.as_object().expect("an object"), &schema, Duplicates::Refuse)?;
///
/// let merged = live.merge(&config)?;
/// assert_eq!(merged.object()["spec"]["ports"], json!([{"port": 443}, {"port": 80, "name": "web"}]));
/// let changes = live.compare(&merged);
/// assert_eq!(changes.modified.to_string(), r#".spec.ports[port=80,protocol="TCP"].name"#);
/// assert_eq!(
///     changes.added.to_json(),
///     r#"{"f:spec":{"f:ports":{"k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}"#
/// );
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Typed<'a> {
    object: Cow<'a, Map>,
    schema: &'a Schema,
    duplicates: Duplicates,
}

/// The handling of duplicate items in a list. An existing object may have them, from before its kind had a rule or
/// because the server checks none, as with the environment of containers; an applied configuration may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// Duplicates are allowed.
    Allow,
    /// Duplicates are an error.
    Refuse,
}

/// The handling of key fields of list items in [`Typed::extract`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyFields {
    /// The fields in the set only.
    #[default]
    Leave,
    /// The key fields of the items too.
    Take,
}

impl<'a> Typed<'a> {
    /// Pairs an object with its schema and validates it.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) if it does not follow the schema: an undeclared field, a value of another
    /// type, duplicate items in an associative list.
    pub fn new(object: &'a Map, schema: &'a Schema, duplicates: Duplicates) -> Result<Self, Error> {
        Typed::from(Cow::Borrowed(object), schema, duplicates)
    }

    /// The same for an owned object.
    pub(crate) fn owned(object: Map, schema: &'a Schema, duplicates: Duplicates) -> Result<Self, Error> {
        Typed::from(Cow::Owned(object), schema, duplicates)
    }

    fn from(object: Cow<'a, Map>, schema: &'a Schema, duplicates: Duplicates) -> Result<Self, Error> {
        validate::validate(&object, schema.root(), duplicates).map_err(Error::invalid)?;
        Ok(Typed { object, schema, duplicates })
    }

    /// The object.
    pub fn object(&self) -> &Map {
        &self.object
    }

    /// Converts into the object.
    pub fn into_object(self) -> Map {
        self.object.into_owned()
    }

    pub(crate) fn root(&self) -> TypeRef<'a> {
        self.schema.root()
    }

    /// The fields of the object: scalars, atomic values, empty or null values, items of lists, entries of maps.
    /// Structs that only contain others are not fields.
    pub fn field_set(&self) -> FieldSet {
        field_set::field_set(&self.object, self.root())
    }

    /// The paths of the atomic lists, maps and structs in the object. A merge replaces them as a whole.
    ///
    /// ```
    /// use klient_structured_merge::{Duplicates, Schema, Typed};
    /// use serde_json::json;
    ///
    /// let schema = Schema::builtin(&klient_schema::core_v1::POD);
    /// let pod = json!({"spec": {"containers": [{"name": "web", "args": ["-v"]}], "nodeSelector": {"a": "b"}}});
    /// let pod = Typed::new(pod.as_object().expect("an object"), &schema, Duplicates::Refuse)?;
    /// assert_eq!(pod.atomics(), [".spec.containers[0].args", ".spec.nodeSelector"]);
    /// # Ok::<(), klient_structured_merge::Error>(())
    /// ```
    pub fn atomics(&self) -> Vec<String> {
        atomics::atomics(&self.object, self.root())
    }

    /// The differences from this object to another.
    pub fn compare(&self, new: &Typed<'_>) -> Comparison {
        compare::compare(&self.object, &new.object, self.root())
    }

    /// The object with a configuration merged into it. Nothing is removed. Items of lists have the order of the
    /// configuration, with the others at their place between them.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) if a list of the configuration has duplicate items.
    pub fn merge(&self, config: &Typed<'_>) -> Result<Typed<'a>, Error> {
        if config.duplicates == Duplicates::Allow {
            validate::validate(&config.object, self.root(), Duplicates::Refuse).map_err(Error::invalid)?;
        }
        Ok(self.with(merge::merge(&self.object, &config.object, self.root())))
    }

    /// The object without these fields. Values that become empty by this are null.
    pub fn remove(&self, fields: &FieldSet) -> Typed<'a> {
        self.with(remove::remove(&self.object, fields, self.root()))
    }

    /// The object with these fields only.
    ///
    /// ```
    /// use klient_structured_merge::{Duplicates, FieldSet, KeyFields, Schema, Typed};
    /// use serde_json::json;
    ///
    /// let schema = Schema::builtin(&klient_schema::core_v1::POD);
    /// let pod = json!({"spec": {"containers": [{"name": "web", "image": "web:1"}], "nodeName": "n1"}});
    /// let pod = Typed::new(pod.as_object().expect("an object"), &schema, Duplicates::Allow)?;
    /// let set = FieldSet::from_json(r#"{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{"f:image":{}}}}}"#)?;
    /// let extracted = pod.extract(&set, KeyFields::Take);
    /// assert_eq!(extracted.object()["spec"], json!({"containers": [{"name": "web", "image": "web:1"}]}));
    /// # Ok::<(), klient_structured_merge::Error>(())
    /// ```
    pub fn extract(&self, fields: &FieldSet, key_fields: KeyFields) -> Typed<'a> {
        let keys = match key_fields {
            KeyFields::Leave => FieldSet::EMPTY,
            KeyFields::Take => self.key_fields(fields),
        };
        self.with(remove::extract(&self.object, &fields.union(&keys), self.root()))
    }

    /// The key fields of the items that contain fields of a set.
    fn key_fields(&self, fields: &FieldSet) -> FieldSet {
        let own = self.field_set();
        let mut keys = FieldSet::EMPTY;
        for path in fields.iter().filter(|path| own.has(path)) {
            for (at, element) in path.iter().enumerate() {
                let PathElement::Key(key) = element else { continue };
                for (name, _) in key.fields() {
                    let mut field = path[..=at].to_vec();
                    field.push(PathElement::field(name));
                    keys.insert(&field);
                }
            }
        }
        keys
    }

    /// Returns true if both objects are equal.
    pub(crate) fn is_equal(&self, other: &Typed<'_>) -> bool {
        value::equal_maps(&self.object, &other.object)
    }

    fn with(&self, object: Map) -> Typed<'a> {
        Typed { object: Cow::Owned(object), schema: self.schema, duplicates: self.duplicates }
    }
}
