//! The variable `request`: an AdmissionRequest as expressions see it.

use std::borrow::Cow;

use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use crate::admission::Attributes;
use crate::admission::matching::Matched;
use crate::auth::User;
use crate::registry::{GroupVersionKind, Resource};

/// The AdmissionRequest of a write without its uid and its objects, for the resource by which it has matched.
pub(crate) fn request(attributes: &Attributes<'_>, matched: &Matched) -> Value {
    let mut request = Map::new();
    let mut set = |field: &str, value: Value| {
        request.insert(field.to_owned(), value);
    };
    set("kind", kind(&matched.kind));
    set("resource", resource(&matched.resource));
    set("requestKind", kind(&attributes.kind()));
    set("requestResource", resource(attributes.resource));
    set("operation", attributes.operation.as_str().into());
    for (field, value) in [
        ("subResource", attributes.subresource.unwrap_or_default()),
        ("requestSubResource", attributes.subresource.unwrap_or_default()),
        ("name", attributes.name),
        ("namespace", attributes.request_namespace()),
    ] {
        if !value.is_empty() {
            set(field, value.into());
        }
    }
    set("userInfo", attributes.request.user.map_or(json!({}), user_info));
    set("dryRun", attributes.request.dry_run.into());
    set("options", attributes.options().map_or(Value::Null, Value::Object));
    Value::Object(request)
}

/// The AdmissionRequest as match conditions see it: as upstream, its resource is that of the request in place of the one
/// that has matched. Its kind is the one that has matched.
pub(super) fn of_the_client(request: &Value) -> Cow<'_, Value> {
    let sent = request.get("requestResource");
    if request.get("resource") == sent {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    request["resource"] = request["requestResource"].clone();
    Cow::Owned(request)
}

fn kind(kind: &GroupVersionKind) -> Value {
    json!({"group": &*kind.group, "version": &*kind.version, "kind": &*kind.kind})
}

fn resource(resource: &Resource) -> Value {
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
