//! [`Definitions`], the named schemas of a document.

use klient_apimachinery::meta::v1::schema::{API_GROUP, LIST_META};
use klient_apimachinery::schema::{Field, ListType, Schema, Type};
use klient_apimachinery::values::Map;
use klient_schema::openapi::{DESCRIPTIONS, SCHEME, UNIONS};
use klient_schema::{Description, Union};
use serde_json::{Value, json};

use super::kind::{KIND, add_type_meta, kind_value};
use super::special;

/// The version of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    /// A reference to a definition.
    pub(super) fn reference(self, name: &str) -> Value {
        let prefix = match self {
            Dialect::V2 => "#/definitions/",
            Dialect::V3 => "#/components/schemas/",
        };
        json!({ "$ref": format!("{prefix}{name}") })
    }
}

/// The schemas that are reachable from the operations of a document.
pub(super) struct Definitions<'a> {
    pub(super) dialect: Dialect,
    /// The group-versions in which the kinds exist that all groups share, such as `DeleteOptions`, as in `apiVersion`.
    pub(super) shared_by: &'a [&'a str],
    pub(super) schemas: Map,
}

/// Structs whose `name` OpenAPI calls optional, although the server requires it: those of or with a LocalObjectReference
/// (kubernetes/kubernetes#124694).
const NAME_IS_OPTIONAL: [&str; 8] = [
    "core/v1.ConfigMapEnvSource",
    "core/v1.ConfigMapKeySelector",
    "core/v1.ConfigMapProjection",
    "core/v1.ConfigMapVolumeSource",
    "core/v1.LocalObjectReference",
    "core/v1.SecretEnvSource",
    "core/v1.SecretKeySelector",
    "core/v1.SecretProjection",
];

/// A field that OpenAPI calls required, although the server takes objects without it (kubernetes/kubernetes#131354).
const REQUIRED: (&str, &str) = ("events/v1.Event", "eventTime");

