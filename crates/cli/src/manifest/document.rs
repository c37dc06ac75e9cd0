//! Decoding of a YAML or JSON document into objects with their REST mappings.

use std::fmt::Display;

use klient_apimachinery::go::{json_type, quoted};
use klient_apimachinery::yaml::YamlError;
use klient_apimachinery::{Object, Unstructured};
use serde_json::{Map, Value};

use super::{Info, Manifest, ReadOptions};
use crate::cluster::Cluster;
use crate::error::CliError;

/// The error of a document that cannot be parsed as YAML or JSON.
pub(crate) fn unreadable(error: &YamlError, source: &str) -> CliError {
    if error.is_out_of_range() {
        return undecodable(error, source);
    }
    let from = if error.is_yaml() { "error converting YAML to JSON: " } else { "" };
    CliError::Message(format!("error parsing {source}: {from}{error}"))
}

/// The error of a document that is YAML or JSON, and no object.
fn undecodable(problem: impl Display, source: &str) -> CliError {
    CliError::Message(format!("unable to decode {}: {problem}", quoted(source)))
}

/// Adds the objects of a document: itself or, if it is a list, its items. As in kubectl, an item cannot be a list.
pub(crate) async fn read_infos(
    cluster: &Cluster,
    document: Value,
    source: &str,
    options: ReadOptions,
    manifest: &mut Manifest,
) {
    let object = match object(document) {
        Ok(object) => object,
        Err(problem) => return manifest.push(Err(undecodable(problem, source))),
    };
    let items = match items_of(object.0) {
        Ok(items) => items,
        Err(fields) => return manifest.push(info(cluster, Unstructured(fields), source, options).await),
    };
    if items.iter().any(|item| item["items"].is_array()) {
        let problem = "*unstructured.Unstructured is not a list: no Items field in this object";
        return manifest.push(Err(CliError::message(problem)));
    }
    for value in items {
        manifest.push(match self::object(value) {
            Ok(object) => info(cluster, object, source, options).await,
            Err(problem) => Err(undecodable(problem, source)),
        });
    }
}

/// Returns the items of a list, or the object itself if it is no list. Items of a typed list without `apiVersion` and
/// `kind`, as API servers send them, get those of the list.
fn items_of(mut fields: Map<String, Value>) -> Result<Vec<Value>, Map<String, Value>> {
    let text = |fields: &Map<String, Value>, key: &str| {
        fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (api_version, kind) = (text(&fields, "apiVersion"), text(&fields, "kind"));
    let Some(kind) = kind.strip_suffix("List") else { return Err(fields) };
    let mut items = match fields.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) => Vec::new(),
        other => {
            fields.extend(other.map(|items| ("items".to_owned(), items)));
            return Err(fields);
        }
    };
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        let says_nothing = text(item, "kind").is_empty() && text(item, "apiVersion").is_empty();
        if says_nothing && !kind.is_empty() {
            item.insert("apiVersion".to_owned(), api_version.as_str().into());
            item.insert("kind".to_owned(), kind.into());
        }
    }
    Ok(items)
}

/// Returns a value as an object, if it has a kind and its metadata have the right types.
fn object(value: Value) -> Result<Unstructured, String> {
    let shown = value.to_string();
    let Value::Object(fields) = value else { return Err(format!("Object 'Kind' is missing in '{shown}'")) };
    if fields.get("kind").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(format!("Object 'Kind' is missing in '{shown}'"));
    }
    let unfit = |value: &Value, field: &str, wanted: &str| {
        format!("json: cannot unmarshal {} into Go struct field {field} of type {wanted}", json_type(value))
    };
    match fields.get("metadata") {
        None | Some(Value::Null) => {}
        Some(Value::Object(metadata)) => {
            for name in ["name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"] {
                if let Some(value) = metadata.get(name).filter(|value| !value.is_string() && !value.is_null())
                {
                    return Err(unfit(value, &format!("ObjectMeta.metadata.{name}"), "string"));
                }
            }
            for name in ["labels", "annotations"] {
                let field = format!("ObjectMeta.metadata.{name}");
                match metadata.get(name) {
                    None | Some(Value::Null) => {}
                    Some(Value::Object(entries)) => {
                        if let Some(value) =
                            entries.values().find(|value| !value.is_string() && !value.is_null())
                        {
                            return Err(unfit(value, &field, "string"));
                        }
                    }
                    Some(value) => return Err(unfit(value, &field, "map[string]string")),
                }
            }
        }
        Some(value) => return Err(unfit(value, "PartialObjectMetadata.metadata", "v1.ObjectMeta")),
    }
    Ok(Unstructured(fields))
}

/// Finds the REST mapping of an object, and sets the namespace of one that names none.
async fn info(
    cluster: &Cluster,
    mut object: Unstructured,
    source: &str,
    options: ReadOptions,
) -> Result<Info, CliError> {
    let kind = object.group_version_kind();
    let found = cluster.rest_mapper().kind(&kind.group, &kind.kind, Some(&kind.version)).await;
    let resource = found.map_err(|error| {
        let Some(no_match) = error.no_match() else {
            // If discovery fails, the error names the URL.
            let problem = CliError::from(error).go_error();
            return CliError::Message(format!("unable to recognize {}: {problem}", quoted(source)));
        };
        let (name, namespace) = (object.name(), object.namespace().unwrap_or_default());
        CliError::Message(format!(
            "resource mapping not found for name: {name} namespace: {namespace} from {source}: {no_match}\n\
             ensure CRDs are installed first",
            name = quoted(name),
            namespace = quoted(namespace),
            source = quoted(source)
        ))
    })?;
    if resource.info.namespaced {
        match object.namespace() {
            None => object.set_namespace(cluster.namespace()),
            Some(own)
                if options.enforce_namespace
                    && cluster.namespace_is_given()
                    && own != cluster.namespace() =>
            {
                return Err(CliError::Message(format!(
                    "the namespace from the provided object {} does not match the namespace {}. You must pass \
                     '--namespace={own}' to perform this operation.",
                    quoted(own),
                    quoted(cluster.namespace())
                )));
            }
            Some(_) => {}
        }
    }
    Ok(Info { resource, object, source: source.to_owned() })
}
