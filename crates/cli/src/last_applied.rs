//! The annotation in which client-side apply keeps what it applied last.

use klient_apimachinery::{Object, Unstructured};
use serde_json::{Value, json};

use crate::print;

/// The annotation's key.
pub(crate) const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What was applied last, as the annotation has it; `None` if nothing was.
pub(crate) fn of(object: &Unstructured) -> Option<&str> {
    object.annotations().find(|(key, _)| *key == ANNOTATION).map(|(_, text)| text)
}

/// An object as its file has it, without the annotation but with an empty set of annotations where there is none.
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

/// Notes in an object what it says itself.
pub(crate) fn set(object: &mut Unstructured) {
    *object = without(object);
    let text = text(object);
    object.set_annotation(ANNOTATION, &text);
}

/// The same of an object of a built-in kind that flags describe: without an empty set of annotations, and in the order
/// of Go's struct.
pub(crate) fn set_built_in(object: &mut Unstructured) {
    let text = print::compact_built_in(object) + "\n";
    object.set_annotation(ANNOTATION, &text);
}

/// An object as the annotation has it.
pub(crate) fn text(object: &Unstructured) -> String {
    print::compact(&Value::Object(object.0.clone())) + "\n"
}
