//! OpenAPI v3, to the extent that clients need it for writes.
//!
//! kubectl looks up whether a kind's PATCH supports `fieldValidation` and refuses to apply without an answer. The
//! schemas themselves are not published: kubectl then patches by its own knowledge of built-in kinds.

use http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::discovery::{etag, hash};
use crate::registry::{Registry, Resource};
use crate::respond::{self, Body};

const PARAMETERS: [&str; 4] = ["dryRun", "fieldManager", "fieldValidation", "force"];

/// Serves an OpenAPI v3 document; `None` if the path is not one.
pub(crate) fn answer(registry: &Registry, path: &str) -> Option<Response<Body>> {
    let rest = path.strip_prefix("/openapi/v3")?.trim_matches('/');
    if rest.is_empty() {
        // The type that Go detects: upstream sets none.
        let content_type = "text/plain; charset=utf-8";
        return Some(respond::plain(StatusCode::OK, content_type, respond::to_bytes(&index(registry))));
    }
    let document = respond::to_bytes(&document(registry, rest)?);
    let tag = etag(&document);
    let mut response = respond::plain(StatusCode::OK, "application/json", document);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
    Some(response)
}

fn path_of(resource: &Resource) -> String {
    let api_version = resource.info.api_version();
    if resource.info.group.is_empty() { format!("api/{api_version}") } else { format!("apis/{api_version}") }
}

fn index(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for resource in registry.all() {
        let path = path_of(&resource);
        if !paths.contains_key(&path) {
            let hash = document(registry, &path).map(|document| hash(&respond::to_bytes(&document)));
            let url = format!("/openapi/v3/{path}?hash={}", hash.unwrap_or_default());
            paths.insert(path, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

fn document(registry: &Registry, path: &str) -> Option<Value> {
    let resources: Vec<_> = registry.all().into_iter().filter(|resource| path_of(resource) == path).collect();
    if resources.is_empty() {
        return None;
    }
    let mut paths = Map::new();
    for resource in resources.iter().filter(|resource| resource.has_verb("patch")) {
        let place = if resource.info.namespaced { "namespaces/{namespace}/" } else { "" };
        let url = format!("/{path}/{place}{}/{{name}}", resource.info.plural);
        paths.insert(url, json!({ "patch": operation(resource) }));
    }
    Some(json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": klient_schema::KUBERNETES_VERSION},
        "paths": paths,
        "components": {"schemas": {}},
    }))
}

fn operation(resource: &Resource) -> Value {
    let parameter =
        |name: &&str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    json!({
        "parameters": PARAMETERS.iter().map(parameter).collect::<Vec<_>>(),
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {
            "group": resource.info.group,
            "version": resource.info.version,
            "kind": resource.info.kind,
        },
    })
}
