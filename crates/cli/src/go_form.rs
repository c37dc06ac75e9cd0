//! Objects of built-in kinds in the form that Go writes: without unknown fields, and with the structs that are never left
//! out, such as `resources: {}` of a container.

use klient_apimachinery::Unstructured;
use klient_apimachinery::schema::{Schema, Type};
use klient_apimachinery::values::{self, UnmarshalTypeError};

/// Brings an object into the form that Go writes. One of another kind stays as it is.
///
/// # Errors
///
/// If a field has a value of the wrong type.
pub(crate) fn of(object: Unstructured) -> Result<Unstructured, UnmarshalTypeError> {
    let kind = object.group_version_kind();
    let Some(schema) = klient_schema::kind(&kind.group, &kind.version, &kind.kind) else { return Ok(object) };
    let [api_version, kind] = [object["apiVersion"].clone(), object["kind"].clone()];
    let mut formed = Unstructured(values::decode(object.0, schema)?.object);
    formed["apiVersion"] = api_version;
    formed["kind"] = kind;
    Ok(formed)
}

/// The fields of a pod.
pub(crate) fn pod() -> &'static Schema {
    klient_schema::kind("", "v1", "Pod").expect("every version has pods")
}

/// The fields of a container.
pub(crate) fn container() -> &'static Schema {
    let spec = pod().field("spec").map(|field| field.ty);
    let containers = match spec {
        Some(Type::Message(spec)) => spec.field("containers").map(|field| field.ty),
        _ => None,
    };
    match containers {
        Some(Type::List(Type::Message(container))) => container,
        _ => unreachable!("a pod has a spec with a list of containers"),
    }
}
