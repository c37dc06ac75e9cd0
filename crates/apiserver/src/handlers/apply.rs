//! Server-side apply: an object is made to have the fields that a manager wants.

use http::{HeaderMap, Response, StatusCode};
use klient_apimachinery::BoxFuture;
use klient_apimachinery::go::{json_type, rewrite_numbers};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::values::{self, Map, Parsed, UnmarshalTypeError, map_at, text_at};
use klient_apimachinery::yaml::DuplicateKey;
use serde_json::Value;

use super::Context;
use super::body::{check_name, check_namespace, media_type, read_yaml, repeated_keys};
use super::field_validation::FieldValidation;
use super::options::{Write, WriteOptions};
use crate::managed_fields::{Conversions, ManagedFields, kind, named};
use crate::registry::Resource;
use crate::registry::pipeline::{Pipeline, TryUpdate, written_version};
use crate::respond::{self, Body};
use crate::status::{Failure, Result};
use crate::storage::Object;
use crate::warnings::Warnings;

/// Returns true if a PATCH is a server-side apply.
pub(crate) fn is_apply(headers: &HeaderMap) -> bool {
    media_type(headers) == "application/apply-patch+yaml"
}

/// Applies the configuration in the body to an object or its subresource. An object that does not exist is created.
pub(super) async fn apply(context: &mut Context, subresource: Option<&str>) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Apply)?;
    let resource = context.resource.clone();
    let Config { fields: config, repeated } = Config::read(&context.body)?;
    let manager = options.manager(&context.headers);
    let warnings = Warnings::default();
    let pipeline = context.pipeline(subresource, None, Some(&options), &warnings);
    let pipeline = Pipeline { patching: true, ..pipeline };
    let key = context.key();
    let mut applying = Applying {
        managed_fields: ManagedFields::of(&resource, subresource),
        conversions: pipeline.conversions(),
        target: ApplyTarget { resource: &resource, namespace: context.namespace(), name: context.name() },
        config: &config,
        repeated: &repeated,
        manager: &manager,
        options: &options,
        notes: Vec::new(),
    };
    loop {
        let creates = subresource.is_none() && pipeline.current(&key).is_err();
        let (code, done) = if creates {
            let created = match applying.new_object().await {
                Ok(made) => pipeline.create_by_update(made).await,
                Err(failure) => Err(failure),
            };
            (StatusCode::CREATED, created)
        } else {
            (StatusCode::OK, pipeline.guaranteed_update(&key, &mut applying).await)
        };
        match done {
            // It was created or deleted meanwhile: look again.
            Err(failure) if failure.is(Reason::AlreadyExists) && pipeline.current(&key).is_ok() => {}
            Err(failure) if subresource.is_none() && !creates && failure.is(Reason::NotFound) => {}
            done => {
                let notes = applying.notes;
                context.warnings.extend(notes);
                context.warnings.extend(warnings.take());
                return Ok(respond::object(code, format, &resource, &*done?));
            }
        }
    }
}

/// The application of a configuration to an object.
struct Applying<'a> {
    managed_fields: ManagedFields<'a>,
    conversions: Conversions<'a>,
    target: ApplyTarget<'a>,
    config: &'a Map,
    /// The keys that stand in the configuration twice.
    repeated: &'a [DuplicateKey],
    manager: &'a str,
    options: &'a WriteOptions,
    /// Warnings about the configuration.
    notes: Vec<String>,
}

impl Applying<'_> {
    /// The object with the configuration applied to it; a new one if there is none.
    async fn applied(&mut self, live: Option<&Map>) -> Result<Map> {
        let Applying { managed_fields, conversions, config, manager, options, .. } = self;
        let applied =
            managed_fields.apply_converted(conversions, live, config, manager, options.force).await?;
        self.notes = check_repeated(self.repeated, self.options.validation)?;
        self.target.decode(applied, self.config)
    }

    async fn new_object(&mut self) -> Result<Map> {
        let made = self.applied(None).await?;
        self.target.take_new(made)
    }
}

impl TryUpdate for Applying<'_> {
    fn try_update<'a>(&'a mut self, live: &'a Map, _: &'a Object) -> BoxFuture<'a, Result<Map>> {
        Box::pin(async move {
            let applied = self.applied(Some(live)).await?;
            self.target.take(applied)
        })
    }
}

