//! What two JSON values differ in.

use serde_json::Value;

/// A line for each place at which two values differ.
pub(crate) fn diff(place: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    match (ours, theirs) {
        (ours, theirs) if ours == theirs => Vec::new(),
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut lines = Vec::new();
            for (name, value) in ours {
                match theirs.get(name) {
                    Some(other) => lines.append(&mut diff(&format!("{place}.{name}"), value, other)),
                    None => lines.push(format!("{place}.{name}\n    - {value}")),
                }
            }
            let only_theirs = theirs.iter().filter(|(name, _)| !ours.contains_key(*name));
            lines.extend(only_theirs.map(|(name, value)| format!("{place}.{name}\n    + {value}")));
            lines
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.flat_map(|(at, (ours, theirs))| diff(&format!("{place}[{at}]"), ours, theirs)).collect()
        }
        (ours, theirs) => vec![format!("{place}\n    - {ours}\n    + {theirs}")],
    }
}

#[test]
fn places_that_differ_are_named() {
    let ours = serde_json::json!({"a": 1, "b": [1, {"c": 2}], "d": [1]});
    let theirs = serde_json::json!({"b": [1, {"c": 3}], "d": [1, 2], "e": null});
    assert_eq!(
        diff("x", &ours, &theirs),
        ["x.a\n    - 1", "x.b[1].c\n    - 2\n    + 3", "x.d\n    - [1]\n    + [1,2]", "x.e\n    + null",]
    );
}
