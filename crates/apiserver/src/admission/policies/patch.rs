//! The changes of mutations: apply configurations and JSON patches.

use klient_apimachinery::patch::json::{JsonPatch, JsonPatchError};
use klient_apimachinery::values::{self, Decoded, Map, Target};
use klient_structured_merge::{Duplicates, Schema, Typed};
use serde_json::Value;

use crate::admission::Attributes;
use crate::admission::matching::Matched;
use crate::admission::patched::{Author, check_kind, check_strictly};
use crate::status::Failure;

/// A failure of a change.
pub(super) enum ChangeError {
    /// An error that the failure policy decides on.
    Policy(String),
    /// An error of the request.
    Request(Failure),
}

impl From<String> for ChangeError {
    fn from(message: String) -> Self {
        ChangeError::Policy(message)
    }
}

/// Checks the nesting of a change before anything recurses into it: expressions may nest values deeper than the stack
/// has room for.
fn check_depth(change: &Map) -> Result<(), ChangeError> {
    if values::is_too_deep(change) { Err("exceeded max depth".to_owned().into()) } else { Ok(()) }
}

/// The kind of the object that is changed.
pub(super) struct Changed<'a> {
    pub(super) attributes: &'a Attributes<'a>,
    pub(super) matched: &'a Matched,
}

impl Changed<'_> {
    /// Merges a configuration into an object by the rules of server-side apply. Nothing gets a manager.
    pub(super) fn apply(&self, object: &Map, configuration: Value) -> Result<Map, ChangeError> {
        let Value::Object(mut configuration) = configuration else {
            return Err("invalid return type".to_owned().into());
        };
        check_depth(&configuration)?;
        configuration.remove("apiVersion");
        configuration.remove("kind");
        let schema = self.schema()?;
        let problem = |what: &str, error: klient_structured_merge::Error| {
            ChangeError::Policy(format!("error applying patch: {what}: {error}"))
        };
        let patch = Typed::new(&configuration, &schema, Duplicates::Refuse)
            .map_err(|error| problem("failed to convert patch object to typed object", error))?;
        let atomics = patch.atomics();
        if !atomics.is_empty() {
            let list = atomics.join(", ");
            return Err(format!(
                "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {list}"
            )
            .into());
        }
        let live = Typed::new(object, &schema, Duplicates::Allow)
            .map_err(|error| problem("failed to convert original object to typed object", error))?;
        let merged = live.merge(&patch).map_err(|error| problem("failed to merge patch", error))?;
        self.decode(merged.into_object())
    }

    /// Applies the operations of a JSON patch to an object; one whose test fails changes nothing.
    pub(super) fn patch(&self, object: &Map, operations: Vec<Value>) -> Result<Map, ChangeError> {
        operations.iter().filter_map(Value::as_object).try_for_each(check_depth)?;
        let body = Value::from(operations).to_string();
        let failed = |error: &dyn std::fmt::Display| ChangeError::Policy(format!("JSON Patch: {error}"));
        let patch = JsonPatch::parse_unchecked(body.as_bytes()).map_err(|error| failed(&error))?;
        let mut whole = object.clone();
        whole.insert("apiVersion".to_owned(), self.matched.kind.api_version().into());
        whole.insert("kind".to_owned(), (&*self.matched.kind.kind).into());
        let mut patched = Value::Object(whole);
        match patch.apply(&mut patched) {
            Ok(()) => {}
            Err(JsonPatchError::Failed { problem, .. }) if problem.ends_with("test failed") => {
                return Ok(object.clone());
            }
            Err(JsonPatchError::Failed { problem, .. }) => return Err(failed(&problem)),
            Err(error) => return Err(failed(&error)),
        }
        check_kind(self.attributes, self.matched, &patched, Author::Policy).map_err(ChangeError::Request)?;
        let Value::Object(patched) = patched else {
            return Err(ChangeError::Request(Failure::internal("the patch makes no object")));
        };
        if let Some(schema) = self.built_in() {
            check_strictly(&patched, Target::Kind(schema)).map_err(ChangeError::Request)?;
        }
        self.decode(patched)
    }

    /// The struct of the object, if it is of a built-in kind.
    fn built_in(&self) -> Option<&'static klient_apimachinery::schema::Schema> {
        self.attributes.presented.or_else(|| self.matched.resource.schema())
    }

    fn schema(&self) -> Result<Schema, ChangeError> {
        if let Some(presented) = self.attributes.presented {
            return Ok(presented.into());
        }
        let resource = &self.matched.resource;
        let api_version = resource.info.api_version();
        let version = resource.versions().iter().find(|version| *version.api_version == *api_version);
        version.map(|version| version.fields.clone()).ok_or_else(|| {
            let kind = &self.matched.kind;
            ChangeError::Request(Failure::internal(format!("Resource kind {kind} not found")))
        })
    }

    /// Brings a changed object into the form of its kind, with its defaults.
    fn decode(&self, object: Map) -> Result<Map, ChangeError> {
        let decoded = match self.attributes.presented {
            Some(schema) => values::decode(object, schema),
            None => self.matched.resource.decode_changed(object),
        };
        let Decoded { mut object, .. } =
            decoded.map_err(|mismatch| ChangeError::Request(Failure::internal(mismatch.of_json)))?;
        if self.attributes.presented.is_none() {
            self.matched.resource.strategy.default(&mut object);
        }
        Ok(object)
    }
}
