//! [`Patch`], a patch as it was sent, and its application to an object.

mod quoted;

use http::HeaderMap;
use klient_apimachinery::go::{GoValue, json_type, rewrite_numbers};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::patch::json::{JsonPatch, JsonPatchError};
use klient_apimachinery::patch::{PatchError, merge, strategic};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Decoded, Map, Numbers, Target, UnmarshalTypeError, text_at};
use serde_json::Value;

use crate::foreign_kind::{NamedKind, Unversioned, no_kind};
use crate::handlers::body::{media_type, untyped_notes};
use crate::registry::Resource;
use crate::status::{Failure, Result};

/// A patch as it was sent.
pub(crate) struct Patch {
    form: Form,
    /// Its numbers as they are written, in their places in the object.
    numbers: Numbers,
}

enum Form {
    Json(JsonPatch),
    Merge(Value),
    Strategic(Value),
}

/// The kind of the objects that a patch is applied to, if it is built in.
#[derive(Clone, Copy)]
pub(crate) struct PatchedKind<'a> {
    pub(crate) kind: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) schema: &'static Schema,
}

/// The result of a patch.
pub(crate) struct Patched {
    pub(crate) object: Map,
    /// The strict decoding errors of the object.
    pub(crate) notes: Vec<String>,
}

impl Patch {
    /// Reads a patch of the type in the Content-Type header.
    ///
    /// # Errors
    ///
    /// 415 for types that are not taken here, 400 and 413 for bodies that are no patch.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8], custom: bool) -> Result<Patch> {
        let unsupported = |message: &str| Failure::new(Reason::UnsupportedMediaType, message);
        match &*media_type(headers) {
            "application/json-patch+json" => {
                let (patch, numbers) = JsonPatch::parse_with_numbers(body).map_err(|error| match error {
                    JsonPatchError::Syntax(_) => Failure::bad_request("invalid JSON patch"),
                    other => refused(other),
                })?;
                Ok(Patch { form: Form::Json(patch), numbers })
            }
            "application/merge-patch+json" => {
                let (patch, numbers) = read_json(body, "error decoding patch: ")?;
                Ok(Patch { form: Form::Merge(patch), numbers })
            }
            "application/strategic-merge-patch+json" if !custom => {
                // Upstream reads it as values, which have lost how numbers are written.
                let (patch, _) = read_json(body, "")?;
                Ok(Patch { form: Form::Strategic(patch), numbers: Numbers::default() })
            }
            _ if custom => Err(unsupported(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            _ => Err(unsupported("415: Unsupported Media Type").with_details()),
        }
    }

    /// Applies the patch to an object of a resource and decodes the result.
    ///
    /// # Errors
    ///
    /// If it does not apply, or its result is no object of the kind.
    pub(crate) fn apply(&self, resource: &Resource, old: &Map) -> Result<Patched> {
        let api_version = resource.info.api_version();
        let decode = |object: Map| resource.decode(object, &self.numbers);
        if let Some(schema) = resource.schema() {
            let kind = PatchedKind { kind: &resource.info.kind, api_version: &api_version, schema };
            return self.apply_typed(kind, old, decode);
        }
        let old = whole(old, &resource.info.kind, &api_version);
        let new = self.patched(&old, None)?;
        let Value::Object(object) = new.clone() else {
            return Err(Failure::bad_request("the patch makes no object"));
        };
        self.check_custom_kind(resource, &old, &new)?;
        let decoded = decode(object);
        let Decoded { object, unknown } =
            decoded.map_err(|mismatch| self.invalid(&old, &new, None, &mismatch.of_json))?;
        Ok(Patched { object, notes: untyped_notes(&[], &unknown) })
    }

    /// As [`apply`](Self::apply), to an object of a built-in kind.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub(crate) fn apply_to_built_in(&self, kind: PatchedKind<'_>, old: &Map) -> Result<Patched> {
        self.apply_typed(kind, old, |object| values::decode_with_numbers(object, kind.schema, &self.numbers))
    }

