//! Errors for objects that violate their schema, as kube-apiserver words them.

use klient_apimachinery::validation::field::FieldError;
use serde_json::{Value, json};

use super::structural::Structural;

#[track_caller]
fn schema(schema: Value) -> Structural {
    Structural::parse(schema.as_object().unwrap())
}

fn said(errors: Vec<FieldError>) -> Vec<String> {
    errors.iter().map(FieldError::to_string).collect()
}

/// Validates an object of one field, `spec`, against a schema of that field.
#[track_caller]
fn check(spec: Value, value: Value, errors: &[&str]) {
    let schema = schema(json!({"type": "object", "properties": {"spec": spec}}));
    let object = json!({"spec": value});
    assert_eq!(said(schema.validate(object.as_object().unwrap())), errors, "{object}");
}

#[test]
fn numbers_are_compared_in_their_own_type() {
    let spec = |rules: Value| json!({"type": "object", "properties": {"x": rules}});
    let x = |value: Value| json!({"x": value});
    check(
        spec(json!({"type": "integer", "minimum": 1})),
        x(json!(0)),
        &["spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1"],
    );
    check(
        spec(json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true})),
        x(json!(1)),
        &["spec.x: Invalid value: 1: spec.x in body should be greater than 1"],
    );
    check(
        spec(json!({"type": "number", "maximum": 2.5})),
        x(json!(2.75)),
        &["spec.x: Invalid value: 2.75: spec.x in body should be less than or equal to 2.5"],
    );
    check(
        spec(json!({"type": "number", "maximum": 2.5})),
        x(json!(3)),
        &["spec.x: Invalid value: 3: spec.x in body should be less than or equal to 2"],
    );
    check(
        spec(json!({"type": "integer", "multipleOf": 5})),
        x(json!(7)),
        &["spec.x: Invalid value: 7: spec.x in body should be a multiple of 5"],
    );
    check(spec(json!({"type": "number", "multipleOf": 0.1})), x(json!(0.3)), &[]);
    check(
        spec(json!({"type": "number", "multipleOf": 0.5})),
        x(json!(2)),
        &["spec.x: Invalid value: 0: factor MultipleOf declared for spec.x must be positive: 0"],
    );
    check(
        spec(json!({"type": "integer", "format": "int32"})),
        x(json!(3_000_000_000_u64)),
        &["<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.x"],
    );
    check(spec(json!({"type": "integer"})), x(json!(1.0)), &[]);
    check(
        spec(json!({"type": "integer"})),
        x(json!(1.5)),
        &[
            "spec.x: Invalid value: \"number\": spec.x in body must be of type integer: \"number\"",
            "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec.x",
        ],
    );
    check(spec(json!({"type": "number"})), x(json!(1)), &[]);
}

#[test]
fn types_are_named_in_place_of_values() {
    check(
        json!({"type": "integer"}),
        json!("one"),
        &["spec: Invalid value: \"string\": spec in body must be of type integer: \"string\""],
    );
    check(
        json!({"type": "string"}),
        Value::Null,
        &["spec: Invalid value: \"null\": spec in body must be of type string: \"null\""],
    );
    check(json!({"type": "string", "nullable": true}), Value::Null, &[]);
    check(json!({"x-kubernetes-int-or-string": true}), json!("a"), &[]);
    check(
        json!({"x-kubernetes-int-or-string": true}),
        json!(true),
        &["spec: Invalid value: \"boolean\": spec in body must be of type integer,string: \"boolean\""],
    );
    check(
        json!({"type": "object"}),
        json!([1]),
        &["spec: Invalid value: \"array\": spec in body must be of type object: \"array\""],
    );
    check(
        json!({"type": "string", "format": "date"}),
        json!(5),
        &["spec: Invalid value: \"int64\": spec in body must be of type date: \"int64\""],
    );
    check(json!({"type": "string", "format": "date"}), json!([5]), &[]);
}

