//! `/v1/object/…`: an object with its events, its owners and the objects that it owns.

use axum::extract;
use futures_util::StreamExt as _;
use futures_util::future::join3;
use http::Method;
use klient_apimachinery::fields::Selector;
use klient_apimachinery::meta::v1::OwnerReference;
use klient_apimachinery::{Object as _, Unstructured};
use klient_client::{ApiResource, ListOptions, RestMapper};
use serde_json::{Value, json};

use super::{Context, ObjectPath, group_of};
use crate::digest;
use crate::failure::{Code, Failure};
use crate::masked::mask;
use crate::response::{self, Response};

/// The limit of events, and of objects of a kind that are owned.
const MOST: u32 = 500;

/// The limit of requests at a time.
const AT_A_TIME: usize = 8;

/// The longest chain of owners.
const OWNERS: usize = 8;

/// Built-in kinds that controllers create for other objects. Custom resources own those of their own group, too.
const OWNED: [(&str, &str); 16] = [
    ("", "pods"),
    ("", "services"),
    ("", "configmaps"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "persistentvolumeclaims"),
    ("apps", "replicasets"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("apps", "controllerrevisions"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("discovery.k8s.io", "endpointslices"),
    ("networking.k8s.io", "ingresses"),
    ("policy", "poddisruptionbudgets"),
];

/// An object, and what belongs to it. What the user may not see is missing, with the reason among the `problems`.
pub(super) async fn object(context: Context, path: ObjectPath) -> Result<Response, Failure> {
    let context = &context;
    let query = context.query();
    query.check(&["namespace", "managedFields"])?;
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
    let (events, owners, owned) =
        join3(events(context, &object), owners(context, &object), owned(context, &object)).await;
    let mut problems = Vec::new();
    let mut or_problem = |part: &str, found: Result<Vec<Value>, Failure>| {
        found.unwrap_or_else(|failure| {
            problems.push(json!({ "part": part, "error": failure.to_value() }));
            Vec::new()
        })
    };
    let (events, owners) = (or_problem("events", events), or_problem("owners", owners));
    let (owned, refused) = match owned {
        Ok((owned, refused)) => (owned, refused),
        Err(failure) => (or_problem("owned", Err(failure)), Vec::new()),
    };
    problems.extend(refused);
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
                Ok(owner) => next = owner_of(&owner),
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

/// The objects that an object owns, directly or through others, each with the uid of its owner; and the kinds that the user may
/// not list.
async fn owned(context: &Context, object: &Unstructured) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let served = context.caller.identity.discovery.resources().await?;
    let group = object.group_version_kind().group;
    let is_candidate = |resource: &&ApiResource| {
        let info = &resource.info;
        let is_built_in = OWNED.contains(&(&*info.group, &*info.plural));
        let is_of_group = !group.is_empty() && info.group == group.as_str();
        (is_built_in || is_of_group)
            && resource.has_verb("list")
            // Objects of a namespace own only others of it.
            && (info.namespaced || object.namespace().is_none())
    };
    let candidates: Vec<&ApiResource> = served.preferred().filter(is_candidate).collect();
    let options = ListOptions { limit: Some(MOST), ..ListOptions::default() };
    let mut lists = Vec::new();
    for resource in candidates {
        let all = context.caller.identity.client.metadata(resource);
        let listing = match object.namespace() {
            Some(namespace) => all.namespace(namespace).list(&options),
            None => all.list(&options),
        };
        lists.push(async move { (resource, listing.await) });
    }
    let lists: Vec<_> = futures_util::stream::iter(lists).buffer_unordered(AT_A_TIME).collect().await;
    let (mut all, mut refused) = (Vec::new(), Vec::new());
    for (resource, listed) in lists {
        match listed {
            Ok(listed) => all.extend(listed.items.into_iter().map(|item| (resource, item))),
            Err(error) => {
                let part = resource.info.group_resource();
                refused.push(json!({ "part": part, "error": Failure::from(error).to_value() }));
            }
        }
    }
    let mut found = Vec::new();
    let mut owners = vec![object.uid().to_owned()];
    while let Some(owner) = owners.pop() {
        for (resource, item) in &all {
            let owns = item.owner_references().iter().any(|reference| reference.uid == owner.as_str());
            // Owners that own each other are there once.
            if owns && !found.iter().any(|found: &Value| found["uid"] == item.uid()) {
                found.push(json!({
                    "apiVersion": resource.info.api_version(),
                    "kind": resource.info.kind,
                    "namespace": item.namespace(),
                    "name": item.name(),
                    "uid": item.uid(),
                    "owner": owner,
                    "path": path_of(resource),
                }));
                owners.push(item.uid().to_owned());
            }
        }
    }
    found.sort_by_key(|item| (item["kind"].to_string(), item["name"].to_string()));
    Ok((found, refused))
}
