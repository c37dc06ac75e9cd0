//! The scale subresource of workloads: desired replicas, observed replicas and selector.

use http::{Response, StatusCode};
use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, MAX_OBJECT_DEPTH, Map, at, text_at};
use klient_schema::autoscaling_v1;
use klient_structured_merge::{Managers, ScaleFields};
use serde_json::{Value, json};

use super::Context;
use super::apply;
use super::body::{self, Kind, check_name};
use super::field_validation::FieldValidation;
use super::options::{Write, WriteOptions};
use super::patch::{Patch, Patched, PatchedKind};
use crate::managed_fields::ManagedFields;
use crate::registry::pipeline::{Pipeline, Presentation, unversioned, written_version};
use crate::registry::{Resource, uid_mismatch};
use crate::respond::{self, Body};
use crate::status::{Failure, Result, Target};
use crate::storage::Object;
use crate::warnings::Warnings;

const API_VERSION: &str = "autoscaling/v1";

const KIND: PatchedKind<'static> =
    PatchedKind { kind: "Scale", api_version: API_VERSION, schema: &autoscaling_v1::SCALE };

/// Reads an object's scale.
pub(crate) async fn get(context: &Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let warnings = Warnings::default();
    let object = context.pipeline(None, None, None, &warnings).current(&context.key())?;
    let object = context.state.converter.serve(&context.resource, object, context.deadline).await?;
    let path = paths(&context.resource)?.spec;
    if context.resource.is_custom() && !has_number(&context.resource.read(&object), &path) {
        let problem = format!("the spec replicas field \".{}\" does not exist", path.join("."));
        return Err(Failure::internal(problem));
    }
    let scale = scale(&context.resource, &object)?;
    Ok(respond::message(StatusCode::OK, format, &scale, &autoscaling_v1::SCALE))
}

/// Sets an object's replicas to those of the scale in the body.
pub(super) async fn update(context: &mut Context) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, Write::Update)?;
    let sent = body::read(context, "Scale", API_VERSION)?;
    let kind = Kind { name: "Scale", version: "v1", schema: Some(&autoscaling_v1::SCALE) };
    let is_custom = context.resource.is_custom();
    let desired = body::decode_as(context, sent, options.validation, kind, |scale, numbers| {
        values::decode_with_numbers(scale, &autoscaling_v1::SCALE, numbers)
    });
    // The scheme of custom resources does not know the kind, which upstream finds out when it cannot be decoded.
    let desired = desired.map_err(|failure| if is_custom { body::unregistered_scale() } else { failure })?;
    check_name(context.name(), &desired)?;
    let manager = options.manager(&context.headers);
    set(context, &options, false, &mut |present| {
        let mut desired = desired.clone();
        managed_fields().update(Some(present), &mut desired, &manager);
        Ok(desired)
    })
    .await
}

/// Patches an object's scale, or applies a configuration to it.
pub(super) async fn patch(context: &mut Context) -> Result<Response<Body>> {
    if apply::is_apply(&context.headers) {
        return apply(context).await;
    }
    let patch = Patch::read(&context.headers, &context.body, context.resource.is_custom())?;
    let options = WriteOptions::parse(&context.query, Write::Patch)?;
    let manager = options.manager(&context.headers);
    let name = context.name().to_owned();
    let is_lax = options.validation == FieldValidation::Ignore;
    let sent = if is_lax { Vec::new() } else { patch.notes(&context.body) };
    let mut notes = Vec::new();
    let done = set(context, &options, true, &mut |present| {
        let Patched { object: mut desired, notes: of_it } = patch.apply_to_built_in(KIND, present)?;
        notes = sent.clone();
        notes.extend(of_it);
        if options.validation == FieldValidation::Strict && !notes.is_empty() {
            let problem = format!("strict decoding error: {}", notes.join(", "));
            return Err(patch.refuse_built_in(KIND, present, &problem));
        }
        check_name(&name, &desired)?;
        managed_fields().update(Some(present), &mut desired, &manager);
        Ok(desired)
    })
    .await;
    if options.validation == FieldValidation::Warn {
        context.warnings.extend(notes);
    }
    done
}

