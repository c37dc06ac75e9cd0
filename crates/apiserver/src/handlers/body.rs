//! Reading the object in a request's body.

pub(super) mod protobuf;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{
    self, Decoded, MAX_STRICT_ERRORS, Map, Numbers, Parsed, Target, UnmarshalTypeError, map_at, text_at,
};
use klient_apimachinery::yaml::{self, DuplicateKey};
use serde_json::Value;

use super::Context;
use super::field_validation::FieldValidation;
use crate::foreign_kind::{NamedKind, Unversioned, no_kind};
use crate::registry::Resource;
use crate::status::{Failure, Result};

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    Json,
    Yaml,
    Protobuf,
}

/// The media type of the Content-Type header in lower case, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The media type of a body, JSON by default. Custom resources have no protobuf.
///
/// # Errors
///
/// 415 for forms that are not read.
pub(crate) fn medium(headers: &HeaderMap, has_protobuf: bool) -> Result<Medium> {
    match &*media_type(headers) {
        "" | "application/json" => Ok(Medium::Json),
        "application/yaml" => Ok(Medium::Yaml),
        "application/vnd.kubernetes.protobuf" if has_protobuf => Ok(Medium::Protobuf),
        _ => {
            let protobuf = if has_protobuf { ", application/vnd.kubernetes.protobuf" } else { "" };
            Err(Failure::new(
                Reason::UnsupportedMediaType,
                format!(
                    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml{protobuf}"
                ),
            ))
        }
    }
}

/// An object as it was sent.
pub(crate) struct Sent {
    pub(crate) object: Map,
    /// Its numbers as they are written, if it was JSON.
    pub(crate) numbers: Numbers,
    /// The fields that stood in it twice, if it was JSON.
    duplicates: Vec<String>,
    /// The keys that stood in it twice, if it was YAML.
    repeated: Vec<DuplicateKey>,
}

/// Reads the object in a body and checks that it is of the kind served here.
///
/// # Errors
///
/// 400 in the server's words, 415 for forms that are not read.
pub(crate) fn read(context: &Context, kind: &str, api_version: &str) -> Result<Sent> {
    // The scale of a custom resource is of a built-in kind.
    let has_protobuf = !context.resource.is_custom() || kind != &*context.resource.info.kind;
    let (Parsed { value, duplicates, numbers }, repeated) = match medium(&context.headers, has_protobuf)? {
        Medium::Protobuf => {
            let object = protobuf::read(context, kind, api_version)?;
            return Ok(Sent {
                object,
                numbers: Numbers::default(),
                duplicates: Vec::new(),
                repeated: Vec::new(),
            });
        }
        Medium::Json => {
            let read = values::parse(&context.body);
            (read.map_err(|problem| not_json(context, kind, &problem))?, Vec::new())
        }
        Medium::Yaml => {
            let read = read_yaml(&context.body);
            let (value, repeated) = read.map_err(|problem| unrecognized(context, kind, &problem))?;
            (Parsed { value, ..Parsed::default() }, repeated)
        }
    };
    if let Some(problem) = no_kind(&value) {
        return Err(not_json(context, kind, &problem));
    }
    let object = match value {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let sent = (text_at(&object, &["kind"]), text_at(&object, &["apiVersion"]));
    // A custom resource is decoded by the kind that the body names.
    if context.resource.is_custom() && kind != "Scale" && sent.0.is_empty() {
        let problem = format!("Object 'Kind' is missing in '{}'", String::from_utf8_lossy(&context.body));
        // Only upstream's strict decoder forgets which kind it should be.
        if context.query.get("fieldValidation") == Some("Ignore") {
            let version = if sent.1.is_empty() { api_version } else { sent.1 };
            let version = quoted(version.rsplit('/').next().unwrap_or_default());
            return Err(Failure::bad_request(format!(
                "{kind} in version {version} cannot be handled as a {kind}: {problem}"
            )));
        }
        return Err(unrecognized(context, kind, &problem));
    }
    check_kind(context, sent, (kind, api_version), text_at(&object, &["metadata", "name"]))?;
    Ok(Sent { object, numbers, duplicates, repeated })
}

/// Reads YAML, and lists its duplicate keys.
///
/// # Errors
///
/// The message of Go's parser.
pub(super) fn read_yaml(body: &[u8]) -> std::result::Result<(Value, Vec<DuplicateKey>), String> {
    yaml::from_slice_with_duplicates(body).map_err(|error| error.to_string())
}

/// The message of Go's strict YAML decoder about duplicate keys.
pub(super) fn repeated_keys(repeated: &[DuplicateKey]) -> String {
    let lines = repeated.iter().map(|key| format!("\n  {key}"));
    format!("yaml: unmarshal errors:{}", lines.collect::<String>())
}

fn not_json(context: &Context, kind: &str, problem: &str) -> Failure {
    unrecognized(context, kind, &format!("couldn't get version/kind; json parse error: {problem}"))
}

fn unrecognized(context: &Context, kind: &str, problem: &str) -> Failure {
    Failure::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {problem} ({})",
        summary(&context.body)
    ))
}

/// The beginning of a body for messages: a string if it looks like JSON, else hexadecimal.
fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let shown = &body[..body.len().min(SHOWN)];
    let more = if body.len() > SHOWN { " ..." } else { "" };
    match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(shown)),
        Some(_) => shown.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + more,
    }
}

