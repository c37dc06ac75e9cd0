//! [`Answer`], what a server says to a request, and [`Stored`], what it has then.

use std::sync::LazyLock;

use klient_structured_merge::FieldSet;
use regex::Regex;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What a server says to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status code; 0 if the connection broke.
    pub code: u16,
    /// The object, or the Status.
    pub body: Value,
}

impl Answer {
    /// The connection breaks.
    pub(crate) fn none() -> Answer {
        Answer { code: 0, body: Value::Null }
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Without what no two servers have in common.
    pub(crate) fn masked(&self) -> Value {
        let mut body = masked(&self.body);
        if let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut)
            && causes.len() > 1
        {
            // Where a schema has the same to say of several fields, kube-apiserver says it in any order.
            causes.sort_by_key(Value::to_string);
            body["message"] = "*".into();
        }
        if let Some((what, errors)) = body["message"].as_str().and_then(|text| text.split_once("errors:\n")) {
            let mut errors: Vec<&str> = errors.lines().collect();
            errors.sort_unstable();
            body["message"] = format!("{what}errors:\n{}", errors.join("\n")).into();
        }
        json!({"code": self.code, "body": body})
    }

    /// The code, and what is said to it.
    pub(crate) fn shown(&self) -> String {
        match self.body["message"].as_str() {
            Some(message) if !self.is_success() => format!("{} {}", self.code, masked_text(message)),
            _ => self.code.to_string(),
        }
    }
}

/// An object as a server has it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// As it was sent.
    pub(crate) text: String,
    /// The same.
    pub(crate) object: Value,
}

impl Stored {
    pub(crate) fn new(text: String) -> Result<Stored, serde_json::Error> {
        Ok(Stored { object: serde_json::from_str(&text)?, text })
    }

    pub(crate) fn resource_version(&self) -> &str {
        self.object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its managed fields.
    pub(crate) fn managed_fields(&self) -> Result<Vec<Entry<'_>>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Object<'a> {
            #[serde(borrow)]
            metadata: Metadata<'a>,
        }
        #[derive(Deserialize)]
        struct Metadata<'a> {
            #[serde(borrow, default, rename = "managedFields")]
            managed_fields: Vec<Entry<'a>>,
        }
        Ok(serde_json::from_str::<Object<'_>>(&self.text)?.metadata.managed_fields)
    }
}

/// An entry of `metadata.managedFields`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'a> {
    #[serde(default)]
    pub(crate) manager: String,
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) api_version: String,
    #[serde(default)]
    pub(crate) time: String,
    #[serde(default)]
    pub(crate) subresource: String,
    pub(crate) fields_type: String,
    #[serde(borrow, rename = "fieldsV1")]
    fields: &'a RawValue,
}

impl Entry<'_> {
    /// Its fields as they were sent.
    pub(crate) fn fields_text(&self) -> &str {
        self.fields.get()
    }

    pub(crate) fn fields(&self) -> Result<FieldSet, klient_structured_merge::Error> {
        FieldSet::from_json(self.fields_text())
    }

    /// Who it is of.
    pub(crate) fn id(&self) -> (&str, &str, &str, &str) {
        let api_version = if self.operation == "Apply" { "" } else { &self.api_version };
        (&self.operation, &self.manager, api_version, &self.subresource)
    }
}

/// A value without what no two servers have in common: what is made at random, or of the time.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: serde_json::Map<String, Value> = fields
                .iter()
                .map(|(name, value)| {
                    (name.clone(), if is_own(name, value) { "*".into() } else { masked(value) })
                })
                .collect();
            if let Some(Value::Array(causes)) = fields.get_mut("causes") {
                // A rule that several look at is said as often, and node ports are given before they are looked at.
                let is_given =
                    |cause: &Value| cause["field"].as_str().is_some_and(|field| field.ends_with(".nodePort"));
                causes.retain(|cause| !is_given(cause));
                causes.sort_by_key(Value::to_string);
                causes.dedup();
            }
            if let Some(Value::Array(entries)) = fields.get_mut("managedFields") {
                // Entries are in the order of their times, which are not the same.
                entries.sort_by_key(|entry| {
                    ["operation", "manager", "apiVersion", "subresource"].map(|name| entry[name].to_string())
                });
            }
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::String(text) => Value::String(masked_text(text)),
        other => other.clone(),
    }
}

