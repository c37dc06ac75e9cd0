//! Definitions of custom resources, and their objects.

use std::collections::{BTreeSet, HashSet};

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use crate::validation::at::At;
use crate::validation::form::qualified_name;

/// Formats of strings that are checked, without their dashes.
const FORMATS: [&str; 26] = [
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "k8sshortname",
    "k8slongname",
];

/// Finalizers that need no domain.
const STANDARD: [&str; 3] = ["orphan", "foregroundDeletion", "kubernetes"];

/// The warnings about a CustomResourceDefinition: unknown formats and lists that cannot be sets, unless the old state
/// had them.
pub fn definition(object: &Map, old: Option<&Map>) -> Vec<String> {
    let [before, now] = [old, Some(object)].map(|object| {
        let mut found = Found::default();
        for version in object.map_or(&[][..], |object| list_at(object, &["spec", "versions"])) {
            let schema = version.pointer("/schema/openAPIV3Schema").and_then(Value::as_object);
            schema.into_iter().for_each(|schema| found.schema(schema));
        }
        found
    });
    let known: HashSet<&String> = before.formats.iter().collect();
    let formats = now.formats.iter().filter(|format| !known.contains(format));
    let formats = formats.map(|format| format!("unrecognized format {}", quoted(format)));
    formats.chain(now.sets.difference(&before.sets).cloned()).collect()
}

#[derive(Default)]
struct Found {
    /// Formats that are not known, in the order of the schemas.
    formats: Vec<String>,
    sets: BTreeSet<String>,
}

impl Found {
    fn schema(&mut self, schema: &Map) {
        let (ty, format) = (text_at(schema, &["type"]), text_at(schema, &["format"]));
        let is_known = match ty {
            _ if format.is_empty() => true,
            "" | "string" => {
                let plain = format.replace('-', "");
                FORMATS.contains(&&*plain)
            }
            "integer" => matches!(format, "int32" | "int64"),
            "number" => matches!(format, "float" | "double"),
            _ => false,
        };
        if !is_known {
            self.formats.push(format.to_owned());
        }
        if text_at(schema, &["x-kubernetes-list-type"]) == "set"
            && let items @ ("object" | "array") = text_at(schema, &["items", "type"])
        {
            self.sets.insert(format!(
                "x-kubernetes-list-type: set for items of type {} is not supported by server-side apply or CEL \
                 validation rules",
                quoted(items)
            ));
        }
        for name in ["items", "allOf", "anyOf", "oneOf", "not"] {
            self.below(schema.get(name));
        }
        self.each(schema.get("properties"));
        self.below(schema.get("additionalProperties"));
        self.each(schema.get("patternProperties"));
        self.below(schema.get("additionalItems"));
        self.each(schema.get("definitions"));
        self.each(schema.get("dependencies"));
    }

    fn below(&mut self, value: Option<&Value>) {
        match value {
            Some(Value::Object(schema)) => self.schema(schema),
            Some(Value::Array(schemas)) => schemas.iter().for_each(|schema| self.below(Some(schema))),
            _ => {}
        }
    }

    fn each(&mut self, schemas: Option<&Value>) {
        let schemas = schemas.and_then(Value::as_object).into_iter().flatten();
        schemas.for_each(|(_, schema)| self.below(Some(schema)));
    }
}

/// The warnings about a custom resource: new finalizers without a domain.
pub fn custom(object: &Map, old: Option<&Map>) -> Vec<String> {
    const PATH: &str = "metadata.finalizers";
    let [before, now] = [old, Some(object)].map(|object| -> BTreeSet<&str> {
        object.map(|object| At::new(object, PATH).texts().collect()).unwrap_or_default()
    });
    let mut warnings = Vec::new();
    for finalizer in now.difference(&before) {
        let shown = quoted(finalizer);
        let problems = qualified_name(finalizer).into_iter();
        warnings.extend(problems.map(|problem| format!("{PATH}: {shown}: {problem}")));
        if !finalizer.contains('/') && !STANDARD.contains(finalizer) {
            let path = if finalizer.contains('.') { " including a path (/)" } else { "" };
            warnings.push(format!(
                "{PATH}: {shown}: prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with \
                 other finalizer writers"
            ));
        }
    }
    warnings
}
