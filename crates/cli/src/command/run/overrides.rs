//! Changes to the pod by `--overrides` (kubectl's `Overrider`).

use klient_apimachinery::Unstructured;
use klient_apimachinery::patch::json::{JsonPatch, JsonPatchError};
use klient_apimachinery::patch::{merge, strategic};
use serde_json::Value;

use crate::error::CliError;
use crate::go_form;

/// Applies JSON to a pod as a patch of a type: `json`, `merge` or `strategic`.
///
/// # Errors
///
/// If the type is another, the JSON is no patch of it, or the result is no pod.
pub(super) fn apply(pod: Unstructured, overrides: &str, kind: &str) -> Result<Unstructured, CliError> {
    if overrides.is_empty() {
        return Ok(pod);
    }
    let mut object = Value::Object(pod.0);
    match kind {
        "json" => {
            let patch = JsonPatch::parse_unchecked(overrides.as_bytes()).map_err(refused)?;
            patch.apply(&mut object).map_err(refused)?;
        }
        "merge" | "" => {
            let patch: Value =
                serde_json::from_str(overrides).map_err(|_| CliError::message("Invalid JSON Patch"))?;
            if !patch.is_object() && !patch.is_array() {
                return Err(CliError::message("Invalid JSON Patch"));
            }
            merge::apply(&mut object, &patch);
        }
        "strategic" => {
            let Ok(Value::Object(patch)) = serde_json::from_str(overrides) else {
                return Err(CliError::message("invalid JSON document"));
            };
            if let Value::Object(pod) = &mut object {
                let applied = strategic::apply(pod, patch, go_form::pod());
                applied.map_err(|error| CliError::Message(error.to_string()))?;
            }
        }
        kind => return Err(CliError::Message(format!("invalid override type: {kind}"))),
    }
    let Value::Object(object) = object else { return Err(CliError::message(NO_OBJECT)) };
    go_form::of(Unstructured(object)).map_err(|error| CliError::Message(error.of_json))
}

/// Converts the error of a JSON patch into the words of Go's library.
fn refused(error: JsonPatchError) -> CliError {
    CliError::Message(match error {
        JsonPatchError::Malformed(problem) | JsonPatchError::Failed { problem, .. } => problem,
        error => error.to_string(),
    })
}

const NO_OBJECT: &str = r#"couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
