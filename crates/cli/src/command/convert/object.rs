//! [`BuiltIn`], a decoded object or list of a built-in kind.

use klient_apimachinery::codec::protobuf::{Envelope, ListPart, list_parts};
use klient_apimachinery::codec::{ManagedFields, json, protobuf};
use klient_apimachinery::message::Dynamic;
use klient_apimachinery::meta::v1::schema::LIST_META;
use klient_apimachinery::schema::Schema;
use serde_json::{Map, Value};

/// A decoded object or list of a built-in kind.
pub(super) struct BuiltIn {
    api_version: String,
    kind: String,
    body: Body,
}

enum Body {
    Object(Dynamic),
    List { metadata: Dynamic, items: Vec<Dynamic> },
}

/// The schema of an object, or of the items of a list.
enum SchemaMatch {
    Object(&'static Schema),
    List(&'static Schema),
}

impl BuiltIn {
    /// Decodes protobuf with the envelope `k8s\0`.
    pub(super) fn from_protobuf(bytes: &[u8]) -> Result<Self, String> {
        let text = |error: klient_apimachinery::codec::DecodeError| error.to_string();
        let envelope = Envelope::parse(bytes).map_err(text)?;
        let decode = |schema, bytes| {
            let mut message = Dynamic::new(schema);
            protobuf::decode(bytes, &mut message, ManagedFields::Keep).map(|()| message).map_err(text)
        };
        let body = match find_schema(envelope.api_version, envelope.kind)? {
            SchemaMatch::Object(schema) => Body::Object(decode(schema, envelope.raw)?),
            SchemaMatch::List(schema) => {
                let mut metadata = Dynamic::new(&LIST_META);
                let mut items = Vec::new();
                for part in list_parts(envelope.raw) {
                    match part.map_err(text)? {
                        ListPart::Metadata(bytes) => metadata = decode(&LIST_META, bytes)?,
                        ListPart::Item(bytes) => items.push(decode(schema, bytes)?),
                    }
                }
                Body::List { metadata, items }
            }
        };
        Ok(BuiltIn { api_version: envelope.api_version.to_owned(), kind: envelope.kind.to_owned(), body })
    }

    /// Decodes a JSON value.
    pub(super) fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(mut fields) = value else {
            return Err("it is no object with an apiVersion and a kind".to_owned());
        };
        let (api_version, kind) = type_meta(&mut fields);
        let body = match find_schema(&api_version, &kind)? {
            SchemaMatch::Object(schema) => Body::Object(from_fields(schema, fields)?),
            SchemaMatch::List(schema) => {
                let metadata = match fields.remove("metadata") {
                    Some(Value::Object(metadata)) => from_fields(&LIST_META, metadata)?,
                    _ => Dynamic::new(&LIST_META),
                };
                let Some(Value::Array(items)) = fields.remove("items") else {
                    return Err(format!("the {kind} has no list of items"));
                };
                let item = |item| match item {
                    Value::Object(mut fields) => {
                        type_meta(&mut fields);
                        from_fields(schema, fields)
                    }
                    _ => Err(format!("an item of the {kind} is no object")),
                };
                Body::List { metadata, items: items.into_iter().map(item).collect::<Result<_, _>>()? }
            }
        };
        Ok(BuiltIn { api_version, kind, body })
    }

    /// Returns the JSON value.
    pub(super) fn to_value(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("apiVersion".to_owned(), self.api_version.as_str().into());
        fields.insert("kind".to_owned(), self.kind.as_str().into());
        match &self.body {
            Body::Object(message) => fields.append(&mut to_fields(message)),
            Body::List { metadata, items } => {
                fields.insert("metadata".to_owned(), Value::Object(to_fields(metadata)));
                let items = items.iter().map(|item| Value::Object(to_fields(item)));
                fields.insert("items".to_owned(), items.collect());
            }
        }
        Value::Object(fields)
    }

    /// Appends the protobuf encoding, with its envelope.
    pub(super) fn write_protobuf(&self, out: &mut Vec<u8>) {
        let encode = |message: &Dynamic| {
            let mut bytes = Vec::new();
            protobuf::encode(message, &mut bytes);
            bytes
        };
        let raw = match &self.body {
            Body::Object(message) => encode(message),
            Body::List { metadata, items } => {
                let mut raw = Vec::new();
                ListPart::Metadata(&encode(metadata)).push(&mut raw);
                for item in items {
                    ListPart::Item(&encode(item)).push(&mut raw);
                }
                raw
            }
        };
        Envelope { api_version: &self.api_version, kind: &self.kind, raw: &raw }.write(out);
    }
}

fn type_meta(fields: &mut Map<String, Value>) -> (String, String) {
    let mut take = |name| match fields.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    (take("apiVersion"), take("kind"))
}

fn from_fields(schema: &'static Schema, fields: Map<String, Value>) -> Result<Dynamic, String> {
    let mut message = Dynamic::new(schema);
    let text = Value::Object(fields).to_string();
    json::decode(text.as_bytes(), &mut message).map(|()| message).map_err(|error| error.to_string())
}

fn to_fields(message: &Dynamic) -> Map<String, Value> {
    let mut text = Vec::new();
    json::encode(message, &mut text);
    serde_json::from_slice(&text).unwrap_or_default()
}

fn find_schema(api_version: &str, kind: &str) -> Result<SchemaMatch, String> {
    if api_version.is_empty() || kind.is_empty() {
        return Err("its apiVersion or kind is missing".to_owned());
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let item = kind.strip_suffix("List").and_then(|kind| klient_schema::kind(group, version, kind));
    match (klient_schema::kind(group, version, kind), item) {
        (Some(schema), _) => Ok(SchemaMatch::Object(schema)),
        (None, Some(schema)) => Ok(SchemaMatch::List(schema)),
        (None, None) => {
            Err(format!("{api_version} {kind} is no built-in kind: convert knows no custom resources"))
        }
    }
}
