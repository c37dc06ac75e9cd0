//! Validation of an object against a schema.

use klient_apimachinery::go::quoted;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::ValidationError;
use crate::schema::{Kind, List, Relation, Scalar, Struct, TypeRef};
use crate::value::{self, Node};
use crate::{Duplicates, Map, PathElement};

/// Returns all violations of the schema.
pub(super) fn validate(
    object: &Map,
    root: TypeRef<'_>,
    duplicates: Duplicates,
) -> Result<(), Vec<ValidationError>> {
    let mut walk = Walk { path: String::new(), duplicates, problems: Vec::new() };
    walk.value(object.into(), root);
    if walk.problems.is_empty() { Ok(()) } else { Err(walk.problems) }
}

struct Walk {
    path: String,
    duplicates: Duplicates,
    problems: Vec<ValidationError>,
}

impl Walk {
    fn refuse(&mut self, message: impl Into<String>) {
        self.problems.push(ValidationError { path: self.path.clone(), message: message.into() });
    }

    fn value(&mut self, value: Node<'_>, ty: TypeRef<'_>) {
        match ty.atom_of(Some(value)).kind() {
            None => self.refuse("schema error: invalid atom: inlined"),
            Some(Kind::Scalar(scalar)) => {
                if let Some(problem) = wrong_scalar(scalar, value) {
                    self.refuse(problem);
                }
            }
            Some(Kind::List(list)) => match value {
                Node::Null => {}
                Node::List(items) => self.list(items, &list),
                other => self.refuse(format!("expected list, got {}", go_value(other))),
            },
            Some(Kind::Map(map)) => match value {
                Node::Null => {}
                Node::Map(entries) => self.map(entries, &map),
                other => self.refuse(format!("expected map, got {}", go_value(other))),
            },
        }
    }

    fn list(&mut self, items: &[Value], list: &List<'_>) {
        let mut seen = BTreeSet::new();
        for (place, item) in items.iter().enumerate() {
            let element = match list.relation {
                Relation::Atomic => PathElement::index(i64::try_from(place).unwrap_or(i64::MAX)),
                _ => match list.element(item) {
                    Ok(element) => element,
                    // Values below it cannot be validated either.
                    Err(problem) => return self.refuse(format!("element {place}: {problem}")),
                },
            };
            if self.duplicates == Duplicates::Refuse
                && !matches!(list.relation, Relation::Atomic)
                && !seen.insert(element.clone())
            {
                self.refuse(format!("duplicate entries for key {element}"));
            }
            self.below(&element, item, list.item);
        }
    }

    fn map(&mut self, entries: &Map, map: &Struct<'_>) {
        for (name, value) in value::sorted(entries) {
            match map.type_of(name) {
                Some(ty) => self.below(&PathElement::field(name), value, ty),
                None => {
                    let message = "field not declared in schema".to_owned();
                    self.problems.push(ValidationError { path: format!("{}.{name}", self.path), message });
                    return;
                }
            }
        }
    }

    fn below(&mut self, element: &PathElement, value: &Value, ty: TypeRef<'_>) {
        // Most values are valid scalars: their paths are not built.
        if let (Some(Kind::Scalar(scalar)), Node::Scalar(_)) = (ty.atom().kind(), value.into())
            && wrong_scalar(scalar, value.into()).is_none()
        {
            return;
        }
        let len = self.path.len();
        self.path.push_str(&element.to_string());
        self.value(value.into(), ty);
        self.path.truncate(len);
    }
}

/// The error for a value that should be a scalar. Null is valid for every type.
fn wrong_scalar(scalar: Scalar, value: Node<'_>) -> Option<String> {
    let right = match (scalar, value) {
        (_, Node::Null) => true,
        (Scalar::Numeric, Node::Scalar(value)) => value.is_number(),
        (Scalar::String, Node::Scalar(value)) => value.is_string(),
        (Scalar::Boolean, Node::Scalar(value)) => value.is_boolean(),
        (Scalar::Untyped, Node::Scalar(_)) => true,
        _ => false,
    };
    (!right).then(|| match scalar {
        Scalar::Numeric => format!("expected numeric (int or float), got {}", go_type(value)),
        Scalar::String => {
            format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_syntax(&value.to_value()))
        }
        Scalar::Boolean => format!("expected boolean, got {}", go_value(value)),
        Scalar::Untyped => format!("expected any scalar, got {}", go_value(value)),
    })
}

/// The Go type of a value.
fn go_type(value: Node<'_>) -> &'static str {
    match value {
        Node::Null => "<nil>",
        Node::List(_) => "[]interface {}",
        Node::Map(_) => "map[string]interface {}",
        Node::Scalar(Value::Bool(_)) => "bool",
        Node::Scalar(Value::Number(number)) if number.is_i64() => "int64",
        Node::Scalar(Value::Number(_)) => "float64",
        Node::Scalar(_) => "string",
    }
}

/// A value as printed in upstream's messages: Go's output for a pointer to the struct around it.
fn go_value(value: Node<'_>) -> String {
    fn shown(value: &Value) -> String {
        match value {
            Value::Null => "<nil>".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => value::show_number(number),
            Value::String(text) => text.clone(),
            Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Value::Object(entries) => {
                let entries = value::sorted(entries);
                let entries = entries.iter().map(|(name, value)| format!("{name}:{}", shown(value)));
                format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
            }
        }
    }
    format!("&{{{}}}", shown(&value.to_value()))
}

/// A value in Go syntax.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => value::show_number(number),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries = value::sorted(entries);
            let entries =
                entries.iter().map(|(name, value)| format!("{}:{}", quoted(name), go_syntax(value)));
            format!("map[string]interface {{}}{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
