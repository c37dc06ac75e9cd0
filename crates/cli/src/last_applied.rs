//! The annotation in which client-side apply keeps what it applied last.

use klient_apimachinery::{Object, Unstructured};
use serde_json::{Map, Value, json};

use crate::print;

/// The annotation's key.
pub(crate) const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What was applied last; `None` if nothing was.
pub(crate) fn of(object: &Unstructured) -> Option<Map<String, Value>> {
    let (_, text) = object.annotations().find(|(key, _)| *key == ANNOTATION)?;
    // What nobody can read says nothing.
    Some(serde_json::from_str(text).unwrap_or_default())
}

/// Notes in an object what it says itself.
pub(crate) fn set(object: &mut Unstructured) {
    // kubectl notes an empty set of annotations where there is none.
    if let Some(metadata) = object["metadata"].as_object_mut() {
        match metadata.entry("annotations").or_insert_with(|| json!({})) {
            Value::Object(annotations) => drop(annotations.remove(ANNOTATION)),
            other => *other = json!({}),
        }
    }
    let text = print::compact(&Value::Object(object.0.clone())) + "\n";
    object.set_annotation(ANNOTATION, &text);
}
