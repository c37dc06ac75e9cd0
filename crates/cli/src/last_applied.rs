//! The annotation in which client-side apply keeps the configuration that was applied last.

use klient_apimachinery::{Object, Unstructured};
use serde_json::{Value, json};

use crate::print;

/// The annotation's key.
pub(crate) const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns the value of the annotation.
pub(crate) fn of(object: &Unstructured) -> Option<&str> {
    object.annotations().find(|(key, _)| *key == ANNOTATION).map(|(_, text)| text)
}

/// Returns an object without the annotation, and with an empty `metadata.annotations` if it has none.
pub(crate) fn without(object: &Unstructured) -> Unstructured {
    let mut object = object.clone();
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        match metadata.entry("annotations").or_insert_with(|| json!({})) {
            Value::Object(annotations) => drop(annotations.remove(ANNOTATION)),
            other => *other = json!({}),
        }
    }
    object
}

/// Sets the annotation of an object to the object itself.
pub(crate) fn set(object: &mut Unstructured) {
    *object = without(object);
    let text = text(object);
    object.set_annotation(ANNOTATION, &text);
}

/// As [`set`], for an object of a built-in kind made from flags: without an empty `annotations`, and with the field
/// order of Go's struct.
pub(crate) fn set_built_in(object: &mut Unstructured) {
    let text = print::compact_built_in(object) + "\n";
    object.set_annotation(ANNOTATION, &text);
}

/// Returns the value of the annotation for an object: compact JSON and a line break.
pub(crate) fn text(object: &Unstructured) -> String {
    print::compact(&Value::Object(object.0.clone())) + "\n"
}