    fn apply_typed(
        &self,
        kind: PatchedKind<'_>,
        old: &Map,
        decode: impl FnOnce(Map) -> std::result::Result<Decoded, UnmarshalTypeError>,
    ) -> Result<Patched> {
        let schema = kind.schema;
        let old = whole(old, kind.kind, kind.api_version);
        let new = self.patched(&old, Some(schema))?;
        let invalid = |problem: &str| self.invalid(&old, &new, Some(schema), problem);
        let is_strategic = matches!(self.form, Form::Strategic(_));
        if !is_strategic && let Some(problem) = no_kind(&new) {
            return Err(invalid(&format!("couldn't get version/kind; json parse error: {problem}")));
        }
        let Value::Object(object) = new.clone() else {
            return Err(Failure::bad_request("the patch makes no object"));
        };
        let text = || quoted::text(&self.form, &old, &new, Some(schema));
        if !is_strategic && is_internal(kind, &object, text).map_err(|problem| invalid(&problem))? {
            // That form has no such fields.
            let fields = object.keys().filter(|name| !matches!(&***name, "kind" | "apiVersion"));
            let unknown: Vec<String> = fields.cloned().collect();
            return Ok(Patched { object: Map::new(), notes: untyped_notes(&[], &unknown) });
        }
        let Decoded { object, unknown } = decode(object)
            .map_err(|mismatch| invalid(if is_strategic { &mismatch.of_value } else { &mismatch.of_json }))?;
        let notes = if is_strategic || unknown.is_empty() {
            untyped_notes(&[], &unknown)
        } else {
            let text = quoted::text(&self.form, &old, &new, Some(schema));
            values::strict_errors(text.as_bytes(), Target::Kind(schema))
        };
        Ok(Patched { object, notes })
    }

    fn patched(&self, old: &Value, schema: Option<&'static Schema>) -> Result<Value> {
        let mut object = old.clone();
        match &self.form {
            Form::Json(patch) => patch.apply(&mut object).map_err(refused)?,
            Form::Merge(patch) => merge::apply(&mut object, mergeable(patch)?),
            Form::Strategic(patch) => {
                let (Some(schema), Value::Object(object)) = (schema, &mut object) else {
                    return Err(Failure::internal("no schema to patch by"));
                };
                let patch = strategic_fields(patch)?;
                strategic::apply(object, patch, schema).map_err(|error| not_strategic(&error))?;
                // The object is converted, not decoded: 3.0 is an int32. As a merge key it is not 3.
                object.values_mut().for_each(rewrite_numbers);
            }
        }
        Ok(object)
    }

    /// Checks that a patched custom resource still has its apiVersion and kind.
    fn check_custom_kind(&self, resource: &Resource, old: &Value, new: &Value) -> Result<()> {
        let Value::Object(object) = new else { return Ok(()) };
        let (kind, api_version) = (&*resource.info.kind, resource.info.api_version());
        let sent = (text_at(object, &["kind"]), text_at(object, &["apiVersion"]));
        if sent == (kind, &*api_version) {
            return Ok(());
        }
        if sent.0.is_empty() {
            let problem =
                format!("Object 'Kind' is missing in '{}'", quoted::text(&self.form, old, new, None));
            return Err(self.invalid(old, new, None, &problem));
        }
        if sent.1.is_empty() {
            let problem = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
            return Err(Failure::internal(problem));
        }
        let wrong = [("kind", sent.0, kind), ("apiVersion", sent.1, &*api_version)];
        let wrong = wrong.into_iter().filter(|(_, sent, must)| sent != must);
        let errors: Vec<FieldError> = wrong
            .map(|(field, sent, must)| FieldError::invalid(field, sent, format!("must be {must}")))
            .collect();
        let name = old.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        Err(Failure::invalid(sent.1.split_once('/').unwrap_or_default().0, sent.0, name, &errors))
    }

    /// The failure of a patch whose result strict decoding refuses.
    pub(super) fn refuse(&self, resource: &Resource, old: &Map, problem: &str) -> Failure {
        let old = whole(old, &resource.info.kind, &resource.info.api_version());
        let new = self.patched(&old, resource.schema()).unwrap_or_default();
        self.invalid(&old, &new, resource.schema(), problem)
    }

