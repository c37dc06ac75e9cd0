//! [`Group`], a served API group and its discovery documents.

use std::sync::Arc;

use klient_apimachinery::meta::v1::schema::{API_GROUP, API_RESOURCE_LIST};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map};
use klient_schema::apidiscovery_v2::API_GROUP_DISCOVERY;
use serde_json::{Value, json};

use crate::registry::Resource;

/// A group of the API.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) versions: Vec<Version>,
}

/// A version of a group.
pub(super) struct Version {
    pub(super) name: String,
    pub(super) resources: Vec<Arc<Resource>>,
}

impl Group {
    pub(super) fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// Its `APIGroup`; without `kind` if within a list.
    pub(super) fn describe(&self, alone: bool) -> Vec<u8> {
        let version = |version: &Version| json!({"groupVersion": format!("{}/{}", self.name, version.name), "version": version.name});
        let mut group = Map::new();
        if alone {
            group.insert("kind".to_owned(), "APIGroup".into());
            group.insert("apiVersion".to_owned(), "v1".into());
        }
        group.insert("name".to_owned(), self.name.as_str().into());
        group.insert("versions".to_owned(), self.versions.iter().map(version).collect());
        group.insert("preferredVersion".to_owned(), self.versions.first().map(version).unwrap_or_default());
        written(&group, &API_GROUP)
    }

    /// Its part of aggregated discovery.
    pub(super) fn aggregated(&self) -> Vec<u8> {
        let metadata = if self.name.is_empty() { json!({}) } else { json!({ "name": self.name }) };
        let version = |version: &Version| {
            json!({
                "version": version.name,
                "resources": version.resources.iter().map(|resource| aggregated_resource(resource)).collect::<Vec<_>>(),
                "freshness": "Current",
            })
        };
        let mut group = Map::new();
        group.insert("metadata".to_owned(), metadata);
        group.insert("versions".to_owned(), self.versions.iter().map(version).collect());
        written(&group, &API_GROUP_DISCOVERY)
    }
}

impl Version {
    /// Its `APIResourceList`. That of the core group omits its own version.
    pub(super) fn resource_list(&self, group_version: &str) -> Vec<u8> {
        let mut list = Map::new();
        list.insert("kind".to_owned(), "APIResourceList".into());
        if group_version.contains('/') {
            list.insert("apiVersion".to_owned(), "v1".into());
        }
        list.insert("groupVersion".to_owned(), group_version.into());
        let resources = self.resources.iter().flat_map(|resource| legacy_resources(resource));
        list.insert("resources".to_owned(), resources.collect());
        written(&list, &API_RESOURCE_LIST)
    }
}

fn written(object: &Map, schema: &'static Schema) -> Vec<u8> {
    let mut json = Vec::new();
    values::encode(object, schema, &mut json);
    json
}

/// A value that is omitted if empty.
fn put(object: &mut Map, name: &str, value: &[String]) {
    if !value.is_empty() {
        object.insert(name.to_owned(), value.iter().map(String::as_str).collect());
    }
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind =
        |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut out = Map::new();
    out.insert("resource".to_owned(), (*resource.info.plural).into());
    // Built-in kinds omit their group and version; custom ones include theirs.
    let (group, version) =
        if resource.is_custom() { (&*resource.info.group, &*resource.info.version) } else { ("", "") };
    out.insert("responseKind".to_owned(), kind(group, version, &resource.info.kind));
    let scope = if resource.info.namespaced { "Namespaced" } else { "Cluster" };
    out.insert("scope".to_owned(), scope.into());
    out.insert("singularResource".to_owned(), resource.singular.as_str().into());
    out.insert("verbs".to_owned(), resource.verbs.iter().map(String::as_str).collect());
    put(&mut out, "shortNames", &resource.short_names);
    put(&mut out, "categories", &resource.categories);
    let subresources: Vec<Value> = resource
        .subresources
        .iter()
        .map(|sub| {
            let (group, version) =
                if sub.version.is_empty() { (group, version) } else { (sub.group.as_str(), sub.version.as_str()) };
            json!({"subresource": sub.name, "responseKind": kind(group, version, &sub.kind), "verbs": sub.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        out.insert("subresources".to_owned(), Value::Array(subresources));
    }
    Value::Object(out)
}

fn legacy_resources(resource: &Resource) -> Vec<Value> {
    let mut own = Map::new();
    own.insert("name".to_owned(), (*resource.info.plural).into());
    own.insert("singularName".to_owned(), resource.singular.as_str().into());
    own.insert("namespaced".to_owned(), resource.info.namespaced.into());
    own.insert("kind".to_owned(), (*resource.info.kind).into());
    own.insert("verbs".to_owned(), resource.verbs.iter().map(String::as_str).collect());
    put(&mut own, "shortNames", &resource.short_names);
    put(&mut own, "categories", &resource.categories);
    if !resource.storage_hash.is_empty() {
        own.insert("storageVersionHash".to_owned(), resource.storage_hash.as_str().into());
    }
    let subresources = resource.subresources.iter().map(|sub| {
        let mut out = json!({
            "name": format!("{}/{}", resource.info.plural, sub.name),
            "singularName": "",
            "namespaced": resource.info.namespaced,
            "kind": sub.kind,
            "verbs": sub.verbs,
        });
        if !sub.version.is_empty() {
            out["group"] = sub.group.as_str().into();
            out["version"] = sub.version.as_str().into();
        }
        out
    });
    std::iter::once(Value::Object(own)).chain(subresources).collect()
}
