//! The examples of RFC 6902, appendix A, and what the API server makes of what the RFC leaves open.

use serde_json::{Value, json};

use super::{JsonPatch, JsonPatchError, MAX_COPIED, MAX_DEPTH, MAX_OPERATIONS};

fn patched(mut document: Value, patch: &Value) -> Result<Value, String> {
    let patch = JsonPatch::parse(patch.to_string().as_bytes()).expect("a patch");
    match patch.apply(&mut document) {
        Ok(()) => Ok(document),
        Err(JsonPatchError::Failed { problem, .. }) => Err(problem),
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn check(document: Value, patch: Value, expected: Value) {
    assert_eq!(patched(document, &patch), Ok(expected));
}

#[track_caller]
fn fails(document: Value, operation: Value, problem: &str) {
    assert_eq!(patched(document, &json!([operation])), Err(problem.to_owned()));
}

#[test]
fn the_rfcs_examples_come_out_as_it_says() {
    check(
        json!({"foo": "bar"}),
        json!([{"op": "add", "path": "/baz", "value": "qux"}]),
        json!({"baz": "qux", "foo": "bar"}),
    );
    check(
        json!({"foo": ["bar", "baz"]}),
        json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
        json!({"foo": ["bar", "qux", "baz"]}),
    );
    check(
        json!({"baz": "qux", "foo": "bar"}),
        json!([{"op": "remove", "path": "/baz"}]),
        json!({"foo": "bar"}),
    );
    check(
        json!({"foo": ["bar", "qux", "baz"]}),
        json!([{"op": "remove", "path": "/foo/1"}]),
        json!({"foo": ["bar", "baz"]}),
    );
    check(
        json!({"baz": "qux", "foo": "bar"}),
        json!([{"op": "replace", "path": "/baz", "value": "boo"}]),
        json!({"baz": "boo", "foo": "bar"}),
    );
    check(
        json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
        json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
        json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
    );
    check(
        json!({"foo": ["all", "grass", "cows", "eat"]}),
        json!([{"op": "move", "from": "/foo/1", "path": "/foo/3"}]),
        json!({"foo": ["all", "cows", "eat", "grass"]}),
    );
    let document = json!({"baz": "qux", "foo": ["a", 2, "c"]});
    let tests = json!([
        {"op": "test", "path": "/baz", "value": "qux"},
        {"op": "test", "path": "/foo/1", "value": 2},
    ]);
    check(document.clone(), tests, document);
    fails(
        json!({"baz": "qux"}),
        json!({"op": "test", "path": "/baz", "value": "bar"}),
        "testing value /baz failed: test failed",
    );
    check(
        json!({"foo": "bar"}),
        json!([{"op": "add", "path": "/child", "value": {"grandchild": {}}}]),
        json!({"foo": "bar", "child": {"grandchild": {}}}),
    );
    check(
        json!({"foo": "bar"}),
        json!([{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]),
        json!({"foo": "bar", "baz": "qux"}),
    );
    fails(
        json!({"foo": "bar"}),
        json!({"op": "add", "path": "/baz/bat", "value": "qux"}),
        "add operation does not apply: doc is missing path: \"/baz/bat\": missing value",
    );
    let document = json!({"/": 9, "~1": 10});
    check(document.clone(), json!([{"op": "test", "path": "/~01", "value": 10}]), document.clone());
    fails(
        document,
        json!({"op": "test", "path": "/~01", "value": "10"}),
        "testing value /~01 failed: test failed",
    );
    check(
        json!({"foo": ["bar"]}),
        json!([{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]),
        json!({"foo": ["bar", ["abc", "def"]]}),
    );
    check(
        json!({"a": [1]}),
        json!([{"op": "copy", "from": "/a", "path": "/b"}, {"op": "add", "path": "/b/0", "value": 0}]),
        json!({"a": [1], "b": [0, 1]}),
    );
}

#[test]
fn the_servers_liberties_are_taken() {
    check(json!([1, 2, 3]), json!([{"op": "remove", "path": "/-1"}]), json!([1, 2]));
    check(json!([1, 2]), json!([{"op": "add", "path": "/-1", "value": 3}]), json!([1, 2, 3]));
    check(json!([1, 2]), json!([{"op": "add", "path": "/-3", "value": 0}]), json!([0, 1, 2]));
    check(json!([1, 2]), json!([{"op": "replace", "path": "/+01", "value": 3}]), json!([1, 3]));
    check(json!({}), json!([{"op": "replace", "path": "/a", "value": 1}]), json!({"a": 1}));
    check(json!({}), json!([{"op": "test", "path": "/a", "value": null}]), json!({}));
    check(json!({}), json!([{"op": "test", "path": "/a"}]), json!({}));
    check(json!({}), json!([{"op": "copy", "from": "/a", "path": "/b"}]), json!({"b": null}));
    check(json!({}), json!([{"op": "add", "path": "/a"}]), json!({"a": null}));
    check(json!({}), json!([{"op": "add", "path": "ignored/a", "value": 1}]), json!({"a": 1}));
    check(json!({"": 1}), json!([{"op": "remove", "path": "/"}]), json!({}));
    check(json!({"a": 1}), json!([{"op": "replace", "path": "", "value": [2]}]), json!([2]));
    check(json!({"a": 1}), json!([{"op": "test", "path": "", "value": {"a": 1}}]), json!({"a": 1}));
    check(json!({}), json!(null), json!({}));
}

#[test]
fn what_does_not_apply_is_told_in_the_servers_words() {
    for (document, operation, problem) in [
        (
            json!({}),
            json!({"op": "remove", "path": "/a"}),
            "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
        ),
        (
            json!([1]),
            json!({"op": "add", "path": "/3", "value": 1}),
            "error in add for path: '/3': Unable to access invalid index: 3: invalid index referenced",
        ),
        (
            json!([1]),
            json!({"op": "add", "path": "/-3", "value": 1}),
            "error in add for path: '/-3': Unable to access invalid index: -3: invalid index referenced",
        ),
        (
            json!([1]),
            json!({"op": "add", "path": "/x", "value": 1}),
            "error in add for path: '/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": \
             invalid syntax",
        ),
        (
            json!([1]),
            json!({"op": "remove", "path": "/99999999999999999999"}),
            "error in remove for path: '/99999999999999999999': strconv.Atoi: parsing \"99999999999999999999\": \
             value out of range",
        ),
        (
            json!([1]),
            json!({"op": "replace", "path": "/1", "value": 1}),
            "replace operation does not apply: doc is missing key: /1: missing value",
        ),
        (
            json!({"a": 1}),
            json!({"op": "replace", "path": "/a/b", "value": 1}),
            "replace operation does not apply: doc is missing path: /a/b: missing value",
        ),
        (
            json!({"a": 1}),
            json!({"op": "replace", "path": "", "value": 1}),
            "replace operation value must be object or array: %!w(<nil>)",
        ),
        (
            json!({"a": {}}),
            json!({"op": "move", "from": "/a", "path": "/a/b"}),
            "move operation does not apply: doc is missing destination path: /a/b: missing value",
        ),
        (
            json!({}),
            json!({"op": "move", "from": "/a", "path": "/b"}),
            "error in move for path: 'a': Unable to remove nonexistent key: a: missing value",
        ),
        (
            json!({}),
            json!({"op": "copy", "from": "/a/b", "path": "/b"}),
            "copy operation does not apply: doc is missing from path: /a/b: missing value",
        ),
        (json!({"a": 1}), json!({"op": "test", "path": "/a"}), "testing value /a failed: test failed"),
        (
            json!({"a": 1}),
            json!({"op": "test", "path": "/a", "value": 1.0}),
            "testing value /a failed: test failed",
        ),
        (
            json!({}),
            json!({"op": "add", "path": "", "value": 1}),
            "add operation does not apply: doc is missing path: \"\": missing value",
        ),
        (json!({}), json!({"op": "jump", "path": "/a"}), "Unexpected kind: jump"),
        (json!({}), json!({}), "Unexpected kind: unknown"),
        (json!({}), json!({"op": "add"}), "add operation failed to decode path: missing value"),
        (
            json!({}),
            json!({"op": "test"}),
            "test operation failed to decode path: operation missing path field: missing value",
        ),
        (
            json!({}),
            json!({"op": "move", "path": "/a"}),
            "move operation failed to decode from: operation, missing from field: missing value",
        ),
    ] {
        fails(document, operation, problem);
    }
    let second = JsonPatch::parse(br#"[{"op":"add","path":"/a","value":1},{"op":"jump"}]"#).expect("a patch");
    assert_eq!(
        second.apply(&mut json!({})).unwrap_err().to_string(),
        "operation 1 does not apply: Unexpected kind: jump"
    );
}

#[test]
fn what_is_no_patch_is_refused() {
    for (body, problem) in [
        (json!({}), "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (json!([1]), "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        (
            json!([{"op": 1}]),
            "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
        ),
        (
            json!([{"op": "add", "path": ["a"]}]),
            "json: cannot unmarshal array into Go struct field jsonPatchOp.path of type string",
        ),
    ] {
        let refused = JsonPatch::parse(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(refused.to_string(), format!("error decoding patch: {problem}"));
    }
    assert!(matches!(JsonPatch::parse(b"[{]"), Err(JsonPatchError::Syntax(_))));
}

#[test]
fn operations_are_bounded() {
    let patch = |count| Value::Array(vec![json!({"op": "test", "path": "/a"}); count]).to_string();
    assert!(JsonPatch::parse(patch(MAX_OPERATIONS).as_bytes()).is_ok());
    assert_eq!(
        JsonPatch::parse(patch(MAX_OPERATIONS + 1).as_bytes()).unwrap_err().to_string(),
        "The allowed maximum operations in a JSON patch is 10000, got 10001"
    );
}

#[test]
fn copies_are_bounded_together() {
    // With its quotes the text has a third of what is allowed.
    let document = json!({"a": "x".repeat(MAX_COPIED / 3 - 2)});
    let copy = |to: &str| json!({"op": "copy", "from": "/a", "path": to});
    assert!(patched(document.clone(), &json!([copy("/b"), copy("/c"), copy("/d")])).is_ok());
    let one_more =
        json!([copy("/b"), copy("/c"), copy("/d"), {"op": "copy", "from": "/e", "path": "/f"}, copy("/g")]);
    assert_eq!(
        patched(document, &one_more).unwrap_err(),
        "Unable to complete the copy, the accumulated size increase of copy is 4194304, exceeding the limit 3145728"
    );
    // Counted as Go writes it.
    let document = json!({"a": "<".repeat(MAX_COPIED / 6)});
    assert!(patched(document, &json!([copy("/b")])).is_err());
}

#[test]
fn values_can_not_be_nested_without_end() {
    let doubling = json!([{"op": "copy", "from": "/a", "path": "/a/a/a/a/a/a/a/a/a/a"}]);
    let mut document = json!({"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}}});
    let mut path = "/a/a/a/a/a/a/a/a/a/a".to_owned();
    assert!(patched(document.clone(), &doubling).is_ok());
    let problem = loop {
        let copy = json!([{"op": "copy", "from": "/a", "path": path}]);
        match patched(document, &copy) {
            Ok(deeper) => document = deeper,
            Err(problem) => break problem,
        }
        path.push_str(&path.clone()["/a".len()..]);
        assert!(path.len() < 4 * MAX_DEPTH);
    };
    assert!(problem.ends_with("400 are allowed"), "{problem}");
}
