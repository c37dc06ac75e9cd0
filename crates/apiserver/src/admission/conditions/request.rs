//! The variable `request`: an AdmissionRequest as expressions see it.

use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use crate::admission::{Attributes, Operation};
use crate::auth::User;
use crate::registry::Resource;

/// The AdmissionRequest of a write, without its uid and its objects, for a rule that names the resource as `matched`.
pub(crate) fn request(attributes: &Attributes<'_>, matched: &Resource, options: &Value) -> Value {
    let Attributes { resource, subresource, namespace, name, .. } = *attributes;
    let mut request = Map::new();
    let mut set = |field: &str, value: Value| {
        request.insert(field.to_owned(), value);
    };
    set("kind", kind_of(matched, subresource));
    set("resource", resource_of(matched));
    set("requestKind", kind_of(resource, subresource));
    set("requestResource", resource_of(resource));
    set(
        "operation",
        Value::from(match attributes.operation {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }),
    );
    for (field, value) in [
        ("subResource", subresource.unwrap_or_default()),
        ("requestSubResource", subresource.unwrap_or_default()),
        ("name", name),
        ("namespace", namespace.unwrap_or_default()),
    ] {
        if !value.is_empty() {
            set(field, value.into());
        }
    }
    set("userInfo", attributes.user.map_or(json!({}), user_info));
    set("options", options.clone());
    Value::Object(request)
}

/// The kind of a resource, or that of its subresource.
pub(crate) fn kind_of(resource: &Resource, subresource: Option<&str>) -> Value {
    let own = subresource.and_then(|name| resource.subresources.iter().find(|own| own.name == name));
    match own {
        Some(own) => json!({"group": own.group, "version": own.version, "kind": own.kind}),
        None => {
            let info = &resource.info;
            json!({"group": &*info.group, "version": &*info.version, "kind": &*info.kind})
        }
    }
}

fn resource_of(resource: &Resource) -> Value {
    let info = &resource.info;
    json!({"group": &*info.group, "version": &*info.version, "resource": &*info.plural})
}

fn user_info(user: &User) -> Value {
    let mut info = Map::new();
    let mut set = |field: &str, value: Value, is_empty: bool| {
        if !is_empty {
            info.insert(field.to_owned(), value);
        }
    };
    set("username", user.name.as_str().into(), user.name.is_empty());
    set("uid", user.uid.as_str().into(), user.uid.is_empty());
    set("groups", json!(user.groups), user.groups.is_empty());
    set("extra", json!(user.extra), user.extra.is_empty());
    Value::Object(info)
}
