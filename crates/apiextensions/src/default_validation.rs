//! Validation of the defaults in schemas.

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::embedded;
use super::path::{child, key};
use super::schema::schema_at;
use super::structural::Structural;
use super::validations::{self, Validations};

/// Validates the defaults of a schema, which is that of an object with metadata. `source` is the schema as JSON.
pub(super) fn validate(schema: &Structural, source: &Map, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    visit(schema, source, false, path, &mut errors);
    errors
}

fn visit(schema: &Structural, source: &Map, in_meta: bool, path: &str, errors: &mut Vec<FieldError>) {
    let in_meta = in_meta && !schema.embedded;
    if let Some(default) = &schema.default {
        let path = child(path, "default");
        if !in_meta && !schema.is_pruned(default) {
            errors.push(FieldError::invalid(&path, default.clone(), "must not have unknown fields"));
        }
        let mut found = default_errors(schema, default, &path);
        if found.is_empty() && validations::has_rules(source) {
            found = rule_errors(schema, source, default, &path);
        }
        errors.extend(found);
    }
    // Entries of maps are not validated, as upstream.
    if let (Some(items), Some(source)) = (&schema.items, schema_at(source, "items")) {
        visit(items, source, in_meta, &child(path, "items"), errors);
    }
    for (name, property) in &schema.properties {
        let Some(source) = schema_at(source, "properties").and_then(|properties| schema_at(properties, name))
        else {
            continue;
        };
        let is_meta = schema.embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
        visit(property, source, in_meta || is_meta, &key(&child(path, "properties"), name), errors);
    }
}

/// The errors of rules for a default: as an unchanged value, and as a new one.
fn rule_errors(schema: &Structural, source: &Map, default: &Value, path: &str) -> Vec<FieldError> {
    let Some(rules) = Validations::compile(source, schema.embedded) else { return Vec::new() };
    let errors = rules.validate_default(default, Some(default), schema, path).errors;
    if errors.is_empty() { rules.validate_default(default, None, schema, path).errors } else { errors }
}

fn default_errors(schema: &Structural, default: &Value, path: &str) -> Vec<FieldError> {
    if let Err(error) = schema.coerce_value(&mut default.clone(), path, &mut Vec::new()) {
        return vec![error];
    }
    let embedded = embedded::validate_value(default, schema, path);
    if embedded.is_empty() { schema.validate_value(default, path) } else { embedded }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(field: Value, errors: &[&str]) {
        let schema = json!({"type": "object", "properties": {"f": field}});
        let schema = schema.as_object().unwrap();
        let found = validate(&Structural::parse_for_defaults(schema), schema, "s");
        assert_eq!(found.iter().map(FieldError::to_string).collect::<Vec<_>>(), errors, "{schema:?}");
    }

    #[test]
    fn defaults_follow_their_schema() {
        check(json!({"type": "integer", "default": 1}), &[]);
        check(
            json!({"type": "integer", "default": "x"}),
            &[
                "s.properties[f].default: Invalid value: \"string\":  in body must be of type integer: \"string\"",
            ],
        );
        check(
            json!({"type": "object", "default": {"a": 0, "b": 1}, "properties": {"a": {"type": "integer", "minimum": 1}}}),
            &[
                "s.properties[f].default: Invalid value: {\"a\":0,\"b\":1}: must not have unknown fields",
                "s.properties[f].default.a: Invalid value: 0: a in body should be greater than or equal to 1",
            ],
        );
        check(
            json!({
                "type": "object", "default": {"z": 1}, "properties": {"a": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.z == 1"}],
            }),
            &[
                "s.properties[f].default: Invalid value: {\"z\":1}: must not have unknown fields",
                "s.properties[f].default: Invalid value: \"object\": rule compile error: compilation failed: ERROR: <input>:1:5: undefined field 'z'\n | self.z == 1\n | ....^",
            ],
        );
        check(
            json!({"type": "array", "items": {"type": "string", "default": 1}}),
            &[
                "s.properties[f].items.default: Invalid value: \"integer\":  in body must be of type string: \"integer\"",
            ],
        );
        check(
            json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "default": {"kind": "A"}}),
            &["s.properties[f].default.apiVersion: Required value"],
        );
    }
}