    /// As [`refuse`](Self::refuse), of an object of a built-in kind.
    pub(crate) fn refuse_built_in(&self, kind: PatchedKind<'_>, old: &Map, problem: &str) -> Failure {
        let old = whole(old, kind.kind, kind.api_version);
        let new = self.patched(&old, Some(kind.schema)).unwrap_or_default();
        self.invalid(&old, &new, Some(kind.schema), problem)
    }

    /// The failure of a patch whose result cannot be decoded. The message quotes a strategic patch itself, of others
    /// the result.
    fn invalid(&self, old: &Value, new: &Value, schema: Option<&'static Schema>, problem: &str) -> Failure {
        let quoted = match &self.form {
            Form::Strategic(patch) => GoValue(patch).to_string(),
            form => quoted::text(form, old, new, schema),
        };
        Failure::invalid_patch(&FieldError::invalid("patch", quoted, problem))
    }

    /// Notes of strict decoding on the patch itself.
    pub(crate) fn notes(&self, body: &[u8]) -> Vec<String> {
        match self.form {
            Form::Json(_) => {
                let notes = values::strict_errors(body, Target::Operations).into_iter();
                notes.map(|note| format!("json patch {note}")).collect()
            }
            Form::Merge(_) | Form::Strategic(_) => values::strict_errors(body, Target::Anything),
        }
    }
}

/// Returns true if upstream takes a patched object for one in the form that it uses itself.
///
/// # Errors
///
/// If the object names another kind than its own.
fn is_internal(
    kind: PatchedKind<'_>,
    object: &Map,
    text: impl FnOnce() -> String,
) -> std::result::Result<bool, String> {
    let sent = (text_at(object, &["kind"]), text_at(object, &["apiVersion"]));
    let named = NamedKind::new((kind.kind, kind.api_version), sent, Unversioned::Internal)?;
    if !named.is_expected() {
        named.decode(object, text)?;
        named.check_convertible()?;
    }
    Ok(named.is_internal())
}

/// A merge patch that upstream can apply: objects alone.
///
/// # Errors
///
/// 400 in the server's words.
fn mergeable(patch: &Value) -> Result<&Value> {
    match patch {
        Value::Object(_) => Ok(patch),
        Value::Null => Err(Failure::bad_request("Invalid JSON Patch")),
        other => Err(Failure::bad_request(format!("error decoding patch: {}", not_a_map(other)))),
    }
}

/// The fields of a strategic merge patch; of `null` there are none.
///
/// # Errors
///
/// 400 in the server's words.
fn strategic_fields(patch: &Value) -> Result<Map> {
    match patch {
        Value::Object(patch) => Ok(patch.clone()),
        Value::Null => Ok(Map::new()),
        other => Err(Failure::bad_request(not_a_map(other))),
    }
}

fn not_a_map(value: &Value) -> String {
    format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", json_type(value))
}

/// A strategic merge patch that cannot be applied. For most of them upstream's message has no details.
fn not_strategic(error: &PatchError) -> Failure {
    let message = error.to_string();
    match &*message {
        "invalid patch format of primitive list"
        | "invalid patch format of retainKeys"
        | "invalid patch format of setElementOrder list" => Failure::bad_request(message),
        "lists of lists are not supported" | "patch content doesn't match retainKeys list" => {
            Failure::bare(422, message)
        }
        _ => Failure::bare(500, message),
    }
}

/// An object with its kind.
fn whole(object: &Map, kind: &str, api_version: &str) -> Value {
    let mut object = object.clone();
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Value::Object(object)
}

fn read_json(body: &[u8], place: &str) -> Result<(Value, Numbers)> {
    let read = values::parse(body).map_err(|_| Failure::bad_request("invalid JSON patch"))?;
    match read.numbers.overflow_error() {
        Some(problem) => Err(Failure::bad_request(format!("{place}{problem}"))),
        None => Ok((read.value, read.numbers)),
    }
}

fn refused(error: JsonPatchError) -> Failure {
    match error {
        JsonPatchError::Malformed(_) => Failure::bad_request(error.to_string()),
        JsonPatchError::TooMany(_) => Failure::new(Reason::RequestEntityTooLarge, error.to_string()),
        _ => {
            let message = "the server rejected our request due to an error in our request";
            Failure::new(Reason::Invalid, message).with_details()
        }
    }
}
