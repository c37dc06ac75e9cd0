//! The part of a Pod that its `resize` subresource can change.

use serde_json::Value;

use klient_apimachinery::values::{Map, at, list_at, map_at, set};

/// Copies the resources and resize policies of a new Pod to a Pod. If its containers differ from those of the Pod,
/// they are all copied, for validation to reject them.
pub(super) fn take_resources(pod: &mut Map, new: &Map) {
    let spec = map_at(pod, "spec");
    for list in ["containers", "initContainers"] {
        let (new, old) = (list_at(new, &["spec", list]), list_at(spec, &[list]));
        let has_same_name = |(new, old): (&Value, &Value)| new.get("name") == old.get("name");
        if new.len() != old.len() || !new.iter().zip(old).all(has_same_name) {
            spec.insert(list.to_owned(), new.into());
            continue;
        }
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, new) in containers.filter_map(Value::as_object_mut).zip(new) {
            for field in ["resources", "resizePolicy"] {
                set(container, field, new.get(field));
            }
        }
    }
    // A client that does not know Pod-level resources does not remove them.
    if let Some(resources) = at(new, &["spec", "resources"]) {
        spec.insert("resources".to_owned(), resources.clone());
    }
}
