//! [`Structural`], the structural schema of one version.

pub(crate) mod validation;

use std::collections::BTreeMap;

use klient_apimachinery::values::{Map, list_at, text_at};
use klient_cel::Pattern;
use klient_cel::format::Format;
use serde_json::Value;

/// A schema, for an object or for a value in it.
///
/// Objects have no `apiVersion` and `kind` here: the request gives them; a schema that requires them accepts objects
/// without.
#[derive(Clone, Debug, Default)]
pub struct Structural {
    /// Types of which the value must have one; empty for any type.
    pub types: &'static [Type],
    /// True if the value may be `null`.
    pub nullable: bool,
    /// True if unknown fields are preserved.
    pub preserves_unknown: bool,
    /// True if the value is an object with its own `apiVersion`, `kind` and `metadata`.
    pub embedded: bool,
    /// List type, for merging.
    pub list: ListType,
    /// Default of a missing value.
    pub default: Option<Value>,
    /// Schemas of the declared fields.
    pub properties: BTreeMap<String, Structural>,
    /// Schema of the other fields.
    pub additional: Additional,
    /// Schema of the items of a list.
    pub items: Option<Box<Structural>>,
    pub(super) rules: Rules,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `array`
    Array,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `object`
    Object,
    /// `string`
    String,
}

impl Type {
    /// Name of the type in OpenAPI.
    pub fn name(self) -> &'static str {
        match self {
            Type::Array => "array",
            Type::Boolean => "boolean",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Object => "object",
            Type::String => "string",
        }
    }
}

/// The formats and types that a schema has an effect with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Formats {
    /// Those that the server knows, and formats that fit the type. Objects are validated with these.
    Supported,
    /// All, as written. Defaults are validated with these.
    All,
}

/// The list type, `x-kubernetes-list-type`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListType {
    /// The list is replaced as a whole.
    #[default]
    Atomic,
    /// Items are identified by value.
    Set,
    /// Items are identified by these fields.
    Map(Vec<String>),
}

/// The rule for undeclared fields, `additionalProperties`.
#[derive(Clone, Debug, Default)]
pub enum Additional {
    /// No rule: undeclared fields are pruned, unless unknown fields are preserved.
    #[default]
    Unsaid,
    /// Any value is allowed.
    Allowed,
    /// No other fields are allowed.
    Forbidden,
    /// Values follow this schema.
    Schema(Box<Structural>),
}

/// Validation rules of a value besides its type.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// The type, if it is unknown, in the validation of defaults.
    pub(super) unknown_type: Option<String>,
    /// The name of the format, if it applies to the type.
    pub(super) format: String,
    pub(super) known_format: Option<Format>,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_maximum: bool,
    pub(super) minimum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) max_length: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) pattern: Option<Pattern>,
    pub(super) max_items: Option<i64>,
    pub(super) min_items: Option<i64>,
    pub(super) unique_items: bool,
    pub(super) max_properties: Option<i64>,
    pub(super) min_properties: Option<i64>,
    pub(super) required: Vec<String>,
    pub(super) values: Vec<Value>,
    pub(super) all_of: Vec<Structural>,
    pub(super) one_of: Vec<Structural>,
    pub(super) any_of: Vec<Structural>,
    pub(super) not: Option<Box<Structural>>,
}

impl Structural {
    /// Parses an `openAPIV3Schema`.
    pub fn parse(schema: &Map) -> Self {
        Formats::Supported.parse(schema)
    }

    /// Parses an `openAPIV3Schema` for the validation of its defaults: unknown formats stand for types in its messages, and
    /// no value has an unknown type.
    pub(super) fn parse_for_defaults(schema: &Map) -> Self {
        Formats::All.parse(schema)
    }

    /// The schema of a field.
    pub fn field(&self, name: &str) -> Option<&Structural> {
        self.properties.get(name).or(match &self.additional {
            Additional::Schema(schema) => Some(&**schema),
            _ => None,
        })
    }
}