/// A configuration as it was sent.
pub(super) struct Config {
    pub(super) fields: Map,
    /// The keys that stood in it twice.
    pub(super) repeated: Vec<DuplicateKey>,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// 400 if it is none.
    pub(super) fn read(body: &[u8]) -> Result<Config> {
        let refuse = |problem: &str| Failure::bad_request(format!("error decoding patch: {problem}"));
        let is_json = body.trim_ascii_start().first() == Some(&b'{');
        // JSON is YAML, and much sooner read.
        let json = if is_json && is_yaml(body) { values::parse(body).ok() } else { None };
        let json = json.filter(|read| read.duplicates.is_empty());
        let json = json.filter(|read| read.numbers.overflow_error().is_none());
        let as_yaml = |Parsed { mut value, .. }| {
            rewrite_numbers(&mut value);
            Ok((value, Vec::new()))
        };
        match json.map_or_else(|| read_yaml(body), as_yaml) {
            Ok((Value::Object(fields), _)) if values::is_too_deep(&fields) => {
                Err(refuse("exceeded max depth"))
            }
            Ok((Value::Object(fields), repeated)) => Ok(Config { fields, repeated }),
            Ok((Value::Null, repeated)) => Ok(Config { fields: Map::new(), repeated }),
            Ok((value, _)) => Err(refuse(&format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                json_type(&value)
            ))),
            Err(problem) if is_json => Err(refuse(&format!("error converting YAML to JSON: {problem}"))),
            Err(problem) => Err(Failure::bad_request(format!("error encoding patch: {problem}"))),
        }
    }
}

/// Returns true if JSON text has the same meaning as YAML, which has no `\/`, no surrogates and no invalid UTF-8.
fn is_yaml(json: &[u8]) -> bool {
    let says_other = |json: &str| ["\\/", "\\ud", "\\uD"].iter().any(|escape| json.contains(escape));
    std::str::from_utf8(json).is_ok_and(|json| !says_other(json))
}

/// Warnings about duplicate keys in a configuration.
///
/// # Errors
///
/// 400 if validation is strict.
pub(super) fn check_repeated(repeated: &[DuplicateKey], validation: FieldValidation) -> Result<Vec<String>> {
    match validation {
        FieldValidation::Strict if !repeated.is_empty() => {
            let problem = format!("error converting YAML to JSON: {}", repeated_keys(repeated));
            Err(Failure::bad_request(format!("error strict decoding patch: {problem}")))
        }
        FieldValidation::Warn => Ok(repeated.iter().map(ToString::to_string).collect()),
        _ => Ok(Vec::new()),
    }
}

/// The failure of a configuration that makes no object of its kind.
pub(super) fn not_converted(config: &Map, mismatch: &UnmarshalTypeError) -> Failure {
    let (named, kind, problem) = (named(config), kind(config), &mismatch.of_value);
    let problem = format!("unable to convert unstructured object to {kind}: {problem}");
    let message = format!("failed to convert new object ({named}) to proper version: {problem}");
    if mismatch.overflows { Failure::bad_request(message) } else { Failure::bare(500, message) }
}

/// The object and subresource that a configuration is applied to.
struct ApplyTarget<'a> {
    resource: &'a Resource,
    namespace: Option<&'a str>,
    name: &'a str,
}

impl ApplyTarget<'_> {
    /// Decodes the applied object into the stored form of its kind.
    fn decode(&self, object: Map, config: &Map) -> Result<Map> {
        let decoded = self.resource.decode_changed(object);
        let decoded = decoded.map_err(|mismatch| not_converted(config, &mismatch))?;
        Ok(decoded.object)
    }

    /// Checks the name and namespace of an object.
    fn take(&self, mut object: Map) -> Result<Map> {
        check_namespace(self.resource, &mut object, self.namespace)?;
        check_name(self.name, &object)?;
        Ok(object)
    }

    /// Checks that a new object is not meant to be one that was there before.
    fn take_new(&self, mut object: Map) -> Result<Map> {
        let target = self.resource.target(self.name);
        let metadata = map_at(&mut object, "metadata");
        let uid = text_at(metadata, &["uid"]);
        if !uid.is_empty() {
            let problem = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(Failure::conflict(&target, &problem));
        }
        written_version(&object)?;
        self.take(object)
    }
}
