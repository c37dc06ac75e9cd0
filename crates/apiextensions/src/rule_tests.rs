//! Definitions and objects with the answers of Kubernetes, recorded with `cargo xtask e2e cel`.

use std::path::Path;

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;
use serde_json::{Value, json};

use super::definition;
use super::ratcheting::COMPARISONS;
use super::structural::Structural;
use super::validations::Validations;

fn lines(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sorted(errors: &[FieldError]) -> Value {
    let mut errors: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    errors.sort();
    json!(errors)
}

fn definition_with(schema: &Value) -> Map {
    let mut object = json!({
        "metadata": {"name": "rules.klient.test"},
        "spec": {
            "group": "klient.test", "scope": "Namespaced", "names": {"plural": "rules", "kind": "Rule"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    });
    let object = object.as_object_mut().unwrap();
    definition::default(object);
    std::mem::take(object)
}

#[test]
fn rules_of_definitions_are_refused_in_the_words_of_kubernetes() {
    let mut wrong = Vec::new();
    for line in lines("definitions.jsonl") {
        let ours = sorted(&definition::validate(&definition_with(&line["definition"])));
        if ours != line["answer"] {
            wrong.push(format!("{}\n  {ours:#}\n  instead of {:#}", line["definition"], line["answer"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_of_objects_are_broken_in_the_words_of_kubernetes() {
    let mut wrong = Vec::new();
    let mut context: Option<(Structural, Validations)> = None;
    for line in lines("objects.jsonl") {
        if let Some(schema) = line["schema"].as_object() {
            context = Some((Structural::parse(schema), Validations::compile(schema, true).unwrap()));
            continue;
        }
        let (schema, rules) = context.as_ref().unwrap();
        let (object, old) = (line["object"].as_object().unwrap(), line["old"].as_object());
        let outcome = match line["budget"].as_u64() {
            Some(budget) => rules.validate_within(object, old, schema, budget),
            None => rules.validate(object, old, schema),
        };
        let rest = outcome.rest.map_or(-1, |rest| i64::try_from(rest).unwrap());
        let ours = json!({"errors": sorted(&outcome.errors), "rest": rest});
        if ours != line["answer"] {
            wrong.push(format!("{}\n  {ours:#}\n  instead of {:#}", line, line["answer"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_go_unchecked_when_other_errors_block_them() {
    let schema = json!({"type": "object", "properties": {"spec": {
        "type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.a > 0"}],
    }}});
    let mut object = definition_with(&schema);
    definition::prepare(&mut object, None);
    let definition = definition::Definition::parse(&object).unwrap();
    let errors = |object: Value| -> Vec<String> {
        let errors = definition.versions[0].validate(object.as_object().unwrap(), Vec::new());
        errors.iter().map(FieldError::to_string).collect()
    };
    assert_eq!(
        errors(json!({"spec": {}})),
        [
            "spec.a: Required value",
            "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        ]
    );
    assert_eq!(errors(json!({"spec": {"a": 0}})), ["spec: Invalid value: failed rule: self.a > 0"]);
    assert_eq!(errors(json!({"spec": {"a": 1}})), Vec::<String>::new());
}

#[test]
fn a_list_whose_items_break_a_rule_is_compared_with_the_old_one_once() {
    let rules = json!([{"rule": "self > 5"}]);
    let schema = json!({"type": "object", "properties": {
        "l": {"type": "array", "items": {"type": "integer", "x-kubernetes-validations": rules}},
        "m": {"type": "object", "additionalProperties": {"type": "integer", "x-kubernetes-validations": rules}},
    }});
    let schema = schema.as_object().unwrap();
    let (structural, rules) = (Structural::parse(schema), Validations::compile(schema, true).unwrap());
    let map: Map = (0..500).map(|index| (format!("k{index}"), json!(1))).collect();
    let object = json!({"l": vec![1; 1000], "m": map});
    let compared = |old: &Value| {
        COMPARISONS.set(0);
        let outcome = rules.validate(object.as_object().unwrap(), old.as_object(), &structural);
        (outcome.errors.len(), outcome.ratcheted.len(), COMPARISONS.get())
    };
    // The list, and each entry of the map.
    assert_eq!(compared(&object), (0, 1500, 501));
    let mut old = object.clone();
    old["l"][999] = 2.into();
    old["m"].as_object_mut().unwrap().retain(|key, _| key == "k0");
    // New entries ask for the whole map, which has not the size of the old one.
    assert_eq!(compared(&old), (1499, 1, 3));
}
