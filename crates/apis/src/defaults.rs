//! Defaulting of built-in kinds.
//!
//! Defaults belong to the version of a kind, and there to its structs, wherever they are nested: a container gets the
//! same ones in a Pod as in a CronJob's template. They are set before validation, on create, on update and after a
//! patch, and are owned by the client's field manager. Fields that admission and the kind's strategy add later,
//! without an owner, are set by [`prepare_create`] and [`prepare_update`].

mod cluster;
mod network;
mod pod;
mod pod_admission;
mod policy;
mod prepare;
mod qos;
mod service;
#[cfg(test)]
mod tests;
mod volume;
mod workload;

use klient_apimachinery::Quantity;
use klient_apimachinery::schema::{Field, ResourceSchema, Schema, Type};
use serde_json::Value;

use klient_apimachinery::values::Map;

/// The QoS class of a Pod, from its resources.
pub fn qos_class(pod: &Map) -> &'static str {
    qos::class(pod)
}

/// Sets the defaults of a built-in kind. The object must have the form returned by `values::decode`.
pub fn apply(resource: &ResourceSchema, object: &mut Map) {
    of_message(resource.schema, object);
}

/// Sets the fields of a new object that admission and its strategy set, after [`apply`]. It has its name and UID.
pub fn prepare_create(resource: &ResourceSchema, object: &mut Map) {
    prepare::create(resource, object);
}

/// Sets the fields of an updated object that admission and its strategy set, after [`apply`]. It has the old status.
pub fn prepare_update(resource: &ResourceSchema, object: &mut Map, old: &Map) {
    prepare::update(resource, object, old);
}

/// Sets the defaults of a struct, then those of the structs in it.
fn of_message(schema: &Schema, object: &mut Map) {
    if schema.package == "meta/v1" {
        return;
    }
    of_struct(schema, object);
    for field in schema.fields {
        if let Some(default) = field.default {
            of_field(field, default, object);
        }
        if matches!(field.ty, Type::Message(_) | Type::List(_) | Type::Map(_))
            && let Some(value) = object.get_mut(field.json)
        {
            of_value(field.ty, value);
        }
    }
}

fn of_value(ty: Type, value: &mut Value) {
    match (ty, value) {
        (Type::Message(schema), Value::Object(object)) => of_message(schema, object),
        (Type::List(item @ Type::Message(_)), Value::Array(items)) => {
            items.iter_mut().for_each(|value| of_value(*item, value));
        }
        (Type::Map(item @ (Type::Message(_) | Type::Quantity)), Value::Object(entries)) => {
            entries.values_mut().for_each(|value| of_value(*item, value));
        }
        (Type::Quantity, Value::String(amount)) => round_up(amount),
        _ => {}
    }
}

/// The default given by a field's declaration.
fn of_field(field: &Field, default: &str, object: &mut Map) {
    let is_zero = matches!(default, "\"\"" | "0" | "false");
    if object.contains_key(field.json) || (is_zero && !field.pointer) {
        return;
    }
    if let Ok(value) = serde_json::from_str::<Value>(default) {
        object.insert(field.json.to_owned(), value);
    }
}

/// Quantities in resource lists are rounded up to a thousandth.
fn round_up(amount: &mut String) {
    if let Ok(rounded) = Quantity::from(amount.as_str()).round_up(-3)
        && rounded.as_str() != amount
    {
        *amount = rounded.to_string();
    }
}

fn of_struct(schema: &Schema, object: &mut Map) {
    match schema.package {
        "core/v1" => of_core(schema.name, object),
        "apps/v1" | "batch/v1" | "autoscaling/v1" | "autoscaling/v2" => workload::set(schema, object),
        "networking/v1" | "discovery/v1" => network::set(schema, object),
        _ => policy::set(schema, object),
    }
}

fn of_core(name: &str, object: &mut Map) {
    match name {
        "Pod" => pod::pod(object),
        "PodSpec" => pod::spec(object),
        "PodStatus" => pod::status(object),
        "Container" | "EphemeralContainer" => pod::container(object),
        "Probe" => pod::probe(object),
        "HTTPGetAction" => pod::http_get(object),
        "ObjectFieldSelector" => fill(object, "apiVersion", "v1"),
        "Volume" => volume::volume(object),
        "HostPathVolumeSource" => fill(object, "type", ""),
        "SecretVolumeSource"
        | "ConfigMapVolumeSource"
        | "DownwardAPIVolumeSource"
        | "ProjectedVolumeSource" => fill(object, "defaultMode", 0o644),
        "ServiceAccountTokenProjection" => fill(object, "expirationSeconds", 3600),
        "AzureDiskVolumeSource" => volume::azure_disk(object),
        "PersistentVolume" => volume::persistent_volume(object),
        "PersistentVolumeClaim" => volume::claim(object),
        "PersistentVolumeClaimSpec" => fill(object, "volumeMode", "Filesystem"),
        "ReplicationController" => workload::replication_controller(object),
        "Service" => network::service(object),
        "EndpointPort" => fill(object, "protocol", "TCP"),
        "Namespace" => cluster::namespace(object),
        "NamespaceStatus" => fill(object, "phase", "Active"),
        "NodeSpec" => cluster::node_spec(object),
        "NodeStatus" => cluster::node_status(object),
        "Secret" => cluster::secret(object),
        "LimitRangeItem" => cluster::limit_range_item(object),
        _ => {}
    }
}

/// Sets a field, or removes it for `None`.
fn put(object: &mut Map, name: &str, value: Option<Value>) {
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
}

/// Sets a missing field.
fn fill(object: &mut Map, name: &str, value: impl Into<Value>) {
    if !object.contains_key(name) {
        object.insert(name.to_owned(), value.into());
    }
}

/// Sets a field that is missing or zero; Go writes such a field even when it is empty.
fn fill_zero(object: &mut Map, name: &str, value: impl Into<Value>) {
    let is_zero = match object.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(_) => false,
    };
    if is_zero {
        object.insert(name.to_owned(), value.into());
    }
}

/// Returns true if a list or map is missing or empty.
fn is_empty(object: &Map, name: &str) -> bool {
    match object.get(name) {
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(entries)) => entries.is_empty(),
        _ => true,
    }
}

/// The object in a field, for mutation; `None` if there is none.
fn object_mut<'a>(object: &'a mut Map, name: &str) -> Option<&'a mut Map> {
    object.get_mut(name)?.as_object_mut()
}

/// The objects in a list field, for mutation.
fn objects_mut<'a>(object: &'a mut Map, name: &str) -> impl Iterator<Item = &'a mut Map> {
    object.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}