async fn apply(context: &mut Context) -> Result<Response<Body>> {
    let options = WriteOptions::parse(&context.query, Write::Apply)?;
    let config = apply::Config::read(&context.body)?;
    let manager = options.manager(&context.headers);
    let name = context.name().to_owned();
    let mut notes = Vec::new();
    let done = set(context, &options, true, &mut |present| {
        let desired = managed_fields().apply(Some(present), &config.fields, &manager, options.force)?;
        notes = apply::check_repeated(&config.repeated, options.validation)?;
        let decoded = values::decode(desired, &autoscaling_v1::SCALE);
        let desired = decoded.map_err(|mismatch| apply::not_converted(&config.fields, &mismatch))?.object;
        check_name(&name, &desired)?;
        Ok(desired)
    })
    .await;
    context.warnings.extend(notes);
    done
}

fn managed_fields() -> ManagedFields<'static> {
    ManagedFields::of_shown(&autoscaling_v1::SCALE, API_VERSION, "scale")
}

/// A scale that was never set; no client can ask for it.
const NOT_SET: i64 = i32::MIN as i64;

/// Updates the object to a desired scale, which `desire` computes from the present one together with the field managers.
async fn set(
    context: &mut Context,
    options: &WriteOptions,
    patching: bool,
    desire: &mut (dyn FnMut(&Map) -> Result<Map> + Send),
) -> Result<Response<Body>> {
    let format = context.format()?;
    let resource = &context.resource.clone();
    let api_version = resource.info.api_version();
    let warnings = Warnings::default();
    let presentation = ScalePresentation { resource };
    let pipeline = Pipeline {
        patching: true,
        presentation: Some(&presentation),
        ..context.pipeline(None, None, Some(options), &warnings)
    };
    let mut update = |old: &Map, object: &Object| {
        let paths = paths(resource)?;
        let owners = ScaleFields {
            managers: Managers::of(old).map_err(|error| Failure::bare(500, error.to_string()))?,
            api_version: &api_version,
            replicas: resource
                .versions()
                .iter()
                .map(|version| (version.api_version.clone(), version.replicas.clone()))
                .collect(),
        };
        let present = values::decode(scale_of(resource, old)?, &autoscaling_v1::SCALE);
        let mut present = present.map_err(|mismatch| Failure::internal(mismatch.of_json))?.object;
        owners.to_scale().write_to(&mut present);
        if resource.is_custom() && !has_number(old, &paths.spec) {
            put(&mut present, &SPEC_REPLICAS.map(str::to_owned), NOT_SET)?;
        }
        let mut desired = desire(&present)?;
        body::check_namespace(resource, &mut desired, object.key.namespace())?;
        check_preconditions(resource, &desired, object, patching)?;
        let replicas = at(&desired, &SPEC_REPLICAS).and_then(Value::as_i64).unwrap_or(0);
        if replicas == NOT_SET {
            let path = paths.spec.join(".");
            let problem = format!("the spec replicas field \".{path}\" cannot be empty");
            return Err(Failure::bad_request(problem));
        }
        // That of a custom resource is refused as part of the resource.
        if replicas < 0 && !resource.is_custom() {
            let error = FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
            return Err(Failure::invalid("autoscaling", "Scale", object.key.name(), &[error]));
        }
        let scaled_by = Managers::of(&desired).map_err(|error| Failure::bare(500, error.to_string()))?;
        let mut new = old.clone();
        put(&mut new, &paths.spec, replicas)?;
        owners.to_object(scaled_by).write_to(&mut new);
        Ok(new)
    };
    let changed = pipeline.guaranteed_update(&context.key(), &mut update).await;
    context.warnings.extend(warnings.take());
    Ok(respond::message(StatusCode::OK, format, &scale(resource, &*changed?)?, &autoscaling_v1::SCALE))
}

/// Checks the UID and resourceVersion of a desired scale against the object's.
fn check_preconditions(resource: &Resource, desired: &Map, object: &Object, patching: bool) -> Result<()> {
    let uid = text_at(desired, &["metadata", "uid"]);
    // Upstream ignores the UID of a patch of a custom resource's scale.
    if !uid.is_empty() && object.uid != uid && !(patching && resource.is_custom()) {
        let problem = uid_mismatch(uid, &object.uid);
        if !patching {
            return Err(resource.storage_conflict(&object.key, &problem));
        }
        let plural = &format!("{}/scale", resource.info.plural);
        let target = Target { plural, ..resource.target(object.key.name()) };
        return Err(Failure::conflict(&target, &problem));
    }
    match written_version(desired)? {
        Some(version) if version != object.version => {
            Err(Failure::modified(&resource.target(object.key.name())))
        }
        None if !text_at(desired, &["metadata", "resourceVersion"]).is_empty()
            && !resource.allows_unconditional_update() =>
        {
            Err(unversioned(resource, object.key.name()))
        }
        _ => Ok(()),
    }
}

