//! `/v1/object/…`: an object with its events, its owners and the objects that it owns.

mod owned;

use axum::extract;
use futures_util::future::join3;
use http::Method;
use klient_apimachinery::fields::Selector;
use klient_apimachinery::meta::v1::OwnerReference;
use klient_apimachinery::{Object as _, Unstructured};
use klient_client::{ApiResource, ListOptions, RestMapper};
use serde_json::{Value, json};

use owned::Owned;

use super::{Context, ObjectPath, group_of};
use crate::digest;
use crate::failure::{Code, Failure};
use crate::masked::mask;
use crate::response::{self, Response};

/// The limit of events.
const MOST: u32 = 500;

/// The longest chain of owners.
const OWNERS: usize = 8;

/// The longest chain of owned objects, unless the request says another.
const DEPTH: usize = 8;

/// An object, and what belongs to it. What the user may not see is missing, with the reason among the `problems`.
pub(super) async fn object(context: Context, path: ObjectPath) -> Result<Response, Failure> {
    let context = &context;
    let query = context.query();
    query.check(&["namespace", "managedFields", "depth"])?;
    let depth = query.number("depth")?.unwrap_or(DEPTH);
    let extract::Path((group, version, plural, name)) = path;
    let resource = context.caller.identity.resource(group_of(&group), &version, &plural).await?;
    let namespace = match (resource.info.namespaced, query.get("namespace")) {
        (true, None) => {
            let problem = format!("name the namespace of {name} with the parameter namespace");
            return Err(Failure::new(Code::BadRequest, problem));
        }
        (true, namespace) => namespace,
        (false, _) => None,
    };
    let object = get(context, &resource, namespace, &name).await?;
    let owned = Owned::find(&context.caller.identity, &resource, &object, depth);
    let (events, owners, owned) = join3(events(context, &object), owners(context, &object), owned).await;
    let mut problems = Vec::new();
    let mut or_problem = |part: &str, found: Result<Vec<Value>, Failure>| {
        found.unwrap_or_else(|failure| {
            problems.push(json!({ "part": part, "error": failure.to_value() }));
            Vec::new()
        })
    };
    let (events, owners) = (or_problem("events", events), or_problem("owners", owners));
    let (owned, of_kinds) = match owned {
        Ok(owned) => (owned.items, owned.problems),
        Err(failure) => (Vec::new(), vec![json!({ "part": "owned", "error": failure.to_value() })]),
    };
    let is_complete = of_kinds.is_empty();
    problems.extend(of_kinds);
    let shows_managed_fields = query.flag("managedFields")?;
    let mut object = Value::Object(object.0);
    if !shows_managed_fields && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.remove("managedFields");
    }
    if is_secret(&resource) && !context.gateway.options.secrets {
        mask(&mut object);
    }
    let body = json!({
        "object": object,
        "events": events,
        "owners": owners,
        "owned": owned,
        "ownedComplete": is_complete,
        "problems": problems,
    });
    let body = body.to_string().into_bytes();
    Ok(response::tagged(&context.headers, &digest::short(&body), || body))
}

fn is_secret(resource: &ApiResource) -> bool {
    resource.info.group.is_empty() && resource.info.plural == "secrets"
}

async fn get(
    context: &Context,
    resource: &ApiResource,
    namespace: Option<&str>,
    name: &str,
) -> Result<Unstructured, Failure> {
    let info = &resource.info;
    let mut request =
        context.caller.identity.client.request(Method::GET).group_version(&info.group, &info.version);
    if let Some(namespace) = namespace {
        request = request.namespace(namespace);
    }
    Ok(request.resource(&info.plural).name(name).send().await?.decode()?)
}

/// The events of an object, the last one first.
async fn events(context: &Context, object: &Unstructured) -> Result<Vec<Value>, Failure> {
    let events = context.caller.identity.resource("", "v1", "events").await?;
    let options = ListOptions {
        limit: Some(MOST),
        ..ListOptions::fields(Selector::one("involvedObject.uid", object.uid()).to_string())
    };
    let events = context.caller.identity.client.dynamic(&events);
    let listed = match object.namespace() {
        Some(namespace) => events.namespace(namespace).list(&options).await?,
        None => events.list(&options).await?,
    };
    let mut found: Vec<Value> = listed.items.iter().map(event).collect();
    found.sort_by(|one, other| other["time"].as_str().cmp(&one["time"].as_str()));
    Ok(found)
}

/// The parts of an event that a page shows.
pub(super) fn event(event: &Unstructured) -> Value {
    let first = |paths: &[&[&str]]| {
        let found = paths.iter().filter_map(|path| event.at(path)).find(|value| !value.is_null());
        found.cloned().unwrap_or_default()
    };
    json!({
        "type": event["type"],
        "reason": event["reason"],
        "message": first(&[&["message"], &["note"]]),
        "count": first(&[&["series", "count"], &["count"], &["deprecatedCount"]]),
        "time": first(&[
            &["series", "lastObservedTime"],
            &["lastTimestamp"],
            &["eventTime"],
            &["metadata", "creationTimestamp"],
        ]),
        "source": first(&[&["reportingComponent"], &["source", "component"]]),
        "object": first(&[&["involvedObject"], &["regarding"]]),
    })
}

/// The owner of an object that is its controller, or its first one, and the owners of that, up to the top.
async fn owners(context: &Context, object: &Unstructured) -> Result<Vec<Value>, Failure> {
    let mapper = RestMapper::new(context.caller.identity.discovery.resources().await?);
    let mut found = Vec::new();
    let mut next = owner_of(object);
    let namespace = object.namespace();
    while let Some(owner) = next.take()
        && found.len() < OWNERS
    {
        let (group, version) = owner.api_version.split_once('/').unwrap_or(("", &owner.api_version));
        let resource = mapper.kind(group, &owner.kind, Some(version)).ok();
        let mut value = json!({
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "uid": owner.uid,
        });
        if let Some(resource) = resource {
            let namespace = namespace.filter(|_| resource.info.namespaced);
            value["path"] = path_of(resource).into();
            value["namespace"] = namespace.into();
            match get(context, resource, namespace, &owner.name).await {
                Ok(found) if found.uid() == owner.uid => next = owner_of(&found),
                Ok(_) => {
                    let problem = "it is gone: another object has its name";
                    value["error"] = Failure::new(Code::NotFound, problem).to_value();
                }
                // It is gone, or the user may not see it.
                Err(failure) => value["error"] = failure.to_value(),
            }
        }
        found.push(value);
    }
    Ok(found)
}

fn owner_of(object: &Unstructured) -> Option<OwnerReference> {
    let owners = object.owner_references();
    let controller = owners.iter().find(|owner| owner.controller == Some(true));
    controller.or(owners.first()).cloned()
}

/// The path of a resource below `/v1/table/`.
fn path_of(resource: &ApiResource) -> String {
    let info = &resource.info;
    let group = if info.group.is_empty() { "core" } else { &info.group };
    format!("{group}/{}/{}", info.version, info.plural)
}
