//! Masking of the values of Secrets (kubectl's `Masker`).

use serde_json::{Map, Value};

const SAME: &str = "***";
const BEFORE: &str = "*** (before)";
const AFTER: &str = "*** (after)";

/// Replaces the values under `data` with `***`, or with `*** (before)` and `*** (after)` where they differ.
pub(super) fn secrets(before: Option<&mut Value>, after: Option<&mut Value>) {
    let mut none = [Map::new(), Map::new()];
    let [no_before, no_after] = &mut none;
    let before = before.and_then(data).unwrap_or(no_before);
    let after = after.and_then(data).unwrap_or(no_after);
    for (key, old) in before.iter_mut() {
        match after.get_mut(key) {
            Some(new) if new != old => {
                *old = BEFORE.into();
                *new = AFTER.into();
            }
            _ => *old = SAME.into(),
        }
    }
    for (_, new) in after.iter_mut().filter(|(_, new)| *new != AFTER) {
        *new = SAME.into();
    }
}

fn data(secret: &mut Value) -> Option<&mut Map<String, Value>> {
    secret.get_mut("data")?.as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_masked_and_differ_where_they_differ() {
        let mut before = json!({"data": {"same": "YQ==", "other": "YQ==", "gone": "YQ=="}, "type": "Opaque"});
        let mut after = json!({"data": {"same": "YQ==", "other": "Yg==", "new": "YQ=="}});
        secrets(Some(&mut before), Some(&mut after));
        let masked = json!({"same": "***", "other": "*** (before)", "gone": "***"});
        assert_eq!(before, json!({"data": masked, "type": "Opaque"}));
        assert_eq!(after, json!({"data": {"same": "***", "other": "*** (after)", "new": "***"}}));

        let mut created = json!({"data": {"a": "YQ=="}});
        secrets(None, Some(&mut created));
        assert_eq!(created, json!({"data": {"a": "***"}}));
        secrets(Some(&mut json!({})), Some(&mut json!({"data": null})));
    }
}
