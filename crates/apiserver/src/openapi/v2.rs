//! The document of OpenAPI v2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use super::kind::KIND;
use super::route::{Parameter, Place, Route, by_path};
use super::status_text;

/// The document.
pub(super) fn document(routes: &[Route], definitions: Map, info: Value) -> Value {
    let mut shared = Shared::default();
    let mut paths = Map::new();
    for (path, (common, routes)) in by_path(routes) {
        let mut item = Map::new();
        for route in routes {
            item.insert(route.method.to_owned(), shared.operation(route, &common));
        }
        if !common.is_empty() {
            item.insert(
                "parameters".to_owned(),
                common.iter().map(|parameter| shared.parameter(parameter)).collect(),
            );
        }
        paths.insert(path.to_owned(), item.into());
    }
    json!({
        "definitions": definitions,
        "info": info,
        "parameters": shared.0,
        "paths": paths,
        "security": [{"BearerToken": []}],
        "securityDefinitions": {"BearerToken": {"in": "header", "name": "authorization", "type": "apiKey"}},
        "swagger": "2.0",
    })
}

/// The parameters that operations refer to.
#[derive(Default)]
struct Shared(Map);

impl Shared {
    /// A reference to a parameter.
    fn share(&mut self, parameter: Value) -> Value {
        let hash = fnv(parameter.to_string().as_bytes()).to_be_bytes();
        let name =
            format!("{}-{}", parameter["name"].as_str().unwrap_or_default(), URL_SAFE.encode(&hash[..6]));
        let reference = json!({ "$ref": format!("#/parameters/{name}") });
        self.0.insert(name, parameter);
        reference
    }

    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let mut value = json!({
            "in": parameter.place.name(),
            "name": parameter.name,
            "type": parameter.ty,
            "uniqueItems": true,
        });
        if parameter.place == Place::Path {
            value["required"] = true.into();
        }
        // Clients look for the last two in each operation, without following references.
        match parameter.name {
            "name" | "dryRun" | "fieldValidation" => value,
            _ => self.share(value),
        }
    }

    fn operation(&mut self, route: &Route, common: &[Parameter]) -> Value {
        let mut operation = Map::new();
        let mut set = |name: &str, value: Value| {
            operation.insert(name.to_owned(), value);
        };
        if !route.consumes.is_empty() {
            set("consumes", route.consumes.into());
        }
        set("operationId", route.id.as_str().into());
        let mut own: Vec<&Parameter> =
            route.parameters.iter().filter(|parameter| !common.contains(parameter)).collect();
        own.sort();
        let mut parameters: Vec<Value> = own.iter().map(|parameter| self.parameter(parameter)).collect();
        if let Some(body) = &route.body {
            let mut value = json!({"in": "body", "name": "body", "schema": body.schema});
            if body.required {
                value["required"] = true.into();
            }
            let is_generic =
                body.schema["$ref"].as_str().is_some_and(|name| name.contains("/io.k8s.apimachinery"));
            let at = own.partition_point(|parameter| parameter.name < "body");
            parameters.insert(at, if is_generic { self.share(value) } else { value });
        }
        if !parameters.is_empty() {
            set("parameters", parameters.into());
        }
        set("produces", route.produces.into());
        let mut responses = Map::new();
        for (code, schema) in &route.responses {
            responses.insert(code.to_string(), json!({"description": status_text(*code), "schema": schema}));
        }
        responses.insert("401".to_owned(), json!({ "description": status_text(401) }));
        set("responses", responses.into());
        set("schemes", json!(["https"]));
        set("tags", json!([route.tag]));
        if let Some(action) = route.action {
            set("x-kubernetes-action", action.into());
        }
        if let Some(kind) = &route.kind {
            set(KIND, kind.clone());
        }
        operation.into()
    }
}

/// The 64-bit hash FNV-1.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte))
}
