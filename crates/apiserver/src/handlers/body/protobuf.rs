//! Bodies in protobuf.

mod weight;

use klient_apimachinery::codec::protobuf::{self, Envelope, MAGIC};
use klient_apimachinery::codec::{DecodeError, ManagedFields, json};
use klient_apimachinery::go::quoted;
use klient_apimachinery::message::Dynamic;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map};
use serde_json::Value;

use super::super::Context;
use super::{check_kind, unrecognized};
use crate::status::{Failure, Result};

/// [`MAGIC`] as Go prints it.
const PREFIX: &str = "[107 56 115 0]";

/// Reads the object in a body and checks that it is of the kind served here. Duplicate fields cannot be detected: the
/// last one counts.
///
/// # Errors
///
/// 400 in the server's words.
pub(super) fn read(context: &Context, kind: &str, api_version: &str) -> Result<Map> {
    let envelope = open(&context.body).map_err(|problem| unrecognized(context, kind, &problem))?;
    check_kind(context, (envelope.kind, envelope.api_version), (kind, api_version), "")?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let schema = klient_schema::kind(group, version, kind).expect("kinds that are served have a schema");
    decode(envelope.raw, schema).map_err(|problem| {
        Failure::bad_request(format!(
            "{kind} in version {version} cannot be handled as a {kind}: {problem}",
            version = quoted(version)
        ))
    })
}

/// Reads the options of a delete, if the kind and the version that the body names pass a check.
///
/// # Errors
///
/// 400 in the server's words, and the errors of the check.
pub(in crate::handlers) fn read_options(
    body: &[u8],
    check: impl FnOnce(&str, &str) -> Result<()>,
) -> Result<DeleteOptions> {
    let envelope = open(body).map_err(Failure::bad_request)?;
    check(envelope.kind, envelope.api_version)?;
    let mut options = DeleteOptions::default();
    protobuf::decode(envelope.raw, &mut options, ManagedFields::Keep)
        .map_err(|error| Failure::bad_request(in_go(&error)))?;
    Ok(options)
}

fn open(body: &[u8]) -> std::result::Result<Envelope<'_>, String> {
    if body.is_empty() {
        return Err("empty data".to_owned());
    }
    if !body.starts_with(&MAGIC) {
        return Err(format!(
            "provided data does not appear to be a protobuf message, expected prefix {PREFIX}"
        ));
    }
    if body.len() == MAGIC.len() {
        return Err("empty body".to_owned());
    }
    Envelope::parse(body).map_err(|error| in_go(&error))
}

fn decode(raw: &[u8], schema: &'static Schema) -> std::result::Result<Map, String> {
    if weight::is_too_large(raw, schema) {
        return Err("it holds too many structs".to_owned());
    }
    let mut message = Dynamic::new(schema);
    protobuf::decode(raw, &mut message, ManagedFields::Keep).map_err(|error| in_go(&error))?;
    let mut text = Vec::new();
    json::encode(&message, &mut text);
    match values::parse(&text)?.value {
        Value::Object(object) => Ok(object),
        _ => unreachable!("a struct is an object in JSON"),
    }
}

/// The message of Go's protobuf decoder where it has one, else the codec's, with the field's path unless keys make that
/// too long.
fn in_go(error: &DecodeError) -> String {
    const LONGEST_PATH: usize = 1000;
    let mut text = error.to_string();
    if error.path().len() > LONGEST_PATH {
        text.drain(..error.path().len() + ": ".len());
    }
    if text.ends_with("the bytes end in the middle of a field") {
        "unexpected EOF".to_owned()
    } else if text.ends_with("a number has more than 64 bits") {
        "proto: integer overflow".to_owned()
    } else {
        text
    }
}
