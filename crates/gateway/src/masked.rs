//! Secrets without their values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The text in place of a value.
const MASK: &str = "(hidden)";

/// The beginnings of annotations in which a tool keeps a whole object, such as kubectl the one that was applied last: JSON, or
/// base64 of gzip.
const OBJECTS: [&str; 3] = ["{", "[", "H4sI"];

/// Removes the values of a Secret from it; the keys stay.
pub(crate) fn mask(object: &mut Value) {
    let mut values = Vec::new();
    for field in ["data", "stringData"] {
        for (_, value) in object.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
            let value = std::mem::replace(value, MASK.into());
            let Value::String(text) = value else { continue };
            let decoded = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            // Shorter ones are in words that have nothing to do with them.
            values.extend(decoded.into_iter().chain([text]).filter(|text| text.len() >= 4));
        }
    }
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    for (_, annotation) in annotations.into_iter().flatten() {
        let text = annotation.as_str().unwrap_or_default();
        let is_object = OBJECTS.iter().any(|begin| text.trim_start().starts_with(begin));
        if is_object || values.iter().any(|value| text.contains(&**value)) {
            *annotation = MASK.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_keys_stay_and_no_value_is_left() {
        let mut secret = json!({
            "metadata": {"name": "db", "annotations": {
                "a": "b",
                "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"password\":\"cGFzcw==\"}}",
                "kapp.k14s.io/original": "\n{\"stringData\":{\"password\":\"pass\"}}",
                "objectset.rio.cattle.io/applied": "H4sIAAAAAAAA",
                "example.com/manifest": "data:\n  password: cGFzcw==\n",
                "example.com/copy": "it is pass",
                "example.com/version": "1.2",
            }},
            "data": {"password": "cGFzcw==", "on": "MQ=="},
            "stringData": {"user": "lovelace"},
        });
        mask(&mut secret);
        let text = secret.to_string();
        for value in ["cGFzcw", "it is", "lovelace", "H4sI"] {
            assert!(!text.contains(value), "{value} in {text}");
        }
        assert_eq!(secret["data"], json!({"password": MASK, "on": MASK}));
        assert_eq!(secret["metadata"]["annotations"]["example.com/version"], "1.2");
        assert_eq!(secret["metadata"]["annotations"]["a"], "b");
        assert_eq!(secret["metadata"]["annotations"]["kapp.k14s.io/original"], MASK);
    }
}