/// The scale of an object, for admission.
struct ScalePresentation<'a> {
    resource: &'a Resource,
}

impl Presentation for ScalePresentation<'_> {
    fn subresource(&self) -> &'static str {
        "scale"
    }

    fn schema(&self) -> &'static Schema {
        &autoscaling_v1::SCALE
    }

    fn present(&self, object: &Map) -> Result<Map> {
        scale_of(self.resource, object)
    }

    fn write(&self, presented: &Map, object: &mut Map) -> Result<()> {
        let replicas = at(presented, &SPEC_REPLICAS).and_then(Value::as_i64).unwrap_or(0);
        let path = paths(self.resource)?.spec;
        if number(object, &path) != replicas {
            put(object, &path, replicas)?;
        }
        Ok(())
    }
}

const SPEC_REPLICAS: [&str; 2] = ["spec", "replicas"];

fn has_number(object: &Map, path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    at(object, &path).is_some_and(Value::is_number)
}

/// The paths of an object's replicas and selector.
struct Paths {
    spec: Vec<String>,
    status: Vec<String>,
    /// Of a selector written as text; built-in kinds have one of another form.
    selector: Option<Vec<String>>,
}

fn paths(resource: &Resource) -> Result<Paths> {
    let split = |path: &str| path.trim_start_matches('.').split('.').map(str::to_owned).collect::<Vec<_>>();
    match resource.custom_schema() {
        None => Ok(Paths { spec: split("spec.replicas"), status: split("status.replicas"), selector: None }),
        Some(version) => {
            let scale = version.scale.as_ref().ok_or_else(Failure::no_such_resource)?;
            Ok(Paths {
                spec: split(&scale.spec_replicas),
                status: split(&scale.status_replicas),
                selector: scale.label_selector.as_deref().map(split),
            })
        }
    }
}

fn number(object: &Map, path: &[String]) -> Value {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    at(object, &path).and_then(Value::as_i64).unwrap_or(0).into()
}

/// Sets the number of replicas at a path.
///
/// # Errors
///
/// 400 if the path is longer than objects are nested.
fn put(object: &mut Map, path: &[String], replicas: i64) -> Result<()> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    if path.len() > MAX_OBJECT_DEPTH {
        let names = path.len();
        let problem = format!(
            "exceeded max depth: specReplicasPath of the definition has {names} names, and an object is nested {MAX_OBJECT_DEPTH} deep at most"
        );
        return Err(Failure::bad_request(problem));
    }
    let parent = parents.iter().fold(object, |parent, name| values::map_at(parent, name));
    parent.insert(last.clone(), replicas.into());
    Ok(())
}

fn scale(resource: &Resource, stored: &Object) -> Result<Map> {
    scale_of(resource, &resource.read(stored))
}

fn scale_of(resource: &Resource, object: &Map) -> Result<Map> {
    let paths = paths(resource)?;
    let mut metadata = Map::new();
    for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = at(object, &["metadata", name]) {
            metadata.insert(name.to_owned(), value.clone());
        }
    }
    let mut status = json!({ "replicas": number(object, &paths.status) });
    let selector = match &paths.selector {
        Some(path) => {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            text_at(object, &path).to_owned()
        }
        None => selector(object),
    };
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    let mut spec = Map::new();
    let replicas = number(object, &paths.spec);
    if replicas != 0 {
        spec.insert("replicas".to_owned(), replicas);
    }
    let parts: [(&str, Value); 5] = [
        ("kind", "Scale".into()),
        ("apiVersion", API_VERSION.into()),
        ("metadata", metadata.into()),
        ("spec", spec.into()),
        ("status", status),
    ];
    Ok(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A workload's selector as text; replication controllers have a plain map of labels.
fn selector(object: &Map) -> String {
    let Some(Value::Object(selector)) = at(object, &["spec", "selector"]) else { return String::new() };
    let structured = selector.contains_key("matchLabels") || selector.contains_key("matchExpressions");
    let parsed = if structured {
        let selector: Option<LabelSelector> = serde_json::from_value(Value::Object(selector.clone())).ok();
        selector.and_then(|selector| Selector::try_from(&selector).ok())
    } else {
        Some(Selector::from_set(
            selector.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default())),
        ))
    };
    parsed.map(|selector| selector.to_string()).unwrap_or_default()
}
