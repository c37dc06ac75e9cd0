//! Defaulting of objects.

use klient_apimachinery::values::Map;
use serde_json::Value;

use super::structural::{Additional, Structural};

impl Structural {
    /// Drops `null` fields that are not nullable and have no default.
    pub fn drop_nulls(&self, object: &mut Map) {
        drop_nulls(object, Some(self));
    }

    /// Sets the schema's defaults for missing fields, and for `null` fields that are not nullable.
    pub fn default(&self, object: &mut Map) {
        for (name, schema) in &self.properties {
            let Some(default) = &schema.default else { continue };
            if object.get(name).is_none_or(|value| schema.refuses(value)) {
                object.insert(name.clone(), default.clone());
            }
        }
        for (name, value) in object {
            if let Some(schema) = self.properties.get(name) {
                schema.default_value(value);
            } else if let Additional::Schema(schema) = &self.additional {
                schema.default_entry(value);
            }
        }
    }

    /// An item of a list or an entry of a map is present, so the default replaces only `null`.
    fn default_entry(&self, value: &mut Value) {
        if self.refuses(value) {
            *value = self.default.clone().unwrap_or_default();
        }
        self.default_value(value);
    }

    fn default_value(&self, value: &mut Value) {
        match (value, &self.items) {
            (Value::Object(object), _) => self.default(object),
            (Value::Array(items), Some(schema)) => {
                items.iter_mut().for_each(|item| schema.default_entry(item))
            }
            _ => {}
        }
    }

    fn refuses(&self, value: &Value) -> bool {
        value.is_null() && !self.nullable
    }
}

fn drop_nulls(object: &mut Map, schema: Option<&Structural>) {
    object.retain(|name, value| {
        let schema = schema.and_then(|schema| schema.field(name));
        let dropped = schema.is_some_and(|schema| schema.refuses(value) && schema.default.is_none());
        if !dropped {
            drop_nulls_below(value, schema);
        }
        !dropped
    });
}

fn drop_nulls_below(value: &mut Value, schema: Option<&Structural>) {
    match value {
        Value::Object(object) => drop_nulls(object, schema),
        Value::Array(items) => {
            let schema = schema.and_then(|schema| schema.items.as_deref());
            items.iter_mut().for_each(|item| drop_nulls_below(item, schema));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: Value, object: Value, defaulted: Value) {
        let schema = Structural::parse(schema.as_object().unwrap());
        let Value::Object(mut object) = object else { panic!("an object") };
        schema.drop_nulls(&mut object);
        schema.default(&mut object);
        assert_eq!(Value::Object(object), defaulted);
    }

    #[test]
    fn defaults_are_set_where_the_parent_is() {
        let spec = json!({"properties": {"spec": {"properties": {
            "a": {"default": 1},
            "b": {"properties": {"c": {"default": "x"}}},
            "d": {"default": {}, "properties": {"e": {"default": true}}},
        }}}});
        check(spec.clone(), json!({}), json!({}));
        check(spec.clone(), json!({"spec": {}}), json!({"spec": {"a": 1, "d": {"e": true}}}));
        check(
            spec,
            json!({"spec": {"a": 2, "b": {}, "d": {"e": false}}}),
            json!({"spec": {"a": 2, "b": {"c": "x"}, "d": {"e": false}}}),
        );
    }

    #[test]
    fn defaults_are_set_in_items_and_entries() {
        check(
            json!({"properties": {
                "list": {"items": {"default": {}, "properties": {"a": {"default": 1}}}},
                "map": {"additionalProperties": {"default": {"b": 2}, "properties": {"a": {"default": 1}}}},
            }}),
            json!({"list": [{}, null], "map": {"x": {}, "y": null}}),
            json!({"list": [{"a": 1}, {"a": 1}], "map": {"x": {"a": 1}, "y": {"a": 1, "b": 2}}}),
        );
    }

    #[test]
    fn null_gives_way_where_it_is_not_allowed() {
        check(
            json!({"properties": {
                "nullable": {"nullable": true, "default": 1},
                "defaulted": {"default": 1},
                "dropped": {"type": "string"},
                "list": {"items": {"properties": {"x": {"type": "string"}}}},
            }}),
            json!({"nullable": null, "defaulted": null, "dropped": null, "unknown": null, "list": [{"x": null}, null]}),
            json!({"nullable": null, "defaulted": 1, "unknown": null, "list": [{}, null]}),
        );
    }
}
