//! [`check_kind`], the check that a JSON patch of a webhook or a policy has left an object what it was.

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Map, Target, text_at};
use serde_json::Value;

use super::Attributes;
use super::matching::Matched;
use crate::foreign_kind::{NamedKind, Unversioned, no_kind};
use crate::respond;
use crate::status::{Failure, Result};
use crate::webhook::printed_kind;

/// The author of a patch: errors of the conversion to the version of the request have words of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    Webhook,
    Policy,
}

impl Author {
    fn not_converted(self, problem: &str) -> Failure {
        match self {
            Author::Webhook => Failure::bare(500, problem),
            Author::Policy => Failure::internal(format!("failed to convert object: {problem}")),
        }
    }
}

/// Checks the apiVersion and kind of a patched object. Those of a built-in kind may be missing, since upstream's decoder
/// knows them; another version of the same kind is allowed.
///
/// # Errors
///
/// In upstream's words: 500, or 422 for another kind of a custom resource.
pub(super) fn check_kind(
    attributes: &Attributes<'_>,
    matched: &Matched,
    patched: &Value,
    author: Author,
) -> Result<()> {
    if let Some(problem) = no_kind(patched) {
        return Err(Failure::internal(format!("couldn't get version/kind; json parse error: {problem}")));
    }
    let Some(object) = patched.as_object() else { return Ok(()) };
    if matched.resource.is_custom() && attributes.presented.is_none() {
        check_custom(attributes, matched, object, author)
    } else {
        check_built_in(matched, object, author)
    }
}

fn check_built_in(matched: &Matched, object: &Map, author: Author) -> Result<()> {
    let api_version = matched.kind.api_version();
    let sent = (text_at(object, &["kind"]), text_at(object, &["apiVersion"]));
    let named = NamedKind::new((&matched.kind.kind, &api_version), sent, Unversioned::Expected);
    let named = named.map_err(Failure::internal)?;
    if named.is_expected() {
        return Ok(());
    }
    named.decode(object, || Value::Object(object.clone()).to_string()).map_err(Failure::internal)?;
    if author == Author::Policy
        && let Some(schema) = named.schema()
    {
        check_strictly(object, Target::Kind(schema))?;
    }
    named.check_convertible().map_err(|problem| author.not_converted(&problem))
}

/// Checks that an object has no fields that its kind does not know.
///
/// # Errors
///
/// 500 in upstream's words.
pub(super) fn check_strictly(object: &Map, target: Target) -> Result<()> {
    let text = respond::to_bytes(object);
    let unknown = values::strict_errors(&text, target);
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Failure::internal(format!("strict decoding error: {}", unknown.join(", "))))
}

fn check_custom(attributes: &Attributes<'_>, matched: &Matched, object: &Map, author: Author) -> Result<()> {
    let own = &matched.resource.info;
    let (kind, api_version) = (text_at(object, &["kind"]), text_at(object, &["apiVersion"]));
    if kind.is_empty() {
        let text = Value::Object(object.clone());
        return Err(Failure::internal(format!("Object 'Kind' is missing in '{text}'")));
    }
    if !matched.resource.versions().iter().any(|version| *version.api_version == *api_version) {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        return Err(author.not_converted(&if group == &*own.group {
            format!("request to convert CR from an invalid group/version: {api_version}")
        } else {
            let (found, wanted) = (printed_kind(object), attributes.resource.info.api_version());
            format!("{found} is unstructured and is not suitable for converting to {}", quoted(&wanted))
        }));
    }
    if kind != &*own.kind {
        let problem = FieldError::invalid("kind", kind, format!("must be {}", own.kind));
        let name = text_at(object, &["metadata", "name"]);
        return Err(Failure::invalid(&own.group, kind, name, &[problem]));
    }
    Ok(())
}
