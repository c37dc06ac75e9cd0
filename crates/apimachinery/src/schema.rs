//! Schemas of API types: their fields, and the resources that serve them.
//!
//! The tables are generated from Kubernetes' own facts, one `static` per struct, and drive everything that works on
//! objects as values: codecs, field validation, patches and apply.

mod layout;

use std::sync::OnceLock;

pub(crate) use layout::{Inner, Layout, Part};

/// The schema of an API struct.
#[derive(Debug)]
pub struct Schema {
    /// The group-version module it belongs to, such as `core/v1`.
    pub package: &'static str,
    /// Its name in Go, such as `HTTPGetAction`.
    pub name: &'static str,
    /// Fields in Go's order, those of embedded structs in place, as JSON shows them.
    pub fields: &'static [Field],
    /// True if server-side apply treats it as one value, unless the field that holds it is [granular](Field::granular).
    pub is_atomic: bool,
    layout: OnceLock<Layout>,
}

impl Schema {
    /// The schema of a struct with these fields.
    pub const fn new(package: &'static str, name: &'static str, fields: &'static [Field]) -> Self {
        Schema { package, name, fields, is_atomic: false, layout: OnceLock::new() }
    }

    /// The same schema, treated as one value by server-side apply.
    pub const fn atomic(mut self) -> Self {
        self.is_atomic = true;
        self
    }

    /// Returns true if the struct has a protobuf encoding. A few, such as `Table`, exist in JSON only.
    pub const fn has_protobuf(&self) -> bool {
        self.fields.is_empty() || self.fields[0].number > 0
    }

    /// The fields by their protobuf numbers.
    pub(crate) fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| Layout::of(self.fields))
    }

    /// The field with this JSON name.
    pub fn field(&self, json: &str) -> Option<&'static Field> {
        self.position(json, 0).map(|at| &self.fields[at])
    }

    /// The position of the field with this JSON name. The search starts at `hint` and wraps around, so that a reader
    /// that passes the last position plus one looks at few names.
    pub fn position(&self, json: &str, hint: usize) -> Option<usize> {
        let (before, after) = self.fields.split_at(hint.min(self.fields.len()));
        let is = |field: &Field| field.json == json;
        after.iter().position(is).map(|at| at + before.len()).or_else(|| before.iter().position(is))
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// The JSON name.
    pub json: &'static str,
    /// The type of its value.
    pub ty: Type,
    /// The protobuf number; 0 if there is none.
    pub number: u32,
    /// Protobuf numbers of the embedded structs around it, outermost first.
    pub within: &'static [u32],
    /// True if Go's field is a pointer: zero is distinct from absent.
    pub pointer: bool,
    /// True if Go leaves it out of JSON when empty.
    pub omit_empty: bool,
    /// True if the API requires it.
    pub required: bool,
    /// The list type, for server-side apply.
    pub list: ListType,
    /// True if server-side apply treats the map or struct as one value.
    pub atomic: bool,
    /// True if server-side apply merges the map or struct by field, even if its type is otherwise treated as one value.
    pub granular: bool,
    /// The patch strategy, for strategic merge patch.
    pub patch: Patch,
    /// The default, as JSON.
    pub default: Option<&'static str>,
    /// The allowed values of a string, or of the strings in a list or map; empty for any.
    pub values: &'static [&'static str],
    /// True if the value must not be shown in logs.
    pub secret: bool,
}

impl Field {
    /// Returns true for `metadata.managedFields`.
    pub(crate) fn is_managed_fields(&self) -> bool {
        matches!(self.ty, Type::List(Type::Message(schema)) if schema.name == "ManagedFieldsEntry")
    }

