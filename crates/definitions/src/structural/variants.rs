//! The variants of enums: `oneOf`, `anyOf` and `allOf`, under which a structural schema has no types.

use serde_json::{Map, Value, json};

use super::{Converter, INT_OR_STRING, int_or_string, is_null, is_true, is_type};

impl Converter {
    /// Replaces the alternatives of a schema by one type with conditions on its fields.
    pub(super) fn alternatives(&mut self, schema: &mut Map<String, Value>, field: &str) {
        // Each is a keyword with conditions. Several enums may be flattened into one struct.
        let mut conditions = Vec::new();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(Value::Array(mut alternatives)) = schema.remove(keyword) else { continue };
            let count = alternatives.len();
            alternatives.retain(|alternative| !is_null(alternative));
            if alternatives.len() < count {
                schema.insert("nullable".into(), Value::Bool(true));
            }
            if keyword == "anyOf" && alternatives.contains(&json!({})) {
                self.optional(schema, alternatives, field);
                continue;
            }
            if keyword == "allOf" || alternatives.len() == 1 {
                let is_whole =
                    ["properties", "anyOf", "oneOf"].iter().all(|other| !schema.contains_key(*other));
                if let ([Value::Object(alternative)], true) =
                    (&alternatives[..], is_whole && conditions.is_empty())
                {
                    self.merge(schema, alternative.clone(), field);
                    // What was merged may have alternatives itself.
                    return self.alternatives(schema, field);
                }
                for alternative in alternatives {
                    let Value::Object(mut alternative) = alternative else { continue };
                    self.alternatives(&mut alternative, field);
                    conditions.extend(take_conditions(&mut alternative));
                    self.merge(schema, alternative, field);
                }
                continue;
            }
            let has = |name: &str| {
                let is =
                    |alternative: &Value| alternative.as_object().is_some_and(|object| is_type(object, name));
                alternatives.iter().filter(|alternative| is(alternative)).count()
            };
            if has("integer") == 1 && has("string") == 1 && alternatives.len() == 2 {
                int_or_string(schema);
            } else if has("string") == alternatives.len() {
                self.strings(schema, alternatives, field);
            } else if has("object") == alternatives.len() {
                conditions.extend(self.objects(schema, alternatives, keyword, field));
            } else {
                self.problem(
                    field,
                    "the variants have different types, which no structural schema has: give each variant fields, as in \
                     `Off {}`, or name the variant in a field with #[serde(tag = \"type\")]",
                );
            }
        }
        insert_conditions(schema, conditions);
    }

    /// Variants that are flattened into a struct and need not be there: their fields become fields of the struct.
    fn optional(&mut self, schema: &mut Map<String, Value>, alternatives: Vec<Value>, field: &str) {
        let mut properties = take_properties(schema);
        for alternative in alternatives {
            let Value::Object(mut alternative) = alternative else { continue };
            self.alternatives(&mut alternative, field);
            for (name, property) in take_properties(&mut alternative) {
                self.add_property(&mut properties, name, property, field);
            }
        }
        schema.insert("properties".into(), Value::Object(properties));
    }

    /// Adds all of a schema to another. What that has already stays.
    fn merge(&mut self, schema: &mut Map<String, Value>, other: Map<String, Value>, field: &str) {
        for (keyword, value) in other {
            match (keyword.as_str(), schema.get_mut(&keyword), value) {
                ("properties", Some(Value::Object(properties)), Value::Object(others)) => {
                    for (name, property) in others {
                        self.add_property(properties, name, property, field);
                    }
                }
                ("required", Some(Value::Array(names)), Value::Array(others)) => {
                    for name in others {
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    }
                }
                ("type", Some(ty), other) if *ty != other => {
                    self.problem(field, "values of several types have no structural schema");
                }
                (_, Some(_), _) => {}
                (_, None, value) => {
                    schema.insert(keyword, value);
                }
            }
        }
    }

    /// Variants that are strings, each perhaps with a description.
    fn strings(&mut self, schema: &mut Map<String, Value>, alternatives: Vec<Value>, field: &str) {
        let (mut values, mut descriptions) = (Vec::new(), String::new());
        for mut alternative in alternatives {
            let of_variant = match (alternative["enum"].take(), alternative.get("const")) {
                (Value::Array(values), _) => values,
                (_, Some(value)) => vec![value.clone()],
                _ => return self.problem(field, "a variant that is any string makes the others needless"),
            };
            if let (Some(description), [Value::String(value)]) =
                (alternative["description"].as_str(), &of_variant[..])
            {
                descriptions.push_str(&format!("\n- {value}: {description}"));
            }
            values.extend(of_variant);
        }
        schema.insert("type".into(), "string".into());
        schema.insert("enum".into(), Value::Array(values));
        if !descriptions.is_empty() {
            let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            schema.insert("description".into(), format!("{description}{descriptions}").trim_start().into());
        }
    }

    /// Variants that are objects: their fields become fields of the schema. Returns the condition for each that its own are
    /// there, by the keyword.
    fn objects(
        &mut self,
        schema: &mut Map<String, Value>,
        alternatives: Vec<Value>,
        keyword: &str,
        field: &str,
    ) -> Option<(String, Value)> {
        let mut properties = take_properties(schema);
        let is_whole = properties.is_empty();
        // Beside a flattened map, schemars gives the names of the variants' fields to the struct.
        let is_name = |property: &Value| *property == json!({});
        let names = properties.iter().filter(|(_, property)| is_name(property));
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        properties.retain(|_, property| !is_name(property));
        let mut conditions = Vec::new();
        for alternative in alternatives {
            let Value::Object(mut alternative) = alternative else { continue };
            // A variant may be flattened into its variant.
            self.alternatives(&mut alternative, field);
            let mut condition = Map::new();
            for (name, property) in take_properties(&mut alternative) {
                if let [value] = constants(&property) {
                    let tag = json!({"enum": [value]});
                    condition.entry("properties").or_insert_with(|| json!({}))[&name] = tag;
                }
                self.add_property(&mut properties, name, property, field);
            }
            condition
                .extend(alternative.remove("required").map(|required| ("required".to_owned(), required)));
            conditions.push(Value::Object(condition));
        }
        for name in names {
            properties.entry(name).or_insert(json!({}));
        }
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), Value::Object(properties));
        let is_nullable = is_true(schema, "nullable");
        let names = conditions.iter().filter_map(|condition| {
            match condition["required"].as_array().map(Vec::as_slice) {
                Some([name]) if condition.get("properties").is_none() => name.as_str(),
                _ => None,
            }
        });
        let is_tagged_by_field = names.count() == conditions.len();
        if is_nullable && is_whole && is_tagged_by_field && keyword == "oneOf" {
            schema.insert("minProperties".into(), 1.into());
            schema.insert("maxProperties".into(), 1.into());
            return None;
        }
        Some((keyword.to_owned(), Value::Array(conditions)))
    }

    fn add_property(
        &mut self,
        properties: &mut Map<String, Value>,
        name: String,
        property: Value,
        field: &str,
    ) {
        let Some(known) = properties.get_mut(&name) else {
            properties.insert(name, property);
            return;
        };
        let of_variant = constants(&property).to_vec();
        if !of_variant.is_empty() && !constants(known).is_empty() {
            let mut values = constants(known).to_vec();
            values.extend(of_variant.into_iter().filter(|value| !constants(known).contains(value)));
            known["enum"] = Value::Array(values);
            if let Some(object) = known.as_object_mut() {
                object.remove("const");
                object.remove("description");
            }
        } else if bare(known) != bare(&property) {
            self.problem(
                &format!("{field}.{name}"),
                "the field has another type in another variant, and a structural schema has one schema per field: give one \
                 of them another name",
            );
        }
    }
}