/// The scheme of clients, in which custom resources are defined, lacks these groups of the server's.
const NOT_OF_CLIENTS: [&str; 4] =
    ["admission.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "imagepolicy.k8s.io"];

impl<'a> Definitions<'a> {
    /// No definitions, to be filled by [`add`](Self::add).
    pub(super) fn new(dialect: Dialect, shared_by: &'a [&'a str]) -> Self {
        Definitions { dialect, shared_by, schemas: Map::new() }
    }

    /// Adds a struct, and those in it; returns the reference to it.
    pub(super) fn add(&mut self, schema: &'static Schema) -> Value {
        let name = name(schema);
        if !self.schemas.contains_key(&name) {
            // Structs such as JSONSchemaProps contain themselves.
            self.schemas.insert(name.clone(), Value::Null);
            let definition = self.structure(schema);
            self.schemas.insert(name.clone(), definition);
        }
        self.dialect.reference(&name)
    }

    /// Adds the list of a kind; returns the reference to it.
    pub(super) fn add_list(&mut self, item: &'static Schema) -> Value {
        let name = format!("{}List", name(item));
        if !self.schemas.contains_key(&name) {
            let items = self.add(item);
            let mut properties = Map::new();
            add_type_meta(&mut properties);
            properties.insert("items".to_owned(), json!({"items": items, "type": "array"}));
            let mut metadata = self.add(&LIST_META);
            if self.dialect == Dialect::V3 {
                metadata = json!({"allOf": [metadata], "default": {}});
            }
            properties.insert("metadata".to_owned(), metadata);
            let kind = format!("{}List", item.name);
            let definition = json!({
                "properties": properties,
                "required": ["items"],
                "type": "object",
                "x-kubernetes-group-version-kind": kinds(item).map(|(group, version)| kind_value(group, version, &kind))
                    .collect::<Vec<_>>(),
            });
            self.schemas.insert(name.clone(), definition);
        }
        self.dialect.reference(&name)
    }

    /// Adds a type that has no table; returns the reference to it.
    pub(super) fn add_special(&mut self, name: &str) -> Value {
        if !self.schemas.contains_key(name) {
            let is_v3 = self.dialect == Dialect::V3;
            let definition = match name {
                special::WATCH_EVENT => {
                    let object = self.add_special(special::RAW_EXTENSION);
                    special::watch_event(object, self.shared_kinds("WatchEvent"), is_v3)
                }
                special::GROUP_LIST => special::group_list(self.add(&API_GROUP)),
                name => special::definition(name, is_v3),
            };
            self.schemas.insert(name.to_owned(), definition);
        }
        self.dialect.reference(name)
    }

    /// The kinds of a struct of meta/v1 that all groups share.
    pub(super) fn shared_kinds(&self, kind: &str) -> Value {
        self.shared_by
            .iter()
            .map(|api_version| {
                let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
                kind_value(group, version, kind)
            })
            .collect()
    }

    fn structure(&mut self, schema: &'static Schema) -> Value {
        let full = full_name(schema);
        let description = description(&full);
        let mut properties = Map::new();
        let mut required = Vec::new();
        let kinds: Vec<_> = kinds(schema).collect();
        if !kinds.is_empty() {
            add_type_meta(&mut properties);
        }
        for field in schema.fields {
            let is_optional = field.json == "name" && NAME_IS_OPTIONAL.contains(&full.as_str());
            if (field.required && !is_optional) || REQUIRED == (full.as_str(), field.json) {
                required.push(Value::from(field.json));
            }
            let property = self.property(&full, field, meaning(description, field.json));
            properties.insert(field.json.to_owned(), property);
        }
        let mut definition = Map::new();
        definition.insert("type".to_owned(), "object".into());
        if let Some(meaning) = description.map(|found| found.meaning).filter(|meaning| !meaning.is_empty()) {
            definition.insert("description".to_owned(), meaning.into());
        }
        if !properties.is_empty() {
            definition.insert("properties".to_owned(), properties.into());
        }
        if !required.is_empty() {
            definition.insert("required".to_owned(), required.into());
        }
        if schema.is_atomic {
            definition.insert("x-kubernetes-map-type".to_owned(), "atomic".into());
        }
        if let Some(declared) = UNIONS.iter().find(|union| union.of == full) {
            definition.insert("x-kubernetes-unions".to_owned(), union(declared));
        }
        if full == "meta/v1.DeleteOptions" {
            definition.insert(KIND.to_owned(), self.shared_kinds(schema.name));
        } else if !kinds.is_empty() && schema.name != "PersistentVolumeClaimTemplate" {
            let kinds = kinds.iter().map(|(group, version)| kind_value(group, version, schema.name));
            definition.insert(KIND.to_owned(), kinds.collect());
        }
        Value::Object(definition)
    }

    fn property(&mut self, owner: &str, field: &Field, meaning: Option<&str>) -> Value {
        let Value::Object(mut property) = self.value(&field.ty) else { return Value::Null };
        let is_reference = property.contains_key("$ref");
        // Upstream has no description of these fields of a schema, and so no reason to wrap their references.
        let is_bare = owner == "apiextensions/v1.JSONSchemaProps" && field.json != "default";
        if self.dialect == Dialect::V3 && is_reference && !is_bare {
            property = Map::from_iter([("allOf".to_owned(), Value::Array(vec![property.into()]))]);
        }
        if !field.values.is_empty() {
            enumerate(&mut property, field.values);
        }
        let mut set = |name: &str, value: Value| {
            property.insert(name.to_owned(), value);
        };
        if let Some(meaning) = meaning.filter(|_| !is_bare) {
            set("description", meaning.into());
        }
        if let Some(default) = Some(field).filter(|_| self.dialect == Dialect::V3).and_then(default) {
            set("default", default);
        }
        if field.atomic {
            set("x-kubernetes-map-type", "atomic".into());
        }
        if field.granular {
            set("x-kubernetes-map-type", "granular".into());
        }
        match field.list {
            ListType::Undeclared => {}
            ListType::Atomic => set(LIST_TYPE, "atomic".into()),
            ListType::Set => set(LIST_TYPE, "set".into()),
            ListType::Map(keys) => {
                set(LIST_TYPE, "map".into());
                set("x-kubernetes-list-map-keys", keys.into());
            }
        }
        if let Some(strategy) = strategy(field) {
            set("x-kubernetes-patch-strategy", strategy.into());
        }
        if !field.patch.key.is_empty() {
            set("x-kubernetes-patch-merge-key", field.patch.key.into());
        }
        property.into()
    }

    /// The schema of a value of this type.
    fn value(&mut self, ty: &Type) -> Value {
        match ty {
            Type::String => json!({"type": "string"}),
            Type::Bool => json!({"type": "boolean"}),
            Type::Int32 => json!({"format": "int32", "type": "integer"}),
            Type::Int64 => json!({"format": "int64", "type": "integer"}),
            Type::Double => json!({"format": "double", "type": "number"}),
            Type::Bytes => json!({"format": "byte", "type": "string"}),
            Type::Time => self.add_special(special::TIME),
            Type::MicroTime => self.add_special(special::MICRO_TIME),
            Type::Duration => self.add_special(special::DURATION),
            Type::Quantity => self.add_special(special::QUANTITY),
            Type::IntOrString => self.add_special(special::INT_OR_STRING),
            Type::Json => self.add_special(special::JSON),
            Type::RawExtension => self.add_special(special::RAW_EXTENSION),
            Type::FieldsV1 => self.add_special(special::FIELDS_V1),
            Type::StringList => json!({"items": {"type": "string"}, "type": "array"}),
            Type::SchemaOrArray(_) => self.add_special(special::SCHEMA_OR_ARRAY),
            Type::SchemaOrBool(_) => self.add_special(special::SCHEMA_OR_BOOL),
            Type::SchemaOrStringArray(_) => self.add_special(special::SCHEMA_OR_STRING_ARRAY),
            Type::Message(schema) => self.add(schema),
            Type::List(item) => json!({"items": self.value(item), "type": "array"}),
            Type::Map(item) => json!({"additionalProperties": self.value(item), "type": "object"}),
        }
    }
}

