//! [`ManagedFields`], the managers of the fields of a resource's objects.

mod conversions;

use std::sync::OnceLock;

use klient_apimachinery::meta::Reason;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map, list_at, text_at};
use klient_apimachinery::{Str, Time};
use klient_apis::conversion;
use klient_structured_merge::{Error, ErrorKind, FieldManager, FieldSet, Filter, Path, Updater, Version};
use serde_json::Value;

use crate::registry::Resource;
use crate::registry::kind_version::KindVersion;
use crate::registry::strategy::Paths;
use crate::status::{Failure, Result};
pub(crate) use conversions::Conversions;

/// The managers of the fields of a resource's objects: the effect of writes on `metadata.managedFields`.
///
/// Objects are in the version of the request.
pub(crate) struct ManagedFields<'a> {
    updater: Updater<'static>,
    api_version: Str,
    kind: &'a str,
    subresource: &'a str,
    /// The struct of the kind; `None` for custom resources.
    schema: Option<&'static Schema>,
    empty: OnceLock<Map>,
}

impl<'a> ManagedFields<'a> {
    /// For an object, or the part of it that a subresource presents.
    pub(crate) fn of(resource: &'a Resource, subresource: Option<&'a str>) -> Self {
        let versions = resource.versions().iter().map(|version| {
            let filter = filter(resource, version, subresource);
            (version.api_version.clone(), Version { schema: version.fields.clone(), filter })
        });
        ManagedFields {
            updater: Updater {
                versions: versions.collect(),
                convert: conversion::between_versions(&resource.info.kind).filter(|_| !resource.is_custom()),
            },
            api_version: resource.info.api_version().into(),
            kind: &resource.info.kind,
            subresource: subresource.unwrap_or_default(),
            schema: resource.schema(),
            empty: OnceLock::new(),
        }
    }

    /// For a kind with one version that a subresource presents.
    pub(crate) fn of_shown(schema: &'static Schema, api_version: &'static str, subresource: &'a str) -> Self {
        ManagedFields {
            updater: Updater::of_one(api_version, schema.into()),
            api_version: api_version.into(),
            kind: schema.name,
            subresource,
            schema: Some(schema),
            empty: OnceLock::new(),
        }
    }

    /// Records the fields that a manager has changed, in an object complete except for fields that the server sets. The
    /// kind must be one that no webhook converts.
    pub(crate) fn update(&self, live: Option<&Map>, new: &mut Map, manager: &str) {
        let live = live.unwrap_or_else(|| self.empty());
        let updated = self.fields(&self.updater, None).update(live, new, manager, Time::now());
        self.report(updated);
    }

    /// As [`update`](Self::update), for all kinds.
    pub(crate) async fn update_converted(
        &self,
        conversions: &Conversions<'_>,
        live: Option<&Map>,
        new: &mut Map,
        manager: &str,
    ) {
        if !conversions.are_awaited() {
            return self.update(live, new, manager);
        }
        let (live, now) = (live.unwrap_or_else(|| self.empty()), Time::now());
        let before = &*new;
        let compute = |updater: &Updater<'_>| {
            let mut new = before.clone();
            let updated = self.fields(updater, None).update(live, &mut new, manager, now);
            (new, updated)
        };
        let (changed, updated) = conversions.compute(&self.updater, compute).await;
        *new = changed;
        self.report(updated);
    }

    fn report(&self, updated: std::result::Result<(), Error>) {
        if let Err(error) = updated {
            tracing::warn!(kind = self.kind, %error, "managed fields stay as they were");
        }
    }

    /// Applies the configuration of a manager to an object, or creates the object. The kind must be one that no webhook
    /// converts.
    ///
    /// # Errors
    ///
    /// 409 if others own fields that would change, 400 and 500 if the configuration is not valid, worded as
    /// upstream's.
    pub(crate) fn apply(&self, live: Option<&Map>, config: &Map, manager: &str, force: bool) -> Result<Map> {
        self.apply_by(&self.updater, live, config, (manager, force), Time::now())
    }

    /// As [`apply`](Self::apply), for all kinds.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply), and 500 if the conversion webhook of the kind fails.
    pub(crate) async fn apply_converted(
        &self,
        conversions: &Conversions<'_>,
        live: Option<&Map>,
        config: &Map,
        manager: &str,
        force: bool,
    ) -> Result<Map> {
        if !conversions.are_awaited() {
            return self.apply(live, config, manager, force);
        }
        let now = Time::now();
        let compute = |updater: &Updater<'_>| self.apply_by(updater, live, config, (manager, force), now);
        conversions.compute(&self.updater, compute).await
    }

    /// Applies a configuration, which must be of the kind and version of the request.
    fn apply_by(
        &self,
        updater: &Updater<'_>,
        live: Option<&Map>,
        config: &Map,
        (manager, force): (&str, bool),
        now: Time,
    ) -> Result<Map> {
        let named = (text_at(config, &["apiVersion"]), text_at(config, &["kind"]));
        if named != (&*self.api_version, self.kind) {
            let message = format!("invalid object type: {}", kind_of(named));
            return Err(Failure::bad_request(message));
        }
        let mut fields = config.clone();
        fields.remove("apiVersion");
        fields.remove("kind");
        let live = live.unwrap_or_else(|| self.empty());
        // The empty object is needed only if the live one has no owners.
        let is_owned = !list_at(live, &["metadata", "managedFields"]).is_empty();
        let empty = if is_owned { None } else { Some(self.empty()) };
        let applied = self.fields(updater, empty).apply(live, &fields, manager, force, now);
        applied.map_err(|error| refused(&error, config))
    }

    /// The state of an object before it is created.
    fn empty(&self) -> &Map {
        self.empty.get_or_init(|| self.schema.map(values::empty).unwrap_or_default())
    }

    fn fields<'s>(&'s self, updater: &'s Updater<'s>, empty: Option<&'s Map>) -> FieldManager<'s> {
        FieldManager {
            updater,
            api_version: &self.api_version,
            kind: self.kind,
            subresource: self.subresource,
            empty,
            keeps_unknown_versions: self.schema.is_none(),
        }
    }
}