/// Takes the conditions out of a schema whose alternatives are replaced.
fn take_conditions(schema: &mut Map<String, Value>) -> Vec<(String, Value)> {
    if is_true(schema, INT_OR_STRING) {
        return Vec::new();
    }
    let mut conditions = Vec::new();
    if let Some(Value::Array(all)) = schema.remove("allOf") {
        conditions.extend(all.into_iter().filter_map(|one| one.as_object()?.clone().into_iter().next()));
    }
    for keyword in ["anyOf", "oneOf"] {
        conditions.extend(schema.remove(keyword).map(|alternatives| (keyword.to_owned(), alternatives)));
    }
    conditions
}

/// Adds conditions to a schema, all of which hold. A null fulfils each of several, so that there is no single one.
fn insert_conditions(schema: &mut Map<String, Value>, mut conditions: Vec<(String, Value)>) {
    if is_true(schema, "nullable") {
        conditions.iter_mut().for_each(|(keyword, _)| *keyword = "anyOf".to_owned());
    }
    match conditions.len() {
        0 | 1 => schema.extend(conditions),
        _ => {
            let all = conditions.into_iter().map(|condition| Value::Object(Map::from_iter([condition])));
            schema.insert("allOf".into(), all.collect());
        }
    }
}

/// Takes the properties out of a schema.
fn take_properties(schema: &mut Map<String, Value>) -> Map<String, Value> {
    match schema.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

/// The values that a schema allows, if it names them.
fn constants(schema: &Value) -> &[Value] {
    match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => values,
        (_, Some(value)) => std::slice::from_ref(value),
        _ => &[],
    }
}

/// A schema without its description.
fn bare(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("description");
    }
    schema
}
