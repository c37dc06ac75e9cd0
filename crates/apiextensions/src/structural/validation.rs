//! The rules of structural schemas: every field has a type, outside of `allOf` and the like.

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, text_at};
use klient_cel::Pattern;
use serde_json::{Value, json};

use crate::path::{child, key};
use crate::schema::{flag, list, schema_at, schemas};

/// The position of a schema.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

/// The violations of the rules of structural schemas, sorted.
pub(crate) fn validate(schema: &Map, path: &str) -> Vec<FieldError> {
    validate_with(Structure { checks_patterns: true, ..Structure::default() }, schema, path)
}

/// Returns true if an accepted schema is a structural one. Its patterns have been checked, which takes long.
pub(crate) fn is_structural(schema: &Map) -> bool {
    validate_with(Structure::default(), schema, "").is_empty()
}

fn validate_with(mut rules: Structure, schema: &Map, path: &str) -> Vec<FieldError> {
    rules.schema(schema, Level::Root, path);
    rules.complete(schema, schema, path, path);
    rules.errors.sort_by_cached_key(FieldError::to_string);
    rules.errors
}

#[derive(Default)]
struct Structure {
    errors: Vec<FieldError>,
    checks_patterns: bool,
}

impl Structure {
    fn forbid(&mut self, path: &str, name: &str, message: &str) {
        self.errors.push(FieldError::forbidden(child(path, name), message));
    }

    fn require(&mut self, path: &str, name: &str, message: &str) {
        self.errors.push(FieldError::required(child(path, name), message));
    }

    fn refuse(&mut self, path: String, value: impl Into<Value>, message: &str) {
        self.errors.push(FieldError::invalid(path, value, message));
    }

    fn schema(&mut self, schema: &Map, level: Level, path: &str) {
        self.children(schema, level, path);
        self.extensions(schema, path);
        let int_or_string = json!([{"type": "integer"}, {"type": "string"}]);
        let exempt = Exempt {
            any_of: schema.get("anyOf") == Some(&int_or_string),
            first_any_of: schema.get("allOf").and_then(|all| all.get(0)?.get("anyOf"))
                == Some(&int_or_string),
        };
        self.value_rules(schema, exempt, path);
        self.type_of(schema, level, path);
        self.metadata(schema, level, path);
        let embedded = flag(schema, "x-kubernetes-embedded-resource");
        let open = flag(schema, "x-kubernetes-preserve-unknown-fields");
        if embedded && !open && schemas(schema, "properties").next().is_none() {
            self.require(
                path,
                "properties",
                "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
            );
        }
    }

    fn children(&mut self, schema: &Map, level: Level, path: &str) {
        match schema_at(schema, "items") {
            Some(items) => self.schema(items, Level::Item, &child(path, "items")),
            None if text_at(schema, &["type"]) == "array" => self.require(path, "items", "must be specified"),
            None => {}
        }
        for (name, schema) in schemas(schema, "properties") {
            self.schema(schema, Level::Field, &key(&child(path, "properties"), name));
        }
        if schema.contains_key("additionalProperties") {
            if level == Level::Root {
                self.forbid(path, "additionalProperties", "must not be used at the root");
            }
            if flag(schema, "x-kubernetes-embedded-resource") {
                self.forbid(
                    path,
                    "additionalProperties",
                    "must not be used if x-kubernetes-embedded-resource is set",
                );
            }
        }
        if let Some(additional) = schema_at(schema, "additionalProperties") {
            self.schema(additional, Level::Field, &child(path, "additionalProperties"));
        }
    }

