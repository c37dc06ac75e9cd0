//! [`Resource`], a served group, version and plural.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use klient_apiextensions::definition::{ConversionWebhook, Definition, Version};
use klient_apimachinery::fields::Selector;
use klient_apimachinery::schema::{ResourceSchema, Schema};
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Map, map_at, text_at};
use klient_apimachinery::{ResourceInfo, Str, Time};
use klient_apis::conversion::{self, Conversion};
use klient_apis::printers;
use klient_structured_merge::Path;
use ring::digest;
use serde_json::Value;

use super::deletion::is_terminating;
use super::fields::{self, selectable, stored_name, values};
use super::kind_version::{KindVersion, built_in_versions};
use super::strategy::{self, CustomResource, Strategy};
use crate::protobuf;
use crate::status::{Failure, Result, Target};
use crate::storage::{Draft, Key, Object, TableId, VERSION_PLACEHOLDER};

/// A resource served under one group, version and plural.
pub(crate) struct Resource {
    pub(crate) info: ResourceInfo,
    pub(crate) singular: String,
    pub(crate) list_kind: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) verbs: Vec<String>,
    pub(crate) storage_hash: String,
    pub(crate) subresources: Vec<Subresource>,
    /// The table of its objects in storage.
    pub(crate) table: TableId,
    pub(crate) source: ResourceSource,
    /// The rules of its kind.
    pub(crate) strategy: Box<dyn Strategy>,
    /// The versions of its kind.
    versions: Arc<[KindVersion]>,
    /// The conversion between the served and the stored version, if they differ.
    pub(crate) conversion: Option<Conversion>,
    /// The warning for clients, if the version is deprecated.
    pub(crate) warning: Option<String>,
}

