//! From a document to the objects in it.

use std::fmt::Display;

use klient_apimachinery::go::{json_type, quoted};
use klient_apimachinery::yaml::YamlError;
use klient_apimachinery::{Object, Unstructured};
use klient_client::NoMatch;
use serde_json::{Map, Value};

use super::{Expectations, Item, Manifest};
use crate::cluster::Cluster;
use crate::failure::Failure;

/// The error of a document that cannot be parsed as YAML or JSON.
pub(crate) fn unreadable(error: &YamlError, source: &str) -> Failure {
    if error.is_out_of_range() {
        return undecodable(error, source);
    }
    let from = if error.is_yaml() { "error converting YAML to JSON: " } else { "" };
    Failure::Message(format!("error parsing {source}: {from}{error}"))
}

/// The error of a document that is YAML or JSON, and no object.
fn undecodable(problem: impl Display, source: &str) -> Failure {
    Failure::Message(format!("unable to decode {}: {problem}", quoted(source)))
}

/// Adds the objects of a document: itself or, if it is a list, its items. As in kubectl, an item cannot be a list.
pub(crate) async fn items(
    cluster: &Cluster,
    document: Value,
    source: &str,
    expect: Expectations,
    manifest: &mut Manifest,
) {
    let object = match object(document) {
        Ok(object) => object,
        Err(problem) => return manifest.push(Err(undecodable(problem, source))),
    };
    let items = match items_of(object.0) {
        Ok(items) => items,
        Err(fields) => return manifest.push(item(cluster, Unstructured(fields), source, expect).await),
    };
    if items.iter().any(|item| item["items"].is_array()) {
        let problem = "*unstructured.Unstructured is not a list: no Items field in this object";
        return manifest.push(Err(Failure::message(problem)));
    }
    for value in items {
        manifest.push(match self::object(value) {
            Ok(object) => item(cluster, object, source, expect).await,
            Err(problem) => Err(undecodable(problem, source)),
        });
    }
}

/// The items of a list, or the object itself if it is none. What servers answer leaves out of the items of a list of one
/// kind what they are: it is that of which this is a list.
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

/// A value as an object, if its type and metadata are what they must be.
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

/// Finds where an object is served, and puts it into its namespace.
async fn item(
    cluster: &Cluster,
    mut object: Unstructured,
    source: &str,
    expect: Expectations,
) -> Result<Item, Failure> {
    let kind = object.group_version_kind();
    let mapper = cluster.mapper().await.map_err(|failure| {
        // A server that cannot be asked is told of by URL.
        Failure::Message(format!("unable to recognize {}: {}", quoted(source), failure.go_text()))
    })?;
    let found = mapper.kind(&kind.group, &kind.kind, Some(&kind.version));
    let resource = found.map_err(|no_match: NoMatch| {
        let (name, namespace) = (object.name(), object.namespace().unwrap_or_default());
        Failure::Message(format!(
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
                if expect.one_namespace && cluster.namespace_is_given() && own != cluster.namespace() =>
            {
                return Err(Failure::Message(format!(
                    "the namespace from the provided object {} does not match the namespace {}. You must pass \
                     '--namespace={own}' to perform this operation.",
                    quoted(own),
                    quoted(cluster.namespace())
                )));
            }
            Some(_) => {}
        }
    }
    Ok(Item { resource: resource.clone(), object, source: source.to_owned() })
}
