//! Protobuf in requests and responses, and the resources that do not support it.

mod answers;
mod bodies;
mod hostile;
mod watches;

use http::Method;
use klient_apimachinery::codec::protobuf::Envelope;
use klient_apimachinery::codec::{ManagedFields, json, protobuf};
use klient_apimachinery::message::Dynamic;
use klient_apimachinery::schema::Schema;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::client::Client;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

fn schema(api_version: &str, kind: &str) -> &'static Schema {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    // Options and answers are taken under the name of any group.
    let of_all = || klient_schema::kind("", "v1", kind);
    klient_schema::kind(group, version, kind).or_else(of_all).unwrap_or_else(|| panic!("no kind {kind}"))
}

fn raw(object: &Value, schema: &'static Schema) -> Vec<u8> {
    let mut message = Dynamic::new(schema);
    json::decode(object.to_string().as_bytes(), &mut message).expect("it is of the kind");
    let mut raw = Vec::new();
    protobuf::encode(&message, &mut raw);
    raw
}

fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Envelope { api_version, kind, raw }.write(&mut out);
    out
}

/// An object as typed clients send it.
fn encode(api_version: &str, kind: &str, object: &Value) -> Vec<u8> {
    enveloped(api_version, kind, &raw(object, schema(api_version, kind)))
}

/// The JSON of a struct's bytes, without its kind.
fn fields(raw: &[u8], schema: &'static Schema) -> Map<String, Value> {
    let mut message = Dynamic::new(schema);
    protobuf::decode(raw, &mut message, ManagedFields::Keep).expect("the server writes protobuf");
    let mut text = Vec::new();
    json::encode(&message, &mut text);
    serde_json::from_slice(&text).expect("a struct is an object")
}

/// An object in protobuf as JSON, with its kind.
fn decode(bytes: &[u8]) -> Value {
    let envelope = Envelope::parse(bytes).expect("the server writes envelopes");
    let mut object = fields(envelope.raw, schema(envelope.api_version, envelope.kind));
    object.insert("apiVersion".to_owned(), envelope.api_version.into());
    object.insert("kind".to_owned(), envelope.kind.into());
    object.into()
}

/// The object of an answer in protobuf, which must come with this status.
#[track_caller]
fn object(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.header("content-type"), PROTOBUF, "{answer:?}");
    let object = decode(&answer.body);
    assert_eq!(answer.status.as_u16(), status, "{object}");
    object
}

/// The code and message of a refusal in protobuf.
#[track_caller]
fn refusal(answer: &Answer) -> String {
    let status = object(answer, answer.status.as_u16());
    assert_eq!((&status["kind"], &status["code"]), (&"Status".into(), &answer.status.as_u16().into()));
    format!("{} {}", status["code"], status["message"].as_str().unwrap_or_default())
}

/// Sends protobuf and accepts only protobuf.
async fn send(client: &Client, method: Method, path: &str, body: Vec<u8>) -> Answer {
    client.send(method, path, &[("content-type", PROTOBUF), ("accept", PROTOBUF)], body).await
}

async fn post(client: &Client, path: &str, body: Vec<u8>) -> Answer {
    send(client, Method::POST, path, body).await
}