    fn extensions(&mut self, schema: &Map, path: &str) {
        if !flag(schema, "x-kubernetes-int-or-string") {
            return;
        }
        for name in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
            if flag(schema, name) {
                self.refuse(child(path, name), true, "must be false if x-kubernetes-int-or-string is true");
            }
        }
    }

    fn type_of(&mut self, schema: &Map, level: Level, path: &str) {
        let ty = text_at(schema, &["type"]);
        let embedded = flag(schema, "x-kubernetes-embedded-resource");
        let untyped = flag(schema, "x-kubernetes-int-or-string")
            || flag(schema, "x-kubernetes-preserve-unknown-fields");
        match (embedded, ty) {
            (true, "object") => {}
            (true, "") => {
                self.require(path, "type", "must be object if x-kubernetes-embedded-resource is true")
            }
            (true, ty) => {
                self.refuse(
                    child(path, "type"),
                    ty,
                    "must be object if x-kubernetes-embedded-resource is true",
                );
            }
            (false, "") if !untyped => {
                let place = match level {
                    Level::Root => "at the root",
                    Level::Item => "for specified array items",
                    Level::Field => "for specified object fields",
                };
                self.require(path, "type", &format!("must not be empty {place}"));
            }
            _ => {}
        }
        if level == Level::Root && !matches!(ty, "" | "object") {
            self.refuse(child(path, "type"), ty, "must be object at the root");
        }
    }

    /// Validates schemas of `apiVersion`, `kind` and `metadata`, which may restrict little.
    fn metadata(&mut self, schema: &Map, level: Level, path: &str) {
        let has_metadata = level == Level::Root || flag(schema, "x-kubernetes-embedded-resource");
        for (name, schema) in schemas(schema, "properties") {
            let path = key(&child(path, "properties"), name);
            let ty = text_at(schema, &["type"]);
            match name.as_str() {
                "apiVersion" | "kind" if has_metadata && ty != "string" => {
                    self.refuse(child(&path, "type"), ty, "must be string");
                }
                "metadata" => {
                    if has_metadata && ty != "object" {
                        self.refuse(child(&path, "type"), ty, "must be object");
                    }
                    if level == Level::Root && says_more_than_names(schema) {
                        let message = "must not specify anything other than name and generateName, but metadata is implicitly specified";
                        self.errors.push(FieldError::forbidden(path, message));
                    }
                }
                _ => {}
            }
        }
    }

    /// Validates value rules; `allOf` and the like may contain nothing else.
    fn value_rules(&mut self, schema: &Map, exempt: Exempt, path: &str) {
        if !exempt.any_of {
            for (index, schema) in list(schema, "anyOf") {
                self.nested(schema, Exempt::default(), &key(&child(path, "anyOf"), index));
            }
        }
        for (index, schema) in list(schema, "allOf") {
            let exempt = Exempt { any_of: exempt.first_any_of && index == 0, ..Exempt::default() };
            self.nested(schema, exempt, &key(&child(path, "allOf"), index));
        }
        for (index, schema) in list(schema, "oneOf") {
            self.nested(schema, Exempt::default(), &key(&child(path, "oneOf"), index));
        }
        if let Some(not) = schema_at(schema, "not") {
            self.nested(not, Exempt::default(), &child(path, "not"));
        }
        let pattern = text_at(schema, &["pattern"]);
        if self.checks_patterns
            && !pattern.is_empty()
            && let Some(error) = Pattern::new(pattern).error()
        {
            let message = format!("must be a valid regular expression, but isn't: {error}");
            self.refuse(child(path, "pattern"), pattern, &message);
        }
    }

    fn nested(&mut self, schema: &Map, exempt: Exempt, path: &str) {
        self.value_rules(schema, exempt, path);
        if let Some(items) = schema_at(schema, "items") {
            self.nested(items, Exempt::default(), &child(path, "items"));
        }
        for (name, schema) in schemas(schema, "properties") {
            let path = key(&child(path, "properties"), name);
            self.nested(schema, Exempt::default(), &path);
            if name == "metadata" {
                self.errors.push(FieldError::forbidden(path, "must not be specified in a nested context"));
            }
        }
        for (name, must_be) in NOT_NESTED {
            let said = match schema.get(*name) {
                None | Some(Value::Null) => false,
                Some(_) if *name == "default" => true,
                Some(Value::Bool(value)) => *value,
                Some(Value::String(text)) => !text.is_empty() || *must_be == "undefined",
                Some(Value::Array(items)) => !items.is_empty(),
                Some(_) => true,
            };
            if said {
                self.forbid(path, name, &format!("must be {must_be} to be structural"));
            }
        }
    }

    /// Every field in `allOf` and the like must be declared outside of them.
    fn complete(&mut self, rules: &Map, schema: &Map, path: &str, rules_path: &str) {
        for name in ["allOf", "anyOf", "oneOf"] {
            for (index, rules) in list(rules, name) {
                self.complete_nested(rules, schema, path, &key(&child(rules_path, name), index));
            }
        }
        if let Some(not) = schema_at(rules, "not") {
            self.complete_nested(not, schema, path, &child(rules_path, "not"));
        }
    }

    fn complete_nested(&mut self, rules: &Map, schema: &Map, path: &str, rules_path: &str) {
        self.complete(rules, schema, path, rules_path);
        if let Some(items) = schema_at(rules, "items") {
            let (path, rules_path) = (child(path, "items"), child(rules_path, "items"));
            self.complete_child(items, schema_at(schema, "items"), path, &rules_path);
        }
        let properties = schema_at(schema, "properties");
        for (name, rules) in schemas(rules, "properties") {
            let described = properties.and_then(|properties| properties.get(name)?.as_object());
            let path = key(&child(path, "properties"), name);
            self.complete_child(rules, described, path, &key(&child(rules_path, "properties"), name));
        }
    }

    fn complete_child(&mut self, rules: &Map, schema: Option<&Map>, path: String, rules_path: &str) {
        match schema {
            Some(schema) => self.complete_nested(rules, schema, &path, rules_path),
            None => self
                .errors
                .push(FieldError::required(path, &format!("because it is defined in {rules_path}"))),
        }
    }
}

