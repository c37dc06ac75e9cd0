//! The routes of custom resources.

use klient_apiextensions::definition::{Definition, Version};
use klient_apiextensions::publish::OpenApi;
use klient_apimachinery::meta::v1::schema::{
    CREATE_OPTIONS, DELETE_OPTIONS, GET_OPTIONS, LIST_META, LIST_OPTIONS, OBJECT_META, PATCH_OPTIONS, STATUS,
    UPDATE_OPTIONS,
};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::Map;
use klient_schema::autoscaling_v1::SCALE;
use serde_json::{Value, json};

use super::definition::{Definitions, Dialect};
use super::kind::{KIND, add_type_meta, kind_value};
use super::route::{Naming, Parameter, RequestBody, Route, options, title};
use super::special;

const JSON_OR_YAML: &[&str] = &["application/json", "application/yaml"];
const PATCHES: &[&str] =
    &["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

/// Adds the routes of a version of a definition.
pub(super) fn add(
    definition: &Definition,
    version: &Version,
    definitions: &mut Definitions<'_>,
    routes: &mut Vec<Route>,
) {
    let object = add_object(definition, version, definitions);
    let list = add_list(definition, version, definitions);
    let place = if definition.namespaced { "/namespaces/{namespace}" } else { "" };
    let root = format!("/apis/{}/{}", definition.group, version.name);
    let scope = if definition.namespaced { "Namespaced" } else { "" };
    let mut of = Resource {
        kind: kind_value(&definition.group, &version.name, &definition.kind),
        naming: Naming::new(&definition.group, &version.name),
        path: format!("{root}{place}/{}", definition.plural),
        scoped: format!("{scope}{}", definition.kind),
        definitions,
        routes,
    };
    if definition.namespaced {
        let id = of.naming.id("list", &format!("{}ForAllNamespaces", definition.kind));
        of.add(Verb::LIST, format!("{root}/{}", definition.plural), id, list.clone());
    }
    let status = of.definitions.add(&STATUS);
    of.collection(&object, list, &status);
    of.item("", &object);
    of.delete(&status);
    if version.has_status {
        of.item("status", &object);
    }
    if version.scale.is_some() {
        let scale = of.definitions.add(&SCALE);
        of.item("scale", &scale);
    }
}

struct Resource<'a, 'd> {
    kind: Value,
    naming: Naming,
    /// The path of the objects of a namespace, or of the cluster.
    path: String,
    /// The kind, with the scope in front.
    scoped: String,
    definitions: &'a mut Definitions<'d>,
    routes: &'a mut Vec<Route>,
}

/// A verb of custom resources.
struct Verb {
    method: &'static str,
    action: &'static str,
    options: &'static Schema,
    codes: &'static [u16],
}

impl Verb {
    const LIST: Verb = Verb { method: "get", action: "list", options: &LIST_OPTIONS, codes: &[200] };
    const CREATE: Verb =
        Verb { method: "post", action: "post", options: &CREATE_OPTIONS, codes: &[200, 201, 202] };
    const DELETE_COLLECTION: Verb =
        Verb { method: "delete", action: "deletecollection", options: &LIST_OPTIONS, codes: &[200] };
    const READ: Verb = Verb { method: "get", action: "get", options: &GET_OPTIONS, codes: &[200] };
    const REPLACE: Verb = Verb { method: "put", action: "put", options: &UPDATE_OPTIONS, codes: &[200, 201] };
    const PATCH: Verb = Verb { method: "patch", action: "patch", options: &PATCH_OPTIONS, codes: &[200] };
    const DELETE: Verb =
        Verb { method: "delete", action: "delete", options: &DELETE_OPTIONS, codes: &[200, 202] };
}

impl Resource<'_, '_> {
    fn collection(&mut self, object: &Value, list: Value, status: &Value) {
        let (path, scoped) = (self.path.clone(), self.scoped.clone());
        self.add(Verb::LIST, path.clone(), self.naming.id("list", &scoped), list);
        let create = self.add(Verb::CREATE, path.clone(), self.naming.id("create", &scoped), object.clone());
        create.body = Some(RequestBody { schema: object.clone(), required: true });
        let id = self.naming.id("delete", &format!("Collection{scoped}"));
        self.add(Verb::DELETE_COLLECTION, path, id, status.clone());
    }

    /// The routes to read and write an object, or a subresource of it.
    fn item(&mut self, subresource: &str, object: &Value) {
        let path = format!("{}/{{name}}/{subresource}", self.path);
        let path = path.trim_end_matches('/');
        let scoped = format!("{}{}", self.scoped, title(subresource));
        self.add(Verb::READ, path.to_owned(), self.naming.id("read", &scoped), object.clone());
        let replace =
            self.add(Verb::REPLACE, path.to_owned(), self.naming.id("replace", &scoped), object.clone());
        replace.body = Some(RequestBody { schema: object.clone(), required: true });
        let body = RequestBody { schema: self.definitions.add_special(special::PATCH), required: true };
        let patch = self.add(Verb::PATCH, path.to_owned(), self.naming.id("patch", &scoped), object.clone());
        patch.consumes = PATCHES;
        patch.body = Some(body);
    }

    fn delete(&mut self, status: &Value) {
        let body = RequestBody { schema: self.definitions.add(&DELETE_OPTIONS), required: false };
        let (path, id) = (format!("{}/{{name}}", self.path), self.naming.id("delete", &self.scoped));
        self.add(Verb::DELETE, path, id, status.clone()).body = Some(body);
    }

    fn add(&mut self, verb: Verb, path: String, id: String, result: Value) -> &mut Route {
        let names = ["name", "namespace"].into_iter().filter(|name| path.contains(&format!("{{{name}}}")));
        let mut parameters: Vec<Parameter> = names.map(Parameter::path).collect();
        parameters.push(Parameter::query("pretty", "string"));
        parameters.extend(options(verb.options));
        self.routes.push(Route {
            path,
            method: verb.method,
            id,
            tag: self.naming.tag.clone(),
            action: Some(verb.action),
            kind: Some(self.kind.clone()),
            parameters,
            body: None,
            consumes: JSON_OR_YAML,
            produces: JSON_OR_YAML,
            responses: verb.codes.iter().map(|code| (*code, result.clone())).collect(),
        });
        self.routes.last_mut().expect("a route was just added")
    }
}

/// The name of a kind's definition: the group's labels in reverse order, version and kind.
fn name(definition: &Definition, version: &Version, kind: &str) -> String {
    let labels: Vec<&str> = definition.group.split('.').rev().collect();
    format!("{}.{}.{kind}", labels.join("."), version.name)
}

/// The property with the metadata of an object or of a list.
fn metadata(schema: &'static Schema, description: &str, definitions: &mut Definitions<'_>) -> Value {
    let mut property = definitions.add(schema);
    if definitions.dialect == Dialect::V3 {
        property = json!({ "allOf": [property] });
    }
    property["description"] = description.into();
    property
}

fn add_object(definition: &Definition, version: &Version, definitions: &mut Definitions<'_>) -> Value {
    const MEANING: &str = "Name, namespace, labels, annotations and the other data that all objects have.";
    let metadata = metadata(&OBJECT_META, MEANING, definitions);
    let openapi = match definitions.dialect {
        Dialect::V2 => OpenApi::V2,
        Dialect::V3 => OpenApi::V3,
    };
    let schema = version.publish(openapi, &metadata);
    add_kind(definition, version, &definition.kind, schema, definitions)
}

fn add_list(definition: &Definition, version: &Version, definitions: &mut Definitions<'_>) -> Value {
    let Definition { kind, list_kind, plural, .. } = definition;
    let item = definitions.dialect.reference(&name(definition, version, kind));
    let mut properties = Map::new();
    add_type_meta(&mut properties);
    let items = json!({"description": format!("The {plural}."), "items": item, "type": "array"});
    properties.insert("items".to_owned(), items);
    let metadata = metadata(&LIST_META, "Data that every list has.", definitions);
    properties.insert("metadata".to_owned(), metadata);
    let schema = json!({
        "description": format!("List of objects of the kind {kind}."),
        "properties": properties,
        "required": ["items"],
        "type": "object",
    });
    let Value::Object(schema) = schema else { return item };
    add_kind(definition, version, list_kind, schema, definitions)
}

/// Adds the definition of a kind; returns the reference to it.
fn add_kind(
    definition: &Definition,
    version: &Version,
    kind: &str,
    mut schema: Map,
    definitions: &mut Definitions<'_>,
) -> Value {
    schema.insert(KIND.to_owned(), json!([kind_value(&definition.group, &version.name, kind)]));
    if !version.selectable.is_empty() {
        let fields: Value = version.selectable.iter().map(|field| json!({ "fieldPath": field })).collect();
        schema.insert("x-kubernetes-selectable-fields".to_owned(), fields);
    }
    let name = name(definition, version, kind);
    definitions.schemas.insert(name.clone(), schema.into());
    definitions.dialect.reference(&name)
}
