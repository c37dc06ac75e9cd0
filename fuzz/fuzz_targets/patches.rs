//! Whatever patches a Deployment: an object or an error comes of it, and of two objects a patch that turns one into
//! the other.

#![no_main]

use klient_apimachinery::patch::{json::JsonPatch, merge, strategic};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: (&str, &str, &str)| {
    let [Ok(Value::Object(a)), Ok(Value::Object(b)), Ok(c)] = [input.0, input.1, input.2].map(serde_json::from_str) else {
        return;
    };
    let schema = klient_schema::kind("apps", "v1", "Deployment").expect("a built-in kind");

    let mut merged = Value::Object(a.clone());
    merge::apply(&mut merged, &c);
    assert_eq!(merged.is_object(), c.is_object());

    if let Ok(patch) = JsonPatch::parse(input.2.as_bytes()) {
        let mut patched = Value::Object(a.clone());
        if patch.apply(&mut patched).is_ok() {
            assert!(patched.is_object() || patched.is_array());
        }
    }
    let _ = strategic::apply(&mut a.clone(), b.clone(), schema);
    let _ = strategic::diff(&a, &b, schema);
    if let Value::Object(c) = c {
        let options = strategic::ThreeWayOptions { overwrite: false, preconditions: &[] };
        let _ = strategic::three_way(&a, &b, &c, schema, options);
        let _ = merge::three_way(&a, &b, &c, &[]);
    }
});