#[test]
fn texts_are_compared_with_the_first_rule_they_break() {
    check(
        json!({"type": "string", "maxLength": 2, "pattern": "^x$"}),
        json!("abc"),
        &["spec: Too long: may not be more than 2 bytes"],
    );
    check(
        json!({"type": "string", "minLength": 2}),
        json!("é"),
        &["spec: Invalid value: \"é\": spec in body should be at least 2 chars long"],
    );
    check(
        json!({"type": "string", "pattern": "^[a-z]+$"}),
        json!("A"),
        &["spec: Invalid value: \"A\": spec in body should match '^[a-z]+$'"],
    );
    check(
        json!({"type": "string", "format": "date-time"}),
        json!("soon"),
        &["spec: Invalid value: \"soon\": spec in body must be of type date-time: \"soon\""],
    );
    check(json!({"type": "string", "format": "colour"}), json!("red"), &[]);
    check(
        json!({"type": "string", "enum": ["b", "c"]}),
        json!("a"),
        &["spec: Unsupported value: \"a\": supported values: \"b\", \"c\""],
    );
    check(
        json!({"type": "integer", "enum": [1, 2]}),
        json!(3),
        &["spec: Unsupported value: 3: supported values: \"1\", \"2\""],
    );
}

#[test]
fn lists_and_objects_are_counted() {
    check(
        json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1}),
        json!([1, "a"]),
        &[
            "spec[1]: Invalid value: \"string\": spec[1] in body must be of type integer: \"string\"",
            "spec: Too many: 2: must have at most 1 item",
        ],
    );
    check(
        json!({"type": "array", "minItems": 1}),
        json!([]),
        &["spec: Invalid value: 0: spec in body should have at least 1 items"],
    );
    check(
        json!({"type": "array", "uniqueItems": true}),
        json!([1, 1]),
        &["spec: Invalid value: \"\": spec in body shouldn't contain duplicates"],
    );
    check(
        json!({"type": "object", "minProperties": 1}),
        json!({}),
        &["spec: Invalid value: 0: spec in body should have at least 1 properties"],
    );
    check(
        json!({"type": "object", "maxProperties": 2}),
        json!({"a": 1, "b": 2, "c": 3}),
        &["spec: Too many: 3: must have at most 2 items"],
    );
    check(
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
        json!({"a": 1}),
        &["spec.a: Invalid value: \"integer\": spec.a in body must be of type string: \"integer\""],
    );
    check(
        json!({"additionalProperties": false, "properties": {"a": {}}}),
        json!({"a": 1, "b": 2}),
        &["spec: Invalid value: \"b\": spec.b in body is a forbidden property"],
    );
    check(json!({"type": "object", "required": ["size"]}), json!({}), &["spec.size: Required value"]);
}

#[test]
fn the_type_of_the_whole_object_is_not_missed() {
    let schema = schema(json!({"type": "object", "required": ["apiVersion", "kind", "spec"]}));
    assert_eq!(said(schema.validate(json!({}).as_object().unwrap())), ["spec: Required value"]);
}