/// The declaration of a resource: Kubernetes' own, or a CustomResourceDefinition.
pub(crate) enum ResourceSource {
    BuiltIn(&'static ResourceSchema),
    Custom {
        definition: Arc<Definition>,
        /// Which of the definition's versions it is.
        version: usize,
    },
}

/// A subresource.
pub(crate) struct Subresource {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) verbs: Vec<String>,
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Resource {
    pub(super) fn built_in(schema: &'static ResourceSchema) -> Self {
        let info = ResourceInfo::from_static(
            schema.group,
            schema.version,
            schema.kind,
            schema.plural,
            schema.namespaced,
        );
        let subresources = schema.subresources.iter().map(|sub| Subresource {
            name: sub.name.to_owned(),
            group: sub.group.to_owned(),
            version: sub.version.to_owned(),
            kind: sub.kind.to_owned(),
            verbs: owned(sub.verbs),
        });
        // Events are one thing under two names.
        let group = if schema.kind == "Event" { "" } else { schema.group };
        Resource {
            singular: schema.singular.to_owned(),
            list_kind: format!("{}List", schema.kind),
            short_names: owned(schema.short_names),
            categories: owned(schema.categories),
            verbs: owned(schema.verbs),
            storage_hash: schema.storage_hash.to_owned(),
            subresources: subresources.collect(),
            table: TableId::built_in(group, schema.plural),
            source: ResourceSource::BuiltIn(schema),
            strategy: strategy::built_in(schema),
            versions: built_in_versions(schema.group, schema.plural),
            conversion: conversion::conversion(schema.group, schema.version, schema.kind),
            warning: deprecation(schema),
            info,
        }
    }

    /// The resources of a definition, one for each version that is served.
    pub(super) fn custom(definition: &Arc<Definition>) -> Vec<Resource> {
        let versions = custom_versions(definition);
        let served = definition.versions.iter().enumerate().filter(|(_, version)| version.served);
        let resource =
            |(index, version)| Resource::custom_version(definition, index, version, versions.clone());
        served.map(resource).collect()
    }

    /// The resource of a definition in the version that is stored, served or not.
    pub(crate) fn stored(definition: &Arc<Definition>) -> Option<Resource> {
        let mut versions = definition.versions.iter().enumerate();
        let (index, version) = versions.find(|(_, version)| version.storage)?;
        Some(Resource::custom_version(definition, index, version, custom_versions(definition)))
    }

    fn custom_version(
        definition: &Arc<Definition>,
        index: usize,
        version: &Version,
        versions: Arc<[KindVersion]>,
    ) -> Resource {
        let read_write = || owned(&["get", "patch", "update"]);
        let mut subresources = Vec::new();
        if version.has_status {
            subresources.push(Subresource {
                name: "status".to_owned(),
                group: String::new(),
                version: String::new(),
                kind: definition.kind.clone(),
                verbs: read_write(),
            });
        }
        if version.scale.is_some() {
            subresources.push(Subresource {
                name: "scale".to_owned(),
                group: "autoscaling".to_owned(),
                version: "v1".to_owned(),
                kind: "Scale".to_owned(),
                verbs: read_write(),
            });
        }
        let storage = definition.versions.iter().find(|version| version.storage).unwrap_or(version);
        Resource {
            info: ResourceInfo {
                group: definition.group.clone().into(),
                version: version.name.clone().into(),
                kind: definition.kind.clone().into(),
                plural: definition.plural.clone().into(),
                namespaced: definition.namespaced,
            },
            singular: definition.singular.clone(),
            list_kind: definition.list_kind.clone(),
            short_names: definition.short_names.clone(),
            categories: definition.categories.clone(),
            verbs: owned(&[
                "create",
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "update",
                "watch",
            ]),
            storage_hash: storage_hash(&definition.group, &storage.name, &definition.kind),
            subresources,
            table: TableId::custom(&definition.group, &definition.plural),
            source: ResourceSource::Custom { definition: definition.clone(), version: index },
            strategy: Box::new(CustomResource { definition: definition.clone(), version: index }),
            versions,
            conversion: None,
            warning: version.warning.clone(),
        }
    }

    pub(crate) fn path(&self) -> (String, String, String) {
        (self.info.group.to_string(), self.info.version.to_string(), self.info.plural.to_string())
    }

    /// An object of this resource, for messages.
    pub(crate) fn target<'a>(&'a self, name: &'a str) -> Target<'a> {
        Target { group: &self.info.group, plural: &self.info.plural, name }
    }

    /// 422 for an object of this resource.
    pub(crate) fn invalid(&self, name: &str, errors: &[FieldError]) -> Failure {
        Failure::invalid(&self.info.group, &self.info.kind, name, errors)
    }

    pub(crate) fn key(&self, namespace: Option<&str>, name: &str) -> Key {
        Key::new(namespace.filter(|_| self.info.namespaced), name)
    }

    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.source, ResourceSource::Custom { .. })
    }

    /// Returns true if it is a built-in resource of these names. A definition may have the same.
    pub(crate) fn is_built_in(&self, group: &str, plural: &str) -> bool {
        !self.is_custom() && self.info.group == *group && self.info.plural == *plural
    }

    pub(crate) fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|other| other == verb)
    }

    pub(crate) fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    /// The versions of its kind.
    pub(crate) fn versions(&self) -> &[KindVersion] {
        &self.versions
    }

    pub(crate) fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }

    /// The struct of its objects, if it is built in.
    pub(crate) fn schema(&self) -> Option<&'static Schema> {
        match &self.source {
            ResourceSource::BuiltIn(resource) => Some(resource.schema),
            ResourceSource::Custom { .. } => None,
        }
    }

    /// The version of a definition that it serves, if it is custom.
    pub(crate) fn custom_schema(&self) -> Option<&Version> {
        match &self.source {
            ResourceSource::BuiltIn(_) => None,
            ResourceSource::Custom { definition, version } => definition.versions.get(*version),
        }
    }

    pub(crate) fn allows_unconditional_update(&self) -> bool {
        matches!(&self.source, ResourceSource::BuiltIn(resource) if resource.unconditional_update)
    }

    pub(crate) fn creates_on_update(&self) -> bool {
        matches!(&self.source, ResourceSource::BuiltIn(resource) if resource.create_on_update)
    }

    pub(crate) fn returns_deleted(&self) -> bool {
        matches!(&self.source, ResourceSource::BuiltIn(resource) if resource.returns_deleted)
    }

    pub(crate) fn counts_generations(&self) -> bool {
        match &self.source {
            ResourceSource::BuiltIn(resource) => resource.generation,
            ResourceSource::Custom { .. } => true,
        }
    }

    /// Returns true if its objects are namespaces.
    pub(crate) fn is_namespace(&self) -> bool {
        self.is_built_in("", "namespaces")
    }

    /// Returns true if its objects are pods.
    pub(crate) fn is_pod(&self) -> bool {
        self.is_built_in("", "pods")
    }

    /// The name of its definition, if it is custom.
    pub(crate) fn definition_name(&self) -> String {
        format!("{}.{}", self.info.plural, self.info.group)
    }

    /// Returns true if its objects are CustomResourceDefinitions.
    pub(crate) fn is_definition(&self) -> bool {
        self.is_built_in("apiextensions.k8s.io", "customresourcedefinitions")
    }

    /// An object that is shown and not stored, at a version, or without one.
    pub(crate) fn object(&self, key: Key, mut object: Map, version: Option<u64>) -> Object {
        let metadata = map_at(&mut object, "metadata");
        match version {
            Some(version) => metadata.insert("resourceVersion".to_owned(), version.to_string().into()),
            None => metadata.remove("resourceVersion"),
        };
        let json = self.encode(&object).into();
        Object { version: version.unwrap_or_default(), json, ..self.indexed(key, &object) }
    }

    /// Encodes an object for storage, without its resourceVersion.
    pub(crate) fn draft(&self, key: Key, object: &mut Map) -> Draft {
        let metadata = map_at(object, "metadata");
        metadata.insert("resourceVersion".to_owned(), VERSION_PLACEHOLDER.as_str().into());
        Draft::new(self.indexed(key, object), self.encode(object))
    }

    /// Encodes a stored object as it is, in the form that it has, without its resourceVersion.
    pub(crate) fn draft_as_stored(&self, object: &Object) -> Draft {
        let mut value = object.value();
        map_at(&mut value, "metadata")
            .insert("resourceVersion".to_owned(), VERSION_PLACEHOLDER.as_str().into());
        let (schema_hash, version_name) = (object.schema_hash, object.version_name.clone());
        let indexed = Object { schema_hash, version_name, ..self.indexed(object.key.clone(), &value) };
        Draft::new(indexed, self.encode(&value))
    }

    /// The parts of an object by which it is found, without its JSON.
    fn indexed(&self, key: Key, object: &Map) -> Object {
        let labels = values::at(object, &["metadata", "labels"]).and_then(Value::as_object);
        let labels = labels.into_iter().flatten();
        Object {
            key,
            version: 0,
            uid: text_at(object, &["metadata", "uid"]).into(),
            schema_hash: self.schema_hash(),
            version_name: self.stored_version_name().into(),
            is_terminating: is_terminating(object),
            labels: labels
                .map(|(key, value)| (key.as_str().into(), value.as_str().unwrap_or_default().into()))
                .collect(),
            fields: self.field_values(object),
            json: Bytes::new(),
            protobuf: OnceLock::new(),
        }
    }

    /// An object of this resource as JSON, without its kind.
    pub(crate) fn encode(&self, object: &Map) -> Vec<u8> {
        let mut json = Vec::with_capacity(1024);
        match self.schema() {
            Some(schema) => values::encode(object, schema, &mut json),
            None => values::encode_untyped(object, &mut json),
        }
        json
    }

    /// A stored object as a value in this version, without its kind.
    pub(crate) fn read(&self, object: &Object) -> Map {
        let mut value = object.value();
        if let Some(conversion) = self.conversion {
            return (conversion.from_storage)(value);
        }
        if let Some(version) =
            self.custom_schema().filter(|version| version.schema_hash != object.schema_hash)
        {
            // As upstream, only the version in which an object is stored gives it defaults; others do not show what they do
            // not know.
            if let Some(stored) = self.stored_version().filter(|_| !self.knows_form(object)) {
                stored.schema.prune(&mut value);
                stored.schema.drop_nulls(&mut value);
                stored.schema.default(&mut value);
            }
            version.schema.prune(&mut value);
        }
        value
    }

    /// A stored object that a webhook has converted to this version.
    pub(crate) fn served(&self, stored: &Object, mut converted: Map) -> Object {
        if let Some(version) = self.custom_schema() {
            version.schema.prune(&mut converted);
            version.schema.drop_nulls(&mut converted);
            version.schema.default(&mut converted);
        }
        Object {
            version: stored.version,
            schema_hash: self.custom_schema().map_or(0, |version| version.schema_hash),
            version_name: (*self.info.version).into(),
            json: self.encode(&converted).into(),
            ..self.indexed(stored.key.clone(), &converted)
        }
    }

    /// The webhook that converts its objects, if it is custom and has one.
    pub(crate) fn conversion_webhook(&self) -> Option<&ConversionWebhook> {
        match &self.source {
            ResourceSource::BuiltIn(_) => None,
            ResourceSource::Custom { definition, .. } => definition.conversion.as_ref(),
        }
    }

    /// The name of the version in which its objects are stored, if it is custom; else empty.
    pub(crate) fn stored_version_name(&self) -> &str {
        self.stored_version().map_or("", |version| &version.name)
    }

    /// Returns false if it is custom and its objects are stored in another version.
    pub(crate) fn is_stored_version(&self) -> bool {
        self.stored_version().is_none_or(|version| *version.name == *self.info.version)
    }

    /// Returns true if both resources serve the same definition.
    pub(crate) fn is_defined_as(&self, other: &Resource) -> bool {
        match (&self.source, &other.source) {
            (
                ResourceSource::Custom { definition: own, .. },
                ResourceSource::Custom { definition: other, .. },
            ) => own.schema_hash == other.schema_hash,
            (own, _) => matches!(own, ResourceSource::BuiltIn(_)),
        }
    }

    /// The form in which its objects are stored: that of the version that is stored.
    fn schema_hash(&self) -> u64 {
        self.stored_version().map_or(0, |version| version.schema_hash)
    }

    /// Returns true if an object has the form of one of the versions as they are defined now.
    fn knows_form(&self, object: &Object) -> bool {
        let ResourceSource::Custom { definition, .. } = &self.source else { return true };
        definition.versions.iter().any(|version| version.schema_hash == object.schema_hash)
    }

    /// The version in which its objects are stored, if it is custom.
    fn stored_version(&self) -> Option<&Version> {
        let ResourceSource::Custom { definition, .. } = &self.source else { return None };
        definition.versions.iter().find(|version| version.storage).or_else(|| self.custom_schema())
    }

    /// Prunes the fields that are unknown in the stored version, for objects written in another.
    pub(crate) fn prune_to_stored(&self, object: &mut Map) {
        if let (Some(written), Some(stored)) = (self.custom_schema(), self.stored_version())
            && written.name != stored.name
        {
            stored.schema.prune(object);
        }
    }

    /// Sets the defaults of the stored version, for objects written in another: they are read as they are stored.
    pub(crate) fn default_as_stored(&self, object: &mut Map) {
        if let (Some(written), Some(stored)) = (self.custom_schema(), self.stored_version())
            && written.name != stored.name
        {
            stored.schema.default(object);
        }
    }

    /// A stored object as JSON in this version, without its kind.
    pub(crate) fn render(&self, object: &Object) -> Bytes {
        if self.conversion.is_some()
            || object.schema_hash != self.custom_schema().map_or(0, |version| version.schema_hash)
        {
            return self.encode(&self.read(object)).into();
        }
        object.json.clone()
    }

    /// A stored object as protobuf in this version, without an envelope; it must be of a built-in kind.
    pub(crate) fn render_protobuf(&self, object: &Object) -> Bytes {
        let schema = self.schema().expect("custom resources are not offered in protobuf");
        if self.conversion.is_some() {
            return protobuf::raw(&self.render(object), schema).into();
        }
        object.protobuf(schema).clone()
    }

    fn field_values(&self, object: &Map) -> Box<[(Str, Str)]> {
        match &self.source {
            ResourceSource::BuiltIn(_) => {
                values(object, selectable(&self.info.group, &self.info.kind).iter().copied())
            }
            // Whichever version stores it, others may select it.
            ResourceSource::Custom { definition, .. } => {
                let paths: BTreeSet<&String> =
                    definition.versions.iter().flat_map(|version| &version.selectable).collect();
                paths.into_iter().map(|path| (path.as_str().into(), path_text(object, path))).collect()
            }
        }
    }

    /// Reads a field selector for objects of this resource.
    ///
    /// # Errors
    ///
    /// If it selects by a field that is not known.
    pub(crate) fn field_selector(&self, text: &str) -> Result<Selector> {
        let selector: Selector =
            text.parse().map_err(|error: klient_apimachinery::labels::InvalidSelector| {
                Failure::bad_request(error.to_string())
            })?;
        for term in selector.terms() {
            self.check_field(&term.field).map_err(Failure::bad_request)?;
        }
        let (group, kind) = (&*self.info.group, &*self.info.kind);
        Ok(if self.is_custom() {
            selector
        } else {
            selector.renamed(|field| stored_name(group, kind, field))
        })
    }

    /// Checks that its objects can be selected by a field.
    fn check_field(&self, field: &str) -> std::result::Result<(), String> {
        let Some(version) = self.custom_schema() else { return fields::check(&self.info, field) };
        let is_metadata = field == "metadata.name" || field == "metadata.namespace" && self.info.namespaced;
        if is_metadata || version.selectable.iter().any(|known| known == field) {
            return Ok(());
        }
        Err(format!("field label not supported: {field}"))
    }

    /// The columns of its Table.
    pub(crate) fn columns(&self) -> Vec<Map> {
        let column = |name: &str, ty: &str, format: &str, priority: i32, description: &str| {
            let text = |key: &str, value: &str| (key.to_owned(), Value::from(value));
            let texts = [
                text("name", name),
                text("type", ty),
                text("format", format),
                text("description", description),
            ];
            texts.into_iter().chain([("priority".to_owned(), priority.into())]).collect()
        };
        let columns: Vec<Map> = match self.custom_schema() {
            None => {
                let ResourceSource::BuiltIn(resource) = &self.source else { return Vec::new() };
                resource.columns.iter().map(|c| column(c.name, c.ty, c.format, c.priority, "")).collect()
            }
            Some(version) => {
                let name = column("Name", "string", "name", 0, "");
                let own = version
                    .columns
                    .iter()
                    .map(|c| column(&c.name, &c.ty, &c.format, c.priority, &c.description));
                std::iter::once(name).chain(own).collect()
            }
        };
        if columns.is_empty() {
            return vec![column("Name", "string", "name", 0, ""), column("Created At", "date", "", 0, "")];
        }
        columns
    }

    /// The cells of an object's row in its Table.
    pub(crate) fn cells(&self, object: &Map, now: Time) -> Vec<Value> {
        match &self.source {
            ResourceSource::BuiltIn(resource) => printers::cells(resource, object, now),
            ResourceSource::Custom { .. } => {
                let columns = self.custom_schema().map_or(&[][..], |version| &version.columns);
                let own = columns
                    .iter()
                    .map(|column| printers::cell_of(&column.ty, column.value(object).as_ref(), now));
                std::iter::once(text_at(object, &["metadata", "name"]).into()).chain(own).collect()
            }
        }
    }

    /// The conditions of an object's row in its Table.
    pub(crate) fn row_conditions(&self, object: &Map) -> Vec<Value> {
        match &self.source {
            ResourceSource::BuiltIn(resource) => printers::row_conditions(resource, object),
            ResourceSource::Custom { .. } => Vec::new(),
        }
    }
}