impl Formats {
    fn parse(self, schema: &Map) -> Structural {
        let flag = |name: &str| schema.get(name).and_then(Value::as_bool).unwrap_or_default();
        let types = types(schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties: BTreeMap<String, Structural> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), self.parse_value(schema)))
            .collect();
        let additional = match schema.get("additionalProperties") {
            Some(Value::Object(schema)) => Additional::Schema(Box::new(self.parse(schema))),
            Some(Value::Bool(true)) => Additional::Allowed,
            Some(Value::Bool(false)) => Additional::Forbidden,
            _ => Additional::Unsaid,
        };
        Structural {
            types,
            nullable: flag("nullable"),
            preserves_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            list: list_type(schema),
            default: schema.get("default").filter(|default| !default.is_null()).cloned(),
            properties,
            additional,
            items: schema.get("items").and_then(Value::as_object).map(|items| Box::new(self.parse(items))),
            rules: self.rules(schema, types),
        }
    }

    fn parse_value(self, schema: &Value) -> Structural {
        schema.as_object().map(|schema| self.parse(schema)).unwrap_or_default()
    }

    fn rules(self, schema: &Map, types: &[Type]) -> Rules {
        let flag = |name: &str| schema.get(name).and_then(Value::as_bool).unwrap_or_default();
        let number = |name: &str| schema.get(name).and_then(Value::as_f64);
        let count = |name: &str| schema.get(name).and_then(Value::as_i64);
        let all =
            |name: &str| list_at(schema, &[name]).iter().map(|schema| self.parse_value(schema)).collect();
        let (format, known_format) = self.format(text_at(schema, &["format"]), types);
        let required = list_at(schema, &["required"]).iter().filter_map(Value::as_str);
        let ty = text_at(schema, &["type"]);
        let is_unknown = self == Formats::All && types.is_empty() && !ty.is_empty();
        Rules {
            unknown_type: is_unknown.then(|| ty.to_owned()),
            format,
            known_format,
            maximum: number("maximum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            minimum: number("minimum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            multiple_of: number("multipleOf"),
            max_length: count("maxLength"),
            min_length: count("minLength"),
            pattern: Some(text_at(schema, &["pattern"])).filter(|text| !text.is_empty()).map(Pattern::new),
            max_items: count("maxItems"),
            min_items: count("minItems"),
            unique_items: flag("uniqueItems"),
            max_properties: count("maxProperties"),
            min_properties: count("minProperties"),
            required: required.map(str::to_owned).collect(),
            values: list_at(schema, &["enum"]).to_vec(),
            all_of: all("allOf"),
            one_of: all("oneOf"),
            any_of: all("anyOf"),
            not: schema.get("not").and_then(Value::as_object).map(|not| Box::new(self.parse(not))),
        }
    }

    /// The name of a format, and the format of strings of that name, as far as they have an effect on a type.
    fn format(self, name: &str, types: &[Type]) -> (String, Option<Format>) {
        if self == Formats::All {
            return (name.to_owned(), Format::named(name));
        }
        let known = match types {
            [Type::Integer] => matches!(name, "int32" | "int64"),
            [Type::Number] => matches!(name, "float" | "double"),
            [] | [Type::String] | [_, _, ..] => {
                return match Format::named(name) {
                    Some(format) => (name.to_owned(), Some(format)),
                    None => (String::new(), None),
                };
            }
            _ => false,
        };
        (if known { name.to_owned() } else { String::new() }, None)
    }
}

fn types(schema: &Map) -> &'static [Type] {
    match text_at(schema, &["type"]) {
        "" if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) => {
            &[Type::Integer, Type::String]
        }
        "array" => &[Type::Array],
        "boolean" => &[Type::Boolean],
        "integer" => &[Type::Integer],
        "number" => &[Type::Number],
        "object" => &[Type::Object],
        "string" => &[Type::String],
        _ => &[],
    }
}

fn list_type(schema: &Map) -> ListType {
    match text_at(schema, &["x-kubernetes-list-type"]) {
        "set" => ListType::Set,
        "map" => {
            let keys = list_at(schema, &["x-kubernetes-list-map-keys"]).iter().filter_map(Value::as_str);
            ListType::Map(keys.map(str::to_owned).collect())
        }
        _ => ListType::Atomic,
    }
}