/// The one form in which `anyOf` may contain types: that of an integer or a string.
#[derive(Clone, Copy, Default)]
struct Exempt {
    any_of: bool,
    /// `anyOf` of the first schema of `allOf`.
    first_any_of: bool,
}

/// Keywords not allowed in `allOf` and the like, and the value they must have instead.
const NOT_NESTED: &[(&str, &str)] = &[
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    ("x-kubernetes-preserve-unknown-fields", "false"),
    ("x-kubernetes-embedded-resource", "false"),
    ("x-kubernetes-int-or-string", "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-validations", "empty"),
];

/// Returns true if a schema of `metadata` restricts anything but names.
fn says_more_than_names(schema: &Map) -> bool {
    schema.iter().any(|(name, value)| match name.as_str() {
        "type" | "default" => false,
        "properties" => {
            let names = value.as_object().into_iter().flatten();
            names.into_iter().any(|(name, _)| !matches!(name.as_str(), "name" | "generateName"))
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schema: Value, errors: &[&str]) {
        let found = validate(schema.as_object().unwrap(), "s");
        assert_eq!(found.iter().map(FieldError::to_string).collect::<Vec<_>>(), errors, "{schema}");
    }

    #[track_caller]
    fn check_field(field: Value, errors: &[&str]) {
        check(json!({"type": "object", "properties": {"f": field}}), errors);
    }

    #[test]
    fn every_field_has_a_type() {
        check(json!({}), &["s.type: Required value: must not be empty at the root"]);
        check(json!({"type": "string"}), &["s.type: Invalid value: \"string\": must be object at the root"]);
        check_field(
            json!({}),
            &["s.properties[f].type: Required value: must not be empty for specified object fields"],
        );
        check_field(json!({"type": "array"}), &["s.properties[f].items: Required value: must be specified"]);
        check_field(
            json!({"type": "array", "items": {}}),
            &["s.properties[f].items.type: Required value: must not be empty for specified array items"],
        );
        check_field(json!({"x-kubernetes-preserve-unknown-fields": true}), &[]);
        check_field(
            json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
            &[],
        );
        check_field(
            json!({"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "a"}]}),
            &[],
        );
    }

    #[test]
    fn the_root_and_embedded_resources_have_metadata() {
        check(
            json!({"type": "object", "additionalProperties": true}),
            &["s.additionalProperties: Forbidden: must not be used at the root"],
        );
        check(
            json!({"type": "object", "properties": {
                "kind": {"type": "integer"},
                "metadata": {"type": "object", "properties": {"name": {"type": "string"}, "labels": {"type": "object"}}},
            }}),
            &[
                "s.properties[kind].type: Invalid value: \"integer\": must be string",
                "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
            ],
        );
        check(
            json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 3}}}}}),
            &[],
        );
        check_field(
            json!({"x-kubernetes-embedded-resource": true, "x-kubernetes-int-or-string": true}),
            &[
                "s.properties[f].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
                "s.properties[f].type: Required value: must be object if x-kubernetes-embedded-resource is true",
                "s.properties[f].x-kubernetes-embedded-resource: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
            ],
        );
    }

    #[test]
    fn all_of_and_the_like_hold_rules_for_values_only() {
        check(
            json!({"type": "object", "anyOf": [{"type": "object", "default": false, "x-kubernetes-list-map-keys": ["a"], "properties": {"metadata": {}}}],
                "not": {"additionalProperties": {}, "description": "d", "nullable": true}}),
            &[
                "s.anyOf[0].default: Forbidden: must be undefined to be structural",
                "s.anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context",
                "s.anyOf[0].type: Forbidden: must be empty to be structural",
                "s.anyOf[0].x-kubernetes-list-map-keys: Forbidden: must be empty to be structural",
                "s.not.additionalProperties: Forbidden: must be undefined to be structural",
                "s.not.description: Forbidden: must be empty to be structural",
                "s.not.nullable: Forbidden: must be false to be structural",
                "s.properties[metadata]: Required value: because it is defined in s.anyOf[0].properties[metadata]",
            ],
        );
        check(
            json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}},
                "oneOf": [{"properties": {"a": {"items": {"pattern": "x"}}, "b": {"minimum": 1}}}]}),
            &["s.properties[b]: Required value: because it is defined in s.oneOf[0].properties[b]"],
        );
        check_field(
            json!({"type": "string", "pattern": "[a"}),
            &[
                "s.properties[f].pattern: Invalid value: \"[a\": must be a valid regular expression, but isn't: error parsing regexp: missing closing ]: `[a`",
            ],
        );
    }
}