/// All versions of a definition, served or not.
fn custom_versions(definition: &Definition) -> Arc<[KindVersion]> {
    let kind_version = |version: &Version| KindVersion {
        api_version: format!("{}/{}", definition.group, version.name).into(),
        has_status: version.has_status,
        fields: version.fields.clone(),
        replicas: version.scale.as_ref().map(|scale| dotted(&scale.spec_replicas)),
    };
    definition.versions.iter().map(kind_version).collect()
}

fn dotted(path: &str) -> Path {
    Path::fields(path.trim_start_matches('.').split('.'))
}

fn path_text(object: &Map, path: &str) -> Str {
    let names: Vec<&str> = path.trim_start_matches('.').split('.').collect();
    match values::at(object, &names) {
        Some(Value::String(text)) => text.as_str().into(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string().into(),
        _ => Str::EMPTY,
    }
}

/// The storage version hash of discovery.
fn storage_hash(group: &str, version: &str, kind: &str) -> String {
    use base64::Engine as _;
    let hash = digest::digest(&digest::SHA256, format!("{group}/{version}/{kind}").as_bytes());
    base64::engine::general_purpose::STANDARD.encode(&hash.as_ref()[..8])
}

fn deprecation(schema: &ResourceSchema) -> Option<String> {
    match (schema.group, schema.version, schema.kind) {
        ("", "v1", "Endpoints") => {
            Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned())
        }
        ("", "v1", "ComponentStatus") => Some("v1 ComponentStatus is deprecated in v1.19+".to_owned()),
        _ => None,
    }
}