const LIST_TYPE: &str = "x-kubernetes-list-type";

/// The group-versions of the scheme that clients have, in which the kinds of custom resources are defined.
pub(super) fn scheme_of_clients() -> Vec<&'static str> {
    let group = |api_version: &&str| api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
    SCHEME.iter().copied().filter(|version| !NOT_OF_CLIENTS.contains(&group(version).as_str())).collect()
}

/// The name of a struct's definition, such as `io.k8s.api.core.v1.Pod`.
pub(super) fn name(schema: &Schema) -> String {
    let package = schema.package.replace('/', ".");
    let path = match schema.package.split('/').next() {
        Some("meta") => "io.k8s.apimachinery.pkg.apis",
        Some("apiextensions") => "io.k8s.apiextensions-apiserver.pkg.apis",
        Some("apiregistration") => "io.k8s.kube-aggregator.pkg.apis",
        _ => "io.k8s.api",
    };
    format!("{path}.{package}.{}", schema.name)
}

/// The name of a struct in the tables, such as `core/v1.Pod`.
fn full_name(schema: &Schema) -> String {
    format!("{}.{}", schema.package, schema.name)
}

/// The groups and versions in which a struct is a kind.
fn kinds(schema: &Schema) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds = klient_schema::KINDS.iter().filter(move |(_, _, kind)| *kind == schema);
    kinds.map(|(group, version, _)| (*group, *version))
}

/// Adds the allowed values of a string, or of the strings in a list or map.
fn enumerate(property: &mut Map, values: &[&str]) {
    let place = ["items", "additionalProperties"].into_iter().find(|place| property.contains_key(*place));
    match place.and_then(|place| property.get_mut(place)?.as_object_mut()) {
        Some(inner) => inner.insert("enum".to_owned(), values.into()),
        None => property.insert("enum".to_owned(), values.into()),
    };
}

/// The default of a field: that which the API declares, or that of Go's type if it is always present.
fn default(field: &Field) -> Option<Value> {
    if let Some(default) = field.default {
        return serde_json::from_str(default).ok();
    }
    match field.ty {
        _ if field.pointer => None,
        Type::Message(_) => Some(json!({})),
        _ if field.omit_empty => None,
        Type::String => Some("".into()),
        Type::Bool => Some(false.into()),
        Type::Int32 | Type::Int64 | Type::Double => Some(0.into()),
        _ => None,
    }
}

fn strategy(field: &Field) -> Option<&'static str> {
    match (field.patch.merge, field.patch.retain_keys, field.patch.replace_struct) {
        (true, true, _) => Some("merge,retainKeys"),
        (true, false, _) => Some("merge"),
        (false, true, _) => Some("retainKeys"),
        (false, false, true) => Some("replace"),
        (false, false, false) => None,
    }
}

fn union(union: &Union) -> Value {
    let capital = |name: &str| {
        let (first, rest) = name.split_at(1);
        first.to_uppercase() + rest
    };
    let fields: Map = union.fields.iter().map(|name| ((*name).to_owned(), capital(name).into())).collect();
    let mut value = Map::from_iter([("fields-to-discriminateBy".to_owned(), fields.into())]);
    if !union.discriminator.is_empty() {
        value.insert("discriminator".to_owned(), union.discriminator.into());
    }
    json!([value])
}

/// The description of a struct.
fn description(name: &str) -> Option<&'static Description> {
    let found = DESCRIPTIONS.binary_search_by_key(&name, |description| description.of);
    found.ok().map(|at| &DESCRIPTIONS[at])
}

/// The meaning of a field.
fn meaning(description: Option<&Description>, field: &str) -> Option<&'static str> {
    let fields = description?.fields;
    let found = fields.binary_search_by_key(&field, |(name, _)| name);
    found.ok().map(|at| fields[at].1)
}