/// Checks the kind and apiVersion of a body. Absent ones default to those of the resource, unless it is a custom one.
fn check_kind(
    context: &Context,
    (sent_kind, sent_version): (&str, &str),
    (kind, api_version): (&str, &str),
    name: &str,
) -> Result<()> {
    let is_custom = context.resource.is_custom() && kind != "Scale";
    let other_version = || {
        Failure::bad_request(format!(
            "the API version in the data ({sent_version}) does not match the expected API version ({api_version})"
        ))
    };
    if is_custom {
        if sent_version != api_version {
            return Err(other_version());
        }
        if sent_kind.is_empty() || sent_kind == kind {
            return Ok(());
        }
        let problem = FieldError::invalid("kind", sent_kind, format!("must be {kind}"));
        return Err(Failure::invalid(&context.resource.info.group, sent_kind, name, &[problem]));
    }
    let named = NamedKind::new((kind, api_version), (sent_kind, sent_version), Unversioned::Expected);
    if named.as_ref().is_ok_and(NamedKind::is_expected) {
        return Ok(());
    }
    if context.resource.is_custom() {
        return Err(unregistered_scale());
    }
    let named = named.map_err(|problem| unrecognized(context, kind, &problem))?;
    let text = || String::from_utf8_lossy(&context.body).into_owned();
    Err(match named.check_known(text).and_then(|()| named.check_convertible()) {
        Ok(()) => other_version(),
        Err(problem) => {
            let (kind_sent, version) = (named.kind, quoted(named.version()));
            Failure::bad_request(format!(
                "{kind_sent} in version {version} cannot be handled as a {kind}: {problem}"
            ))
        }
    })
}

/// 400 for a body that is no Scale of a custom resource.
pub(super) fn unregistered_scale() -> Failure {
    Failure::bad_request(
        r#"no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:111""#,
    )
}

/// Converts a sent object into its stored form. Unknown and duplicate fields are refused, warned of or ignored, by
/// `fieldValidation`.
///
/// # Errors
///
/// 400 in the server's words.
pub(crate) fn decode(context: &mut Context, sent: Sent, validation: FieldValidation) -> Result<Map> {
    let resource = context.resource.clone();
    let kind = Kind { name: &resource.info.kind, version: &resource.info.version, schema: resource.schema() };
    decode_as(context, sent, validation, kind, |object, numbers| resource.decode(object, numbers))
}

/// The kind that a body is decoded into.
pub(super) struct Kind<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// Its struct, if it is built in.
    pub(super) schema: Option<&'static Schema>,
}

/// As [`decode`], of a kind that need not be that of the resource.
pub(super) fn decode_as(
    context: &mut Context,
    sent: Sent,
    validation: FieldValidation,
    kind: Kind<'_>,
    decode: impl FnOnce(Map, &Numbers) -> std::result::Result<Decoded, UnmarshalTypeError>,
) -> Result<Map> {
    let Kind { name, version, schema } = kind;
    let refuse = |problem: &str| {
        Failure::bad_request(format!(
            "{name} in version {} cannot be handled as a {name}: {problem}",
            quoted(version)
        ))
    };
    let Sent { object, numbers, duplicates, repeated } = sent;
    let Decoded { object, unknown } =
        decode(object, &numbers).map_err(|mismatch| refuse(&mismatch.of_json))?;
    if (duplicates.is_empty() && repeated.is_empty() && unknown.is_empty())
        || validation == FieldValidation::Ignore
    {
        return Ok(object);
    }
    let notes = match schema {
        None => untyped_notes(&duplicates, &unknown),
        Some(schema) if medium(&context.headers, true)? == Medium::Yaml => {
            let json = read_yaml(&context.body).map(|(value, _)| value.to_string()).unwrap_or_default();
            values::strict_errors(json.as_bytes(), Target::Kind(schema))
        }
        Some(schema) => values::strict_errors(&context.body, Target::Kind(schema)),
    };
    if validation == FieldValidation::Warn {
        context.warnings.extend(repeated.iter().map(ToString::to_string).chain(notes));
        return Ok(object);
    }
    let yaml = (!repeated.is_empty()).then(|| repeated_keys(&repeated));
    let notes: Vec<String> = yaml.into_iter().chain(notes).collect();
    if notes.is_empty() {
        return Ok(object);
    }
    Err(refuse(&format!("strict decoding error: {}", notes.join(", "))))
}

/// The messages of strict decoding of a custom resource: duplicate fields, then unknown ones.
pub(crate) fn untyped_notes(duplicates: &[String], unknown: &[String]) -> Vec<String> {
    let duplicates = duplicates.iter().map(|field| format!("duplicate field {}", quoted(field)));
    let unknown = unknown.iter().map(|field| format!("unknown field {}", quoted(field)));
    duplicates.chain(unknown).take(MAX_STRICT_ERRORS).collect()
}

/// Checks an object's namespace against the request's, and fills it in.
///
/// # Errors
///
/// 400 if they differ.
pub(crate) fn check_namespace(resource: &Resource, object: &mut Map, namespace: Option<&str>) -> Result<()> {
    let metadata = map_at(object, "metadata");
    let sent = text_at(metadata, &["namespace"]);
    match namespace.filter(|_| resource.info.namespaced) {
        Some(namespace) => {
            if !sent.is_empty() && sent != namespace {
                return Err(Failure::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        None => {
            metadata.remove("namespace");
        }
    }
    Ok(())
}

/// Checks an object's name against the one in the path.
///
/// # Errors
///
/// 400 if they differ.
pub(crate) fn check_name(name: &str, object: &Map) -> Result<()> {
    match text_at(object, &["metadata", "name"]) {
        "" => Err(Failure::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        sent if sent != name => Err(Failure::bad_request(format!(
            "the name of the object ({sent}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    }
}
