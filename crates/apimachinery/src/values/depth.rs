//! The nesting of values.

use serde_json::Value;

use super::Map;

/// The maximum nesting of objects without their metadata. Decoders stop at 128, and lists and events are around the
/// object.
pub const MAX_OBJECT_DEPTH: usize = 100;

/// The maximum nesting of objects with their metadata: managed fields have a level for each of the object and five around
/// them, so that those of every object are allowed.
const MAX_METADATA_DEPTH: usize = 110;

/// The maximum nesting in parsed JSON. Deeper values are skipped: no object may be nested as deep, and Rust's stack is
/// smaller than Go's.
pub(super) const MAX_PARSE_DEPTH: usize = 127;

/// Returns true if an object is nested deeper than allowed.
pub fn is_too_deep(object: &Map) -> bool {
    let others = object.iter().filter(|(name, _)| *name != "metadata").map(|(_, value)| value);
    1 + deepest(others) > MAX_OBJECT_DEPTH || 1 + deepest(object.get("metadata")) > MAX_METADATA_DEPTH
}

/// Returns true if an object is nested deeper than the limit of [`parse`](super::parse), as the result of a patch can be.
pub fn exceeds_parse_depth(object: &Map) -> bool {
    deepest(object.values()) > MAX_PARSE_DEPTH
}

/// It does not recurse: values may be nested deep.
fn deepest<'a>(values: impl IntoIterator<Item = &'a Value>) -> usize {
    let mut open: Vec<(&Value, usize)> = values.into_iter().map(|value| (value, 0)).collect();
    let mut deepest = 0;
    while let Some((value, around)) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, around + 1))),
            Value::Object(entries) => open.extend(entries.values().map(|entry| (entry, around + 1))),
            _ => {
                deepest = deepest.max(around);
                continue;
            }
        }
        deepest = deepest.max(around + 1);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_deepest_part_counts() {
        for (value, expected) in
            [(json!(1), 0), (json!([]), 1), (json!({"a": 1, "b": [1, {}]}), 3), (json!([[[1]], 2]), 3)]
        {
            assert_eq!(deepest([&value]), expected, "{value}");
        }
        let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(!is_too_deep(nested(MAX_OBJECT_DEPTH).as_object().unwrap()));
        assert!(is_too_deep(nested(MAX_OBJECT_DEPTH + 1).as_object().unwrap()));
        for (depth, expected) in [(MAX_METADATA_DEPTH - 1, false), (MAX_METADATA_DEPTH, true)] {
            assert_eq!(is_too_deep(json!({"metadata": nested(depth)}).as_object().unwrap()), expected);
        }
    }
}