/// Whether a field has a value of the server's own.
fn is_own(name: &str, value: &Value) -> bool {
    // Names of fields in managedFields begin with `f:`.
    match name {
        "uid" => value.as_str().is_some_and(|uid| !uid.starts_with("11111111-")),
        "resourceVersion" | "creationTimestamp" | "time" => !value.is_null(),
        "nodePort" | "healthCheckNodePort" => value.as_i64().is_some_and(|port| port > 0),
        "clusterIP" => value.as_str().is_some_and(|address| !address.is_empty() && address != "None"),
        "clusterIPs" => value.as_array().is_some_and(|addresses| !addresses.is_empty()),
        _ => false,
    }
}

/// A text without what no two servers have in common, and without what is Go's own: objects as Go writes them, and
/// what of Go's structs has changed.
fn masked_text(text: &str) -> String {
    static OWN: LazyLock<Regex> = LazyLock::new(|| {
        let time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ";
        // Those of an object that cannot be read, and of a port that was given, as Go writes them.
        let number = r"\brevision=\d+|\bnodePort:\d+";
        let uid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";
        let address = r"\b10\.\d+\.\d+\.\d+\b";
        let object = r#"(?s:"(\{|map\[).*[\]}]")"#;
        // Which field that cannot be converted is the first one to be looked at.
        let converted = r"unrecognized type: [\w\[\]]+|cannot convert int64 to [\w.]+|cannot restore \w+ from:? \w+|json: cannot unmarshal \w+ into Go value of type [\w.\[\]]+";
        // The types of a schema have a number in cel-go; versions of a definition are shown with Go's fields.
        let schema = r#"selfType\d*|\[\{"Name":.*\}\]"#;
        Regex::new(&format!("{time}|{number}|{uid}|{address}|{object}|{converted}|{schema}"))
            .expect("the expression is valid")
    });
    // Strings have types of their own in Go, and what a JSON patch copies keeps its order.
    static FIELD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"cannot unmarshal \w+( \S+)? into Go struct field (\S+) of type [\w.\[\]]+")
            .expect("the expression is valid")
    });
    // Go looks at fields in any order, and at none behind one that is not declared.
    const UNDECLARED: &str = "field not declared in schema";
    if text.contains(UNDECLARED) {
        let step =
            text.split_once(": errors:").or_else(|| text.split_once(": .")).map_or("", |(step, _)| step);
        return format!("{step}: *: {UNDECLARED}");
    }
    let text = text.split_once("\n@@").map_or(text, |(text, _)| text);
    let text = FIELD.replace_all(text, "cannot unmarshal * into Go struct field $2 of type *");
    OWN.replace_all(&text, "*").into_owned()
}

#[test]
fn what_is_a_servers_own_is_not_compared() {
    let one = json!({
        "metadata": {
            "uid": "8a3c1d52-5f4e-4a53-b7a3-0123456789ab",
            "resourceVersion": "5",
            "managedFields": [
                {"manager": "b", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:clusterIP": {}}}},
                {"manager": "a", "operation": "Update", "time": "2026-01-01T00:00:01Z"},
            ],
        },
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"nodePort": 30000}]},
        "message": "conflict with \"a\" at 2026-01-01T00:00:00Z: 10.96.0.7",
    });
    let other = json!({
        "metadata": {
            "uid": "1a3c1d52-5f4e-4a53-b7a3-0123456789ab",
            "resourceVersion": "700",
            "managedFields": [
                {"manager": "a", "operation": "Update", "time": "2026-01-01T00:00:02Z"},
                {"manager": "b", "operation": "Update", "time": "2026-01-01T00:00:02Z", "fieldsV1": {"f:spec": {"f:clusterIP": {}}}},
            ],
        },
        "spec": {"clusterIP": "10.0.0.3", "ports": [{"nodePort": 31234}]},
        "message": "conflict with \"a\" at 2026-01-01T00:00:02Z: 10.0.0.3",
    });
    assert_eq!(masked(&one), masked(&other));
    // Whether there is one is compared, and who owns it.
    let mut headless = other.clone();
    headless["spec"]["clusterIP"] = "None".into();
    assert_ne!(masked(&one), masked(&headless));
    headless = other;
    headless["metadata"]["managedFields"][1]["fieldsV1"] = json!({});
    assert_ne!(masked(&one), masked(&headless));
}