/// Compares two objects but for their managed fields.
pub(crate) fn differ_beside_owners(object: &Map, other: &Map) -> bool {
    let differ = |object: &Map, other: &Map, left_out: &str| {
        let has_other = |(name, value): (&String, &Value)| name != left_out && other.get(name) != Some(value);
        let is_new = |name: &String| name != left_out && !object.contains_key(name);
        object.iter().any(has_other) || other.keys().any(is_new)
    };
    let nothing = Map::new();
    let [metadata, of_other] =
        [object, other].map(|object| object.get("metadata").and_then(Value::as_object).unwrap_or(&nothing));
    differ(object, other, "metadata") || differ(metadata, of_other, "managedFields")
}

/// The fields that a request can set; the server sets or keeps the others.
fn filter(resource: &Resource, version: &KindVersion, subresource: Option<&str>) -> Filter {
    let except = |paths: Paths| {
        Filter::Except(paths.iter().map(|path| Path::fields(path.iter().copied())).collect::<FieldSet>())
    };
    let own = version.api_version == resource.info.api_version();
    let strategy = &resource.strategy;
    match subresource {
        None if resource.is_custom() && !own => Filter::All,
        None => match strategy.fields_reset(version.has_status) {
            [] => Filter::All,
            reset => except(reset),
        },
        Some("finalize") if version.has_status => except(&[&["status"]]),
        Some("status") if version.has_status => except(strategy.fields_reset_by_status()),
        Some("approval") => except(&[&["spec"], &["status", "certificate"]]),
        Some(_) => Filter::All,
    }
}

/// `apps/v1, Kind=Deployment`, as Go prints it.
fn kind_of((api_version, kind): (&str, &str)) -> String {
    match api_version.split('/').count() {
        // An `apiVersion` that cannot be parsed gives an empty kind.
        3.. => "/, Kind=".to_owned(),
        2 => format!("{api_version}, Kind={kind}"),
        _ => format!("/{api_version}, Kind={kind}"),
    }
}

/// The kind of a configuration, as Go prints it.
pub(crate) fn kind(config: &Map) -> String {
    kind_of((text_at(config, &["apiVersion"]), text_at(config, &["kind"])))
}

/// `NAMESPACE/NAME; KIND` of a configuration, as upstream's errors name it.
pub(crate) fn named(config: &Map) -> String {
    let text = |path: &[&str]| text_at(config, path);
    format!("{}/{}; {}", text(&["metadata", "namespace"]), text(&["metadata", "name"]), kind(config))
}

fn refused(error: &Error, config: &Map) -> Failure {
    match error.kind() {
        ErrorKind::Conflict => {
            let failure = Failure::new(Reason::Conflict, error.to_string());
            error.conflicts().iter().fold(failure, |failure, conflict| {
                failure.caused_by("FieldManagerConflict", &conflict.cause(), &conflict.path.to_string())
            })
        }
        ErrorKind::Forbidden => Failure::bad_request(error.to_string()),
        ErrorKind::Invalid => {
            Failure::bare(500, format!("failed to create typed patch object ({}): {error}", named(config)))
        }
        ErrorKind::ManagedFields => Failure::bare(500, format!("failed to decode managed fields: {error}")),
        _ => Failure::bare(500, error.to_string()),
    }
}
