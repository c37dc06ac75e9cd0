//! Documents of OpenAPI v3.

use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use super::kind::KIND;
use super::route::{Parameter, Place, Route, by_path};
use super::status_text;

/// A document.
pub(super) fn document(routes: &[Route], schemas: Map, info: Value, has_security: bool) -> Value {
    let mut components = Map::new();
    if !schemas.is_empty() {
        components.insert("schemas".to_owned(), schemas.into());
    }
    if has_security {
        let scheme = json!({"BearerToken": {"in": "header", "name": "authorization", "type": "apiKey"}});
        components.insert("securitySchemes".to_owned(), scheme);
    }
    json!({"components": components, "info": info, "openapi": "3.0.0", "paths": paths(routes)})
}

fn paths(routes: &[Route]) -> Map {
    let mut paths = Map::new();
    for (path, (shared, routes)) in by_path(routes) {
        let mut item = Map::new();
        for route in routes {
            item.insert(route.method.to_owned(), operation(route, &shared));
        }
        if !shared.is_empty() {
            item.insert("parameters".to_owned(), shared.iter().map(parameter).collect());
        }
        paths.insert(path.to_owned(), item.into());
    }
    paths
}

fn operation(route: &Route, shared: &[Parameter]) -> Value {
    let mut operation = Map::new();
    let mut set = |name: &str, value: Value| {
        operation.insert(name.to_owned(), value);
    };
    set("operationId", route.id.as_str().into());
    set("tags", json!([route.tag]));
    let mut own: Vec<&Parameter> =
        route.parameters.iter().filter(|parameter| !shared.contains(parameter)).collect();
    if !own.is_empty() {
        own.sort();
        set("parameters", own.into_iter().map(parameter).collect());
    }
    if let Some(body) = &route.body {
        let mut request = json!({ "content": content(route.consumes, &body.schema) });
        if body.required {
            request["required"] = true.into();
        }
        set("requestBody", request);
    }
    let mut responses = Map::new();
    for (code, schema) in &route.responses {
        let response = json!({"content": content(route.produces, schema), "description": status_text(*code)});
        responses.insert(code.to_string(), response);
    }
    responses.insert("401".to_owned(), json!({ "description": status_text(401) }));
    set("responses", responses.into());
    if let Some(action) = route.action {
        set("x-kubernetes-action", action.into());
    }
    if let Some(kind) = &route.kind {
        set(KIND, kind.clone());
    }
    operation.into()
}

fn content(types: &[&str], schema: &Value) -> Value {
    types.iter().map(|ty| ((*ty).to_owned(), json!({ "schema": schema }))).collect::<Map>().into()
}

fn parameter(parameter: &Parameter) -> Value {
    let mut value = json!({
        "in": parameter.place.name(),
        "name": parameter.name,
        "schema": {"type": parameter.ty, "uniqueItems": true},
    });
    if parameter.place == Place::Path {
        value["required"] = true.into();
    }
    value
}
