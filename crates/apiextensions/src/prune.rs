//! Pruning of fields that a schema does not declare.

use klient_apimachinery::values::{MAX_STRICT_ERRORS, Map, push_field};
use serde_json::Value;

use super::structural::{Additional, Structural};

impl Structural {
    /// Drops fields of an object that the schema does not declare and returns their paths, such as
    /// `spec.containers[0].foo`. `apiVersion`, `kind` and `metadata` are declared for every object.
    pub fn prune(&self, object: &mut Map) -> Vec<String> {
        let mut pruner = Pruner::default();
        pruner.object(object, Some(self), true);
        pruner.dropped.sort();
        pruner.dropped
    }

    /// Returns true if nothing would be dropped from a value of this schema.
    pub(super) fn is_pruned(&self, value: &Value) -> bool {
        let mut pruned = value.clone();
        Pruner::default().value(&mut pruned, Some(self));
        pruned == *value
    }
}

#[derive(Default)]
struct Pruner {
    path: String,
    dropped: Vec<String>,
}

impl Pruner {
    fn value(&mut self, value: &mut Value, schema: Option<&Structural>) {
        match value {
            Value::Object(object) => {
                self.object(object, schema, schema.is_some_and(|schema| schema.embedded))
            }
            Value::Array(items) => match schema {
                // A list that preserves unknown fields preserves those of its items, unless these are declared.
                Some(schema) if schema.preserves_unknown => self.preserved(items, schema),
                _ => self.items(items, |pruner, item| {
                    pruner.value(item, schema.and_then(|schema| schema.items.as_deref()));
                }),
            },
            _ => {}
        }
    }

    fn object(&mut self, object: &mut Map, schema: Option<&Structural>, has_metadata: bool) {
        let preserve = schema.is_some_and(|schema| schema.preserves_unknown);
        object.retain(|name, value| {
            let is_meta = matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
            if has_metadata && is_meta {
                return true;
            }
            let known = schema.is_some_and(|schema| {
                schema.properties.contains_key(name) || !matches!(schema.additional, Additional::Unsaid)
            });
            let len = push_field(&mut self.path, name);
            if known {
                self.value(value, schema.and_then(|schema| schema.field(name)));
            } else if !preserve && self.dropped.len() < MAX_STRICT_ERRORS {
                self.dropped.push(self.path.clone());
            }
            self.path.truncate(len);
            known || preserve
        });
    }

    fn preserved(&mut self, items: &mut [Value], schema: &Structural) {
        let Some(schema) = schema.items.as_deref() else { return };
        self.items(items, |pruner, item| match item {
            Value::Array(items) => pruner.preserved(items, schema),
            Value::Object(object) => pruner.described(object, schema),
            _ => {}
        });
    }

    /// Prunes declared fields and keeps the others.
    fn described(&mut self, object: &mut Map, schema: &Structural) {
        for (name, value) in object.iter_mut() {
            let is_meta = matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
            let described =
                schema.properties.contains_key(name) || !matches!(schema.additional, Additional::Unsaid);
            if !described || (schema.embedded && is_meta) {
                continue;
            }
            let len = push_field(&mut self.path, name);
            self.value(value, schema.field(name));
            self.path.truncate(len);
        }
    }

    fn items(&mut self, items: &mut [Value], prune: impl Fn(&mut Self, &mut Value)) {
        let len = self.path.len();
        for (index, item) in items.iter_mut().enumerate() {
            self.path.push_str(&format!("[{index}]"));
            prune(self, item);
            self.path.truncate(len);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: Value, object: Value, pruned: Value, dropped: &[&str]) {
        let schema = Structural::parse(schema.as_object().unwrap());
        let Value::Object(mut object) = object else { panic!("an object") };
        assert_eq!(schema.prune(&mut object), dropped);
        assert_eq!(Value::Object(object), pruned);
    }

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        check(
            json!({"type": "object", "properties": {
                "spec": {"type": "object", "properties": {"containers": {"type": "array", "items": {
                    "type": "object", "properties": {"name": {"type": "string"}}}}}},
            }}),
            json!({
                "apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "odd": 1}, "other": 1,
                "spec": {"containers": [{"name": "c", "foo": 1}, 1], "x": {"y": 1}},
            }),
            json!({
                "apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "odd": 1},
                "spec": {"containers": [{"name": "c"}, 1]},
            }),
            &["other", "spec.containers[0].foo", "spec.x"],
        );
    }

    #[test]
    fn values_without_a_schema_lose_all_their_fields() {
        check(
            json!({"properties": {"a": {"type": "array"}, "b": {"additionalProperties": true}}}),
            json!({"a": [{"x": 1}], "b": {"y": {"z": 1}}}),
            json!({"a": [{}], "b": {"y": {}}}),
            &["a[0].x", "b.y.z"],
        );
    }

    #[test]
    fn unknown_fields_are_kept_where_the_schema_says_so() {
        check(
            json!({"properties": {"spec": {
                "x-kubernetes-preserve-unknown-fields": true,
                "properties": {"known": {"type": "object", "properties": {"a": {}}}},
            }}}),
            json!({"spec": {"any": {"x": 1}, "known": {"a": 1, "b": 2}}}),
            json!({"spec": {"any": {"x": 1}, "known": {"a": 1}}}),
            &["spec.known.b"],
        );
        check(
            json!({"x-kubernetes-preserve-unknown-fields": true, "properties": {"list": {
                "type": "array", "x-kubernetes-preserve-unknown-fields": true,
                "items": {"type": "object", "properties": {"a": {"type": "object"}}},
            }}}),
            json!({"else": {"b": 1}, "list": [{"c": 1, "a": {"d": 1}}]}),
            json!({"else": {"b": 1}, "list": [{"c": 1, "a": {}}]}),
            &["list[0].a.d"],
        );
    }

    #[test]
    fn embedded_resources_keep_their_metadata() {
        check(
            json!({"properties": {"pod": {"type": "object", "x-kubernetes-embedded-resource": true,
                "properties": {"spec": {"type": "object"}}}}}),
            json!({"pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"x": 1}, "y": 1}}),
            json!({"pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}}}),
            &["pod.spec.x", "pod.y"],
        );
    }
}
