//! What is known of API types: their fields, and the resources that serve them.
//!
//! The tables are generated from Kubernetes' own facts, one `static` per struct, and drive everything that
//! treats objects as values: codecs, field validation, patches and apply.

mod layout;

use std::sync::OnceLock;

pub(crate) use layout::{Inner, Layout, Part};

/// A struct of the API.
#[derive(Debug)]
pub struct Schema {
    /// The group-version module it belongs to, such as `core/v1`.
    pub package: &'static str,
    /// Its name in Go, such as `HTTPGetAction`.
    pub name: &'static str,
    /// Fields in Go's order, those of embedded structs in place, as JSON shows them.
    pub fields: &'static [Field],
    /// Server-side apply treats it as one value, unless the field that holds it is [granular](Field::granular).
    pub is_atomic: bool,
    layout: OnceLock<Layout>,
}

impl Schema {
    /// Of a struct with these fields.
    pub const fn new(package: &'static str, name: &'static str, fields: &'static [Field]) -> Self {
        Schema { package, name, fields, is_atomic: false, layout: OnceLock::new() }
    }

    /// The same, treated as one value by server-side apply.
    pub const fn atomic(mut self) -> Self {
        self.is_atomic = true;
        self
    }

    /// Whether protobuf has the struct. A few, such as `Table`, there are in JSON only.
    pub const fn has_protobuf(&self) -> bool {
        self.fields.is_empty() || self.fields[0].number > 0
    }

    /// How protobuf numbers the fields.
    pub(crate) fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| Layout::of(self.fields))
    }

    /// The field with this JSON name.
    pub fn field(&self, json: &str) -> Option<&'static Field> {
        self.position(json, 0).map(|at| &self.fields[at])
    }

    /// Where the field with this JSON name stands. The search starts at `hint` and goes round, so that one who
    /// reads fields in order looks at few names.
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
#[derive(Debug)]
pub struct Field {
    /// The JSON name.
    pub json: &'static str,
    /// What it holds.
    pub ty: Type,
    /// The protobuf number; 0 where there is none.
    pub number: u32,
    /// Protobuf numbers of the embedded structs around it, outermost first.
    pub within: &'static [u32],
    /// Go holds a pointer: zero is a value of its own.
    pub pointer: bool,
    /// Go leaves it out of JSON when empty.
    pub omit_empty: bool,
    /// The API requires it.
    pub required: bool,
    /// How server-side apply merges it, if it is a list.
    pub list: ListType,
    /// Server-side apply treats the map or struct as one value.
    pub atomic: bool,
    /// Server-side apply merges the map or struct by field, even if its type is otherwise treated as one value.
    pub granular: bool,
    /// How strategic merge patch merges it.
    pub patch: Patch,
    /// The default, as JSON.
    pub default: Option<&'static str>,
    /// The allowed values of a string.
    pub values: &'static [&'static str],
    /// Holds what must not be shown in logs.
    pub secret: bool,
}

impl Field {
    /// Whether it is the one field that holds what is known of fields' owners.
    pub(crate) fn is_managed_fields(&self) -> bool {
        matches!(self.ty, Type::List(Type::Message(schema)) if schema.name == "ManagedFieldsEntry")
    }

    /// A field of which nothing is known, to be completed with `..Field::PLAIN`.
    pub const PLAIN: Field = Field {
        json: "",
        ty: Type::String,
        number: 0,
        within: &[],
        pointer: false,
        omit_empty: false,
        required: false,
        list: ListType::Atomic,
        atomic: false,
        granular: false,
        patch: Patch::REPLACE,
        default: None,
        values: &[],
        secret: false,
    };
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Text.
    String,
    /// A boolean.
    Bool,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// A floating-point number.
    Double,
    /// Bytes; base64 in JSON.
    Bytes,
    /// Seconds since 1970; RFC 3339 in JSON.
    Time,
    /// Microseconds since 1970; RFC 3339 in JSON.
    MicroTime,
    /// A span in Go's form.
    Duration,
    /// An amount of a resource.
    Quantity,
    /// A number or a name.
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

/// How server-side apply merges a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// As one value.
    Atomic,
    /// By value.
    Set,
    /// By these fields of its items.
    Map(&'static [&'static str]),
}

/// How strategic merge patch merges a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// A list is merged with the one there, not put in its place.
    pub merge: bool,
    /// Keys that the patch does not name are dropped.
    pub retain_keys: bool,
    /// A struct is not merged but put in place of the one there.
    pub replace_struct: bool,
    /// The field that tells items of a merged list apart; empty for lists of plain values.
    pub key: &'static str,
}

impl Patch {
    /// Of a field of which nothing is said: structs are merged, lists are put in place of the old ones.
    pub const REPLACE: Patch = Patch { merge: false, retain_keys: false, replace_struct: false, key: "" };
}

/// What is served under a plural name.
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
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether a server offers it with nothing switched on.
    pub served: bool,
    /// Verbs, sorted.
    pub verbs: &'static [&'static str],
    /// Short names.
    pub short_names: &'static [&'static str],
    /// Categories, such as `all`.
    pub categories: &'static [&'static str],
    /// Discovery's hash of the storage version.
    pub storage_hash: &'static str,
    /// An update may leave out the resourceVersion.
    pub unconditional_update: bool,
    /// An update of what does not exist creates it.
    pub create_on_update: bool,
    /// A delete answers with the object instead of a Status.
    pub returns_deleted: bool,
    /// `metadata.generation` counts changes.
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
    /// The group of the kind it takes and gives, where that is not the resource's own.
    pub group: &'static str,
    /// The version of that kind; empty where it is the resource's own.
    pub version: &'static str,
    /// The kind it takes and gives.
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