#[test]
fn of_several_schemas_the_nearest_is_quoted() {
    let sizes = json!([
        {"required": ["a"], "properties": {"a": {"minimum": 5}, "b": {"minimum": 5}}},
        {"required": ["c"]},
    ]);
    check(
        json!({"type": "object", "oneOf": sizes}),
        json!({"a": 1, "b": 9}),
        &[
            "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid",
            "spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 5",
        ],
    );
    check(
        json!({"type": "object", "oneOf": sizes}),
        json!({"a": 6, "c": 6}),
        &[
            "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ],
    );
    check(
        json!({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        json!({}),
        &[
            "<nil>: Invalid value: \"\": \"spec\" must validate at least one schema (anyOf)",
            "spec.a: Required value",
        ],
    );
    check(
        json!({"type": "object", "allOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        json!({"a": 1}),
        &[
            "spec.b: Required value",
            "<nil>: Invalid value: \"\": \"spec\" must validate all the schemas (allOf)",
        ],
    );
    check(
        json!({"type": "object", "allOf": [{"required": ["b"]}]}),
        json!({"a": 1}),
        &[
            "spec.b: Required value",
            "<nil>: Invalid value: \"\": \"spec\" must validate all the schemas (allOf). None validated",
        ],
    );
    check(
        json!({"type": "object", "not": {"required": ["a"]}}),
        json!({"a": 1}),
        &["<nil>: Invalid value: \"\": \"spec\" must not validate the schema (not)"],
    );
}

#[test]
fn items_of_sets_and_maps_differ() {
    let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    check(set, json!(["a", "b", "a", "a"]), &["spec[2]: Duplicate value: \"a\""]);
    let map = |keys: &[&str]| json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, "items": {"type": "object"}});
    check(
        map(&["name"]),
        json!([{"name": "a", "x": 1}, {"name": "a", "x": 2}]),
        &["spec[1]: Duplicate value: {\"name\":\"a\"}"],
    );
    check(
        map(&["port", "proto"]),
        json!([{"port": 1}, {"port": 1, "proto": "u"}, {"port": 1}]),
        &["spec[2]: Duplicate value: {\"port\":1}"],
    );
}

#[test]
fn embedded_resources_say_what_they_are() {
    let pod = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
    check(pod.clone(), json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}), &[]);
    check(
        pod,
        json!({"apiVersion": "a/b/c", "metadata": {"name": "a/b", "labels": {"x": "y z"}}}),
        &[
            "spec.kind: Required value",
            "spec.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c",
            "spec.metadata.name: Invalid value: \"a/b\": may not contain '/'",
            "spec.metadata.labels: Invalid value: \"y z\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ],
    );
}

#[test]
fn metadata_of_embedded_resources_is_brought_into_form() {
    let schema = schema(json!({"properties": {"list": {"items": {"x-kubernetes-embedded-resource": true}}}}));
    let mut object =
        json!({"metadata": {"odd": 1}, "list": [{"metadata": {"name": "a", "odd": 1, "labels": {}}}]});
    let unknown = schema.coerce(object.as_object_mut().unwrap());
    assert_eq!(unknown, Ok(vec!["list[0].metadata.odd".to_owned()]));
    assert_eq!(object, json!({"metadata": {"odd": 1}, "list": [{"metadata": {"name": "a"}}]}));
    let mut object = json!({"list": [{"metadata": {"name": 1}}]});
    assert_eq!(
        schema.coerce(object.as_object_mut().unwrap()).unwrap_err().to_string(),
        "list[0].metadata: Invalid value: {\"name\":1}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string",
    );
}

#[test]
fn what_was_wrong_before_may_stay() {
    let schema = schema(json!({"type": "object", "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "minimum": 1},
            "names": {"type": "array", "items": {"type": "string", "maxLength": 1}},
            "ports": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "properties": {"name": {"type": "string"}, "port": {"type": "integer", "minimum": 1}}},
            },
        }},
        "status": {"type": "object", "properties": {"phase": {"type": "string", "enum": ["Ready"]}}},
    }}));
    let old = json!({"spec": {"size": 0, "names": ["aa"], "ports": [{"name": "a", "port": 0}, {"name": "b", "port": 0}]}});
    let old = old.as_object().unwrap();
    for (new, errors) in [
        (json!({"spec": old["spec"], "metadata": {"labels": {}}}), &[][..]),
        (json!({"spec": {"size": 0, "other": 1}}), &[]),
        (
            json!({"spec": {"size": -1}}),
            &["spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 1"],
        ),
        (json!({"spec": {"names": ["aa"]}}), &["spec.size: Required value"]),
        (
            json!({"spec": {"size": 1, "names": ["aa", "b"]}}),
            &["spec.names[0]: Too long: may not be more than 1 bytes"],
        ),
        (
            json!({"spec": {"size": 1, "ports": [{"name": "b", "port": 0}, {"name": "c", "port": 0}]}}),
            &[
                "spec.ports[1].port: Invalid value: 0: spec.ports[1].port in body should be greater than or equal to 1",
            ],
        ),
    ] {
        assert_eq!(said(schema.validate_update(new.as_object().unwrap(), old)), errors, "{new}");
    }
    let status = |phase: &str| json!({"status": {"phase": phase}});
    let (odd, wrong) = (status("Odd"), status("Wrong"));
    assert_eq!(schema.validate_status(odd.as_object().unwrap(), odd.as_object().unwrap()), []);
    assert_eq!(
        said(schema.validate_status(wrong.as_object().unwrap(), odd.as_object().unwrap())),
        ["status.phase: Unsupported value: \"Wrong\": supported values: \"Ready\"",]
    );
}

#[test]
fn hostile_depth_is_borne() {
    let mut deep = json!({"type": "object"});
    let mut value = json!({});
    for _ in 0..120 {
        deep = json!({"type": "object", "properties": {"a": deep}, "anyOf": [{"required": ["b"]}, {"required": ["a"]}, {}]});
        value = json!({"a": value});
    }
    let schema = schema(deep);
    let mut object = value.as_object().unwrap().clone();
    assert_eq!(schema.prune(&mut object), Vec::<String>::new());
    schema.drop_nulls(&mut object);
    schema.default(&mut object);
    assert_eq!(schema.validate(&object), []);
    assert_eq!(schema.validate_update(&object, &object), []);
}
