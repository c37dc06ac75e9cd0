//! Definitions of the types that have no table.

use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use super::kind::{KIND, add_type_meta, kind_value};

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

/// The definition of a type that contains no other.
pub(super) fn definition(name: &str, is_v3: bool) -> Value {
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
        VERSION => version(is_v3),
        _ => json!({}),
    }
}

/// The definition of watch events: `object` is the schema of any object.
pub(super) fn watch_event(object: Value, kinds: Value, is_v3: bool) -> Value {
    let [object, ty] = match is_v3 {
        true => [json!({ "allOf": [object] }), json!({"default": "", "type": "string"})],
        false => [object, json!({"type": "string"})],
    };
    json!({
        "properties": {"object": object, "type": ty},
        "required": ["type", "object"],
        "type": "object",
        KIND: kinds,
    })
}

/// The definition of the list of all groups.
pub(super) fn group_list(group: Value) -> Value {
    let mut properties = Map::new();
    add_type_meta(&mut properties);
    let groups = json!({"items": group, "type": "array", "x-kubernetes-list-type": "atomic"});
    properties.insert("groups".to_owned(), groups);
    json!({
        "properties": properties,
        "required": ["groups"],
        "type": "object",
        KIND: [kind_value("", "v1", "APIGroupList")],
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
    let properties: Map =
        optional.chain(required).map(|(name, property)| (name.to_owned(), property)).collect();
    json!({"properties": properties, "required": REQUIRED, "type": "object"})
}
