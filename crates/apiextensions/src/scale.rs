//! [`Scale`], the paths of the scale subresource.

use klient_apimachinery::go::GoValue;
use serde_json::Value;

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, text_at};

/// The paths of an object's replicas, such as `.spec.replicas`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub spec_replicas: String,
    pub status_replicas: String,
    /// Path of the label selector, as a string, of the counted objects.
    pub label_selector: Option<String>,
}

impl Scale {
    pub(super) fn parse(scale: &Map) -> Self {
        let text = |name: &str| text_at(scale, &[name]).to_owned();
        Scale {
            spec_replicas: text("specReplicasPath"),
            status_replicas: text("statusReplicasPath"),
            label_selector: Some(text("labelSelectorPath")).filter(|path| !path.is_empty()),
        }
    }

    /// Validates the desired number of replicas.
    pub fn validate_spec(&self, object: &Map) -> Vec<FieldError> {
        replicas_problem(object, &self.spec_replicas).into_iter().collect()
    }

    /// Validates the observed number of replicas, and the label selector.
    pub fn validate_status(&self, object: &Map) -> Vec<FieldError> {
        let replicas = replicas_problem(object, &self.status_replicas);
        let selector = self.label_selector.as_ref().and_then(|path| match nested(object, path) {
            Ok(None | Some(Value::String(_))) => None,
            Ok(Some(value)) => Some((path, mismatch(path, value, "string"))),
            Err(problem) => Some((path, problem)),
        });
        let selector = selector.map(|(path, problem)| FieldError::invalid(path, "", problem));
        replicas.into_iter().chain(selector).collect()
    }
}

fn replicas_problem(object: &Map, path: &str) -> Option<FieldError> {
    let (replicas, problem) = match nested(object, path) {
        Ok(None) => return None,
        Ok(Some(value)) => match value.as_i64() {
            Some(replicas) if replicas < 0 => (replicas, "should be a non-negative integer".to_owned()),
            Some(replicas) if replicas > i32::MAX.into() => {
                (replicas, format!("should be less than or equal to {}", i32::MAX))
            }
            Some(_) => return None,
            None => (0, mismatch(path, value, "int64")),
        },
        Err(problem) => (0, problem),
    };
    Some(FieldError::invalid(path, replicas, problem))
}

/// The value at a path of names.
fn nested<'a>(object: &'a Map, path: &str) -> Result<Option<&'a Value>, String> {
    let mut value: Option<&Value> = None;
    let mut at = String::new();
    for name in path.strip_prefix('.').unwrap_or(path).split('.') {
        at = format!("{at}.{name}");
        let parent = match value {
            None => object,
            Some(Value::Object(parent)) => parent,
            Some(Value::Null) => return Ok(None),
            Some(value) => return Err(mismatch(&at, value, "map[string]interface{}")),
        };
        value = match parent.get(name) {
            None => return Ok(None),
            value => value,
        };
    }
    Ok(value)
}

fn mismatch(path: &str, value: &Value, expected: &str) -> String {
    let (shown, ty) = match value {
        Value::Null => ("<nil>".to_owned(), "<nil>"),
        Value::Bool(value) => (value.to_string(), "bool"),
        Value::Number(number) => {
            (GoValue(value).to_string(), if number.is_i64() { "int64" } else { "float64" })
        }
        Value::String(text) => (text.clone(), "string"),
        Value::Array(_) => (GoValue(value).to_string(), "[]interface {}"),
        Value::Object(_) => (GoValue(value).to_string(), "map[string]interface {}"),
    };
    format!("{path} accessor error: {shown} is of the type {ty}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replicas_are_whole_and_not_too_many() {
        let scale = Scale {
            spec_replicas: ".spec.replicas".to_owned(),
            status_replicas: ".status.replicas".to_owned(),
            label_selector: Some(".status.selector".to_owned()),
        };
        for (object, errors) in [
            (json!({}), &[][..]),
            (json!({"spec": {"replicas": 3}, "status": {"replicas": 2, "selector": "a=b"}}), &[]),
            (json!({"spec": null}), &[]),
            (
                json!({"spec": {"replicas": -1}}),
                &[".spec.replicas: Invalid value: -1: should be a non-negative integer"],
            ),
            (
                json!({"status": {"replicas": 3_000_000_000_u32}}),
                &[".status.replicas: Invalid value: 3000000000: should be less than or equal to 2147483647"],
            ),
            (
                json!({"spec": "x", "status": {"replicas": "two", "selector": 1}}),
                &[
                    ".spec.replicas: Invalid value: 0: .spec.replicas accessor error: x is of the type string, expected map[string]interface{}",
                    ".status.replicas: Invalid value: 0: .status.replicas accessor error: two is of the type string, expected int64",
                    r#".status.selector: Invalid value: "": .status.selector accessor error: 1 is of the type int64, expected string"#,
                ],
            ),
        ] {
            let object = object.as_object().unwrap();
            let found = [scale.validate_spec(object), scale.validate_status(object)].concat();
            assert_eq!(found.iter().map(FieldError::to_string).collect::<Vec<_>>(), errors);
        }
    }
}