    /// A field with no attributes, to be completed with `..Field::PLAIN`.
    pub const PLAIN: Field = Field {
        json: "",
        ty: Type::String,
        number: 0,
        within: &[],
        pointer: false,
        omit_empty: false,
        required: false,
        list: ListType::Undeclared,
        atomic: false,
        granular: false,
        patch: Patch::REPLACE,
        default: None,
        values: &[],
        secret: false,
    };
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A string.
    String,
    /// A boolean.
    Bool,
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// A floating-point number.
    Double,
    /// Bytes; base64 in JSON.
    Bytes,
    /// Seconds since 1970; RFC 3339 in JSON.
    Time,
    /// Microseconds since 1970; RFC 3339 in JSON.
    MicroTime,
    /// A duration in Go's format.
    Duration,
    /// An amount of a resource.
    Quantity,
    /// An integer or a string.
    IntOrString,
    /// Any JSON value.
    Json,
    /// An object of any kind.
    RawExtension,
    /// A set of fields of `managedFields`.
    FieldsV1,
    /// A list of strings that protobuf wraps in a message.
    StringList,
    /// A schema or a list of schemas.
    SchemaOrArray(&'static Schema),
    /// A schema or a boolean.
    SchemaOrBool(&'static Schema),
    /// A schema or a list of strings.
    SchemaOrStringArray(&'static Schema),
    /// A struct.
    Message(&'static Schema),
    /// A list.
    List(&'static Type),
    /// A map with string keys.
    Map(&'static Type),
}

/// The list type, `x-kubernetes-list-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// The API declares none: the list is one value.
    Undeclared,
    /// The list is one value.
    Atomic,
    /// Items are identified by value.
    Set,
    /// Items are identified by these fields.
    Map(&'static [&'static str]),
}

/// The strategy of strategic merge patch for a field, `patchStrategy` and `patchMergeKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// True if a list is merged with the existing one instead of replacing it.
    pub merge: bool,
    /// True if keys that the patch does not name are dropped.
    pub retain_keys: bool,
    /// True if a struct replaces the existing one instead of being merged.
    pub replace_struct: bool,
    /// The key that identifies items of a merged list; empty for lists of scalars.
    pub key: &'static str,
}

impl Patch {
    /// The default strategy: structs are merged, lists are replaced.
    pub const REPLACE: Patch = Patch { merge: false, retain_keys: false, replace_struct: false, key: "" };
}

/// The schema of a resource: names, verbs, subresources and behaviour.
#[derive(Debug)]
pub struct ResourceSchema {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version.
    pub version: &'static str,
    /// The plural, as in URLs.
    pub plural: &'static str,
    /// The singular.
    pub singular: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// True if the resource is namespaced, false if it is cluster-scoped.
    pub namespaced: bool,
    /// True if servers enable it by default.
    pub served: bool,
    /// Verbs, sorted.
    pub verbs: &'static [&'static str],
    /// Short names.
    pub short_names: &'static [&'static str],
    /// Categories, such as `all`.
    pub categories: &'static [&'static str],
    /// Discovery's hash of the storage version.
    pub storage_hash: &'static str,
    /// True if an update may leave out the resourceVersion.
    pub unconditional_update: bool,
    /// True if an update of an object that does not exist creates it.
    pub create_on_update: bool,
    /// True if a delete returns the object instead of a Status.
    pub returns_deleted: bool,
    /// True if `metadata.generation` counts changes.
    pub generation: bool,
    /// Subresources.
    pub subresources: &'static [SubresourceSchema],
    /// Columns of its Table.
    pub columns: &'static [ColumnSchema],
    /// The struct of its objects.
    pub schema: &'static Schema,
}

/// A subresource.
#[derive(Debug)]
pub struct SubresourceSchema {
    /// Its name, such as `status`.
    pub name: &'static str,
    /// The group of the kind in requests and responses, if it is not the resource's own.
    pub group: &'static str,
    /// The version of that kind; empty if it is the resource's own.
    pub version: &'static str,
    /// The kind in requests and responses.
    pub kind: &'static str,
    /// Verbs, sorted.
    pub verbs: &'static [&'static str],
}

/// A column of a resource's Table.
#[derive(Debug)]
pub struct ColumnSchema {
    /// The heading.
    pub name: &'static str,
    /// `string`, `integer`, `date` …
    pub ty: &'static str,
    /// `name` or empty.
    pub format: &'static str,
    /// 0 always, 1 only in wide output.
    pub priority: i32,
}
