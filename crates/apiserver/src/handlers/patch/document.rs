//! [`Patch`], a patch as it was sent, and what it makes of an object.

mod quoted;

use http::HeaderMap;
use klient_apimachinery::go::{GoValue, json_type, rewrite_numbers};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::patch::json::{JsonPatch, JsonPatchError};
use klient_apimachinery::patch::{PatchError, merge, strategic};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Decoded, Map, Mismatch, Target, parse, text_at};
use serde_json::Value;

use crate::handlers::body::{media_type, not_decoded, untyped_notes};
use crate::registry::Resource;
use crate::status::{Failure, Result};

/// A patch as it was sent.
pub(crate) enum Patch {
    Json(JsonPatch),
    Merge(Value),
    Strategic(Value),
}

impl Patch {
    /// Reads a patch of the type the request says.
    ///
    /// # Errors
    ///
    /// 415 for types that are not taken here, 400 and 413 for bodies that are no patch.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8], custom: bool) -> Result<Patch> {
        let unsupported = |message: &str| Failure::new(Reason::UnsupportedMediaType, message);
        match media_type(headers) {
            "application/json-patch+json" => {
                read_json(body)?;
                JsonPatch::parse(body).map_err(refused).map(Patch::Json)
            }
            "application/merge-patch+json" => read_json(body).map(Patch::Merge),
            "application/strategic-merge-patch+json" if !custom => read_json(body).map(Patch::Strategic),
            _ if custom => Err(unsupported(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            _ => Err(unsupported("415: Unsupported Media Type").with_details()),
        }
    }

    /// Applies the patch to an object and decodes what comes of it.
    ///
    /// # Errors
    ///
    /// If it does not apply, or its result is no object of the kind.
    pub(crate) fn apply(&self, resource: &Resource, old: &Map) -> Result<Decoded> {
        let Value::Object(mut object) = self.patched(resource, old)? else {
            return Err(Failure::bad_request("the patch makes no object"));
        };
        self.check_kind(resource, old, &mut object)?;
        resource.decode(object).map_err(|mismatch| self.invalid(resource, old, self.problem(&mismatch)))
    }

    /// What is said of a field that holds what it cannot hold: what a strategic patch makes is converted, not decoded.
    pub(crate) fn problem<'a>(&self, mismatch: &'a Mismatch) -> &'a str {
        if matches!(self, Patch::Strategic(_)) { &mismatch.of_value } else { &mismatch.of_json }
    }

    fn patched(&self, resource: &Resource, old: &Map) -> Result<Value> {
        let mut object = whole(resource, old);
        match self {
            Patch::Json(patch) => patch.apply(&mut object).map_err(refused)?,
            Patch::Merge(patch) => merge::apply(&mut object, mergeable(patch)?),
            Patch::Strategic(patch) => {
                let (Some(schema), Value::Object(object)) = (resource.schema(), &mut object) else {
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

    /// Checks that what the patch makes of an object is still of its kind. What a strategic patch makes is never read
    /// by what it says it is.
    fn check_kind(&self, resource: &Resource, old: &Map, object: &mut Map) -> Result<()> {
        let (kind, api_version) = (&*resource.info.kind, resource.info.api_version());
        let sent = (text_at(object, &["kind"]), text_at(object, &["apiVersion"]));
        if sent == (kind, &*api_version) {
            return Ok(());
        }
        if resource.is_custom() {
            if sent.0.is_empty() {
                let problem = format!("Object 'Kind' is missing in '{}'", self.text(resource, old));
                return Err(self.invalid(resource, old, &problem));
            }
            let wrong = [("kind", sent.0, kind), ("apiVersion", sent.1, &*api_version)];
            let wrong = wrong.into_iter().filter(|(_, sent, must)| sent != must);
            let errors: Vec<FieldError> = wrong
                .map(|(field, sent, must)| FieldError::invalid(field, sent, format!("must be {must}")))
                .collect();
            if sent.1.is_empty() {
                let problem = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
                return Err(Failure::internal(problem));
            }
            let (group, name) =
                (sent.1.split_once('/').unwrap_or_default().0, text_at(old, &["metadata", "name"]));
            return Err(Failure::invalid(group, sent.0, name, &errors));
        }
        if matches!(self, Patch::Strategic(_)) {
            return Ok(());
        }
        if sent.1.is_empty() {
            // Upstream takes it for the form that it uses itself, which has no metadata.
            object.clear();
            return Ok(());
        }
        let sent = (if sent.0.is_empty() { kind } else { sent.0 }, sent.1);
        let (group, version) = sent.1.split_once('/').unwrap_or(("", sent.1));
        // It is read as what it says it is, and then found to be something else.
        if let Some(schema) = klient_schema::kind(group, version, sent.0)
            && let Err(mismatch) = values::decode(object.clone(), schema)
        {
            return Err(self.invalid(resource, old, &mismatch.of_json));
        }
        match not_decoded(resource, kind, sent) {
            Some(problem) => Err(self.invalid(resource, old, &problem)),
            None => Ok(()),
        }
    }

    /// The failure of a patch whose result cannot be decoded. Strategic patches are quoted themselves, others by
    /// what they make.
    pub(super) fn invalid(&self, resource: &Resource, old: &Map, problem: &str) -> Failure {
        let patched = self.patched(resource, old).unwrap_or_default();
        self.invalid_result(&whole(resource, old), &patched, resource.schema(), problem)
    }

    /// As [`invalid`](Self::invalid), of a patch that has made `new` of `old`.
    pub(crate) fn invalid_result(
        &self,
        old: &Value,
        new: &Value,
        schema: Option<&'static Schema>,
        problem: &str,
    ) -> Failure {
        let quoted = match self {
            Patch::Strategic(patch) => GoValue(patch).to_string(),
            _ => quoted::text(self, old, new, schema),
        };
        Failure::invalid_patch(&FieldError::invalid("patch", quoted, problem))
    }

    /// The patched object, as the text that is decoded.
    fn text(&self, resource: &Resource, old: &Map) -> String {
        let patched = self.patched(resource, old).unwrap_or_default();
        quoted::text(self, &whole(resource, old), &patched, resource.schema())
    }

    /// Notes of strict decoding on the patch itself.
    pub(crate) fn notes(&self, body: &[u8]) -> Vec<String> {
        match self {
            Patch::Json(_) => {
                let notes = values::strict_notes(body, Target::Operations).into_iter();
                notes.map(|note| format!("json patch {note}")).collect()
            }
            Patch::Merge(_) | Patch::Strategic(_) => values::strict_notes(body, Target::Anything),
        }
    }

    /// Notes of strict decoding on the patched object.
    pub(super) fn result_notes(&self, resource: &Resource, old: &Map, decoded: &Decoded) -> Vec<String> {
        match (self, resource.schema()) {
            (Patch::Json(_) | Patch::Merge(_), Some(schema)) if !decoded.unknown.is_empty() => {
                values::strict_notes(self.text(resource, old).as_bytes(), Target::Kind(schema))
            }
            _ => untyped_notes(&[], &decoded.unknown),
        }
    }
}

/// A merge patch that upstream can apply: objects alone.
///
/// # Errors
///
/// 400 in the server's words.
pub(crate) fn mergeable(patch: &Value) -> Result<&Value> {
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
pub(crate) fn strategic_fields(patch: &Value) -> Result<Map> {
    match patch {
        Value::Object(patch) => Ok(patch.clone()),
        Value::Null => Ok(Map::new()),
        other => Err(Failure::bad_request(not_a_map(other))),
    }
}

fn not_a_map(value: &Value) -> String {
    format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", json_type(value))
}

/// A strategic merge patch that cannot be applied. Of most of them upstream says no more than that it cannot.
pub(crate) fn not_strategic(error: &PatchError) -> Failure {
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
fn whole(resource: &Resource, object: &Map) -> Value {
    let mut object = object.clone();
    object.insert("apiVersion".to_owned(), resource.info.api_version().into());
    object.insert("kind".to_owned(), (*resource.info.kind).into());
    Value::Object(object)
}

fn read_json(body: &[u8]) -> Result<Value> {
    parse(body).map(|(value, _)| value).map_err(|_| Failure::bad_request("invalid JSON patch"))
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
