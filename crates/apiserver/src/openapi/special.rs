//! Definitions of the types that have no table.

use serde_json::{Value, json};

use super::definition::{Definitions, Dialect, KIND, add_type_meta};

pub(super) const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
pub(super) const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
pub(super) const DURATION: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Duration";
pub(super) const FIELDS_V1: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
pub(super) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
pub(super) const WATCH_EVENT: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent";
pub(super) const GROUP_LIST: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList";
pub(super) const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
pub(super) const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
pub(super) const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";
pub(super) const VERSION: &str = "io.k8s.apimachinery.pkg.version.Info";
pub(super) const JSON: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";
pub(super) const SCHEMA_OR_ARRAY: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray";
pub(super) const SCHEMA_OR_BOOL: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool";
pub(super) const SCHEMA_OR_STRING_ARRAY: &str =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray";

/// The definition with a name.
pub(super) fn definition(name: &str, definitions: &mut Definitions<'_>) -> Value {
    let is_v3 = definitions.dialect == Dialect::V3;
    match name {
        TIME | MICRO_TIME => json!({"format": "date-time", "type": "string"}),
        DURATION => json!({"type": "string"}),
        FIELDS_V1 | RAW_EXTENSION | PATCH => json!({"type": "object"}),
        QUANTITY if is_v3 => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        QUANTITY => json!({"type": "string"}),
        INT_OR_STRING if is_v3 => {
            json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
        }
        INT_OR_STRING => json!({"format": "int-or-string", "type": "string"}),
        WATCH_EVENT => watch_event(definitions),
        GROUP_LIST => group_list(definitions),
        VERSION => version(is_v3),
        _ => json!({}),
    }
}

fn watch_event(definitions: &mut Definitions<'_>) -> Value {
    let object = definitions.add_special(RAW_EXTENSION);
    let [object, ty] = match definitions.dialect {
        Dialect::V2 => [object, json!({"type": "string"})],
        Dialect::V3 => [json!({ "allOf": [object] }), json!({"default": "", "type": "string"})],
    };
    json!({
        "properties": {"object": object, "type": ty},
        "required": ["type", "object"],
        "type": "object",
        KIND: definitions.shared_kinds("WatchEvent"),
    })
}

fn group_list(definitions: &mut Definitions<'_>) -> Value {
    let group = definitions.add(&klient_apimachinery::meta::v1::schema::API_GROUP);
    let mut properties = klient_apimachinery::values::Map::new();
    add_type_meta(&mut properties);
    let groups = json!({"items": group, "type": "array", "x-kubernetes-list-type": "atomic"});
    properties.insert("groups".to_owned(), groups);
    json!({
        "properties": properties,
        "required": ["groups"],
        "type": "object",
        KIND: [{"group": "", "kind": "APIGroupList", "version": "v1"}],
    })
}

/// The answer of `/version`.
fn version(has_defaults: bool) -> Value {
    const OPTIONAL: [&str; 4] =
        ["emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"];
    const REQUIRED: [&str; 9] = [
        "major",
        "minor",
        "gitVersion",
        "gitCommit",
        "gitTreeState",
        "buildDate",
        "goVersion",
        "compiler",
        "platform",
    ];
    let optional = OPTIONAL.iter().map(|name| (*name, json!({"type": "string"})));
    let required = REQUIRED.iter().map(|name| match has_defaults {
        true => (*name, json!({"default": "", "type": "string"})),
        false => (*name, json!({"type": "string"})),
    });
    let properties: klient_apimachinery::values::Map =
        optional.chain(required).map(|(name, property)| (name.to_owned(), property)).collect();
    json!({"properties": properties, "required": REQUIRED, "type": "object"})
}
