//! Facts about OpenAPI documents: hashes of their parts without prose, to compare two servers by.
//!
//! ```text
//! document api/v1 6f0c2d1e
//!   path /api/v1/pods 12ab34cd 56ef7890
//! package io.k8s.api.core.v1
//!   Pod 0123abcd 4567cdef
//! ```
//!
//! The line of a document has the hash of the names of its schemas and of all that is not below it. A path has a hash of
//! its operations in v3 and one in v2, a schema one of v3, without the allowed values of strings, and one of v2, with
//! them: the published documents of v3 lack them. Schemas that differ between documents, as they name the group, are
//! below the document.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Summarizes the documents of v3, by path, and the part of the document of v2 that is about the same.
pub fn openapi_facts(v3: &BTreeMap<String, Value>, v2: &Value) -> String {
    let v2 = resolve(&bare(v2, true), &bare(&v2["parameters"], true));
    let mut out = String::from("# Made by cargo xtask openapi; do not edit.\n");
    let mut schemas: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let documents: BTreeMap<&String, Value> =
        v3.iter().map(|(path, document)| (path, bare(document, false))).collect();
    for document in documents.values() {
        for (name, schema) in schemas_of(document) {
            schemas.entry(name).or_default().insert(hash(schema));
        }
    }
    for (path, document) in &documents {
        let names: Vec<&str> = schemas_of(document).map(|(name, _)| name).collect();
        let mut rest = document.clone();
        rest["paths"] = Value::Null;
        rest["components"]["schemas"] = names.into();
        rest["info"]["version"] = Value::Null;
        writeln!(out, "document {path} {:08x}", hash(&rest)).expect("String");
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let v2 = v2["paths"].get(path).map_or(0, hash);
            writeln!(out, "  path {path} {:08x} {v2:08x}", hash(item)).expect("String");
        }
        for (name, schema) in schemas_of(document).filter(|(name, _)| schemas[name].len() > 1) {
            writeln!(out, "  schema {name} {:08x}", hash(schema)).expect("String");
        }
    }
    let mut package = "";
    for (name, hashes) in &schemas {
        let (own, short) = name.rsplit_once('.').unwrap_or(("", name));
        if own != package {
            package = own;
            writeln!(out, "package {package}").expect("String");
        }
        let v3 = if hashes.len() == 1 { hashes.first().copied().unwrap_or_default() } else { 0 };
        let v2 = v2["definitions"].get(name).map_or(0, hash);
        writeln!(out, "  {short} {v3:08x} {v2:08x}").expect("String");
    }
    out
}

fn schemas_of(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let schemas = document["components"]["schemas"].as_object();
    schemas.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
}

/// A value without descriptions, and without the allowed values of strings if `enums` is false.
fn bare(value: &Value, enums: bool) -> Value {
    match value {
        Value::Object(object) => {
            let is_kept = |name: &str, value: &Value| match name {
                "description" => !value.is_string(),
                "enum" => enums || !value.is_array(),
                _ => true,
            };
            let kept = object.iter().filter(|(name, value)| is_kept(name, value));
            Value::Object(kept.map(|(name, value)| (name.clone(), bare(value, enums))).collect())
        }
        Value::Array(items) => items.iter().map(|item| bare(item, enums)).collect(),
        other => other.clone(),
    }
}

/// A value with the parameters in place of the references to them: their names depend on the prose.
fn resolve(value: &Value, parameters: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.strip_prefix("#/parameters/")) {
                return parameters[name].clone();
            }
            let fields = object.iter().map(|(name, value)| (name.clone(), resolve(value, parameters)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, parameters)).collect(),
        other => other.clone(),
    }
}

/// A hash of a value (FNV-1a); empty and missing objects are the same.
fn hash(value: &Value) -> u32 {
    if value == &json!({}) {
        return 0;
    }
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    value.to_string().bytes().fold(0x811c_9dc5, step)
}
