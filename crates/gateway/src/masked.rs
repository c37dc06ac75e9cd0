//! Secrets without their values.

use serde_json::{Map, Value};

/// The text in place of a value.
const MASK: &str = "(hidden)";

/// The annotation in which kubectl keeps the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Removes the values of a Secret from it; the keys stay.
pub(crate) fn mask(object: &mut Value) {
    for field in ["data", "stringData"] {
        if let Some(values) = object.get_mut(field).and_then(Value::as_object_mut) {
            values.values_mut().for_each(|value| *value = MASK.into());
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(value) = annotations.and_then(|annotations: &mut Map<_, _>| annotations.get_mut(LAST_APPLIED))
    {
        *value = MASK.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_keys_stay_and_no_value_is_left() {
        let mut secret = json!({
            "metadata": {"name": "db", "annotations": {"a": "b", LAST_APPLIED: "{\"data\":{\"password\":\"cGFzcw==\"}}"}},
            "data": {"password": "cGFzcw=="},
            "stringData": {"user": "lovelace"},
        });
        mask(&mut secret);
        let text = secret.to_string();
        assert!(
            text.contains("password") && !text.contains("cGFzcw") && !text.contains("lovelace"),
            "{text}"
        );
        assert_eq!(secret["metadata"]["annotations"]["a"], "b");
    }
}
