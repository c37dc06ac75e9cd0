//! Listing objects.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use klient_apimachinery::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::read::{not_a_list_version, not_a_version, version, wait};
use super::{Context, Offer, negotiate};
use crate::field::{FieldError, Problems};
use crate::negotiate::{Format, Media, Transform};
use crate::registry::Resource;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};
use crate::storage::{Listed, Object, Page, Selection, StoreError};
use crate::stream;
use crate::table::{self, Include};
use crate::values::Map;

/// How much of a list is put together before it is sent on.
const CHUNK: usize = 64 * 1024;

/// Which list is asked for.
pub(crate) struct Wanted {
    pub(crate) selection: Selection,
    pub(crate) version: Option<u64>,
    matching: String,
}

impl Wanted {
    /// Reads and checks selectors and versions.
    pub(crate) fn parse(context: &Context, watch: bool) -> Result<Self> {
        let query = &context.query;
        check_options(context, watch)?;
        let labels = query.text("labelSelector");
        let labels = labels.parse().map_err(|error: klient_apimachinery::labels::InvalidSelector| {
            Failure::bad_request(error.to_string())
        })?;
        let mut fields = context.resource.field_selector(&query.text("fieldSelector"))?;
        if let Some(name) = &context.info.name {
            fields = klient_apimachinery::fields::Selector::one("metadata.name", name);
        }
        let refuse = if watch { not_a_version } else { not_a_list_version };
        Ok(Wanted {
            selection: Selection { labels, fields },
            version: version(&query.text("resourceVersion"), refuse)?,
            matching: query.text("resourceVersionMatch").into_owned(),
        })
    }
}

/// Checks the options that depend on each other.
fn check_options(context: &Context, watch: bool) -> Result<()> {
    let query = &context.query;
    let field = "resourceVersionMatch";
    let (version, matching) = (query.text("resourceVersion"), query.text(field));
    let initial_events = query.get("sendInitialEvents");
    let mut problems = Problems::default();
    let mut forbid = |field: &str, detail: &str| problems.add(FieldError::forbidden(field, detail));
    match (watch, initial_events) {
        (false, Some(_)) => forbid("sendInitialEvents", "sendInitialEvents is forbidden for list"),
        (true, Some(_)) if matching != "NotOlderThan" => {
            forbid(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        (true, None) if !matching.is_empty() => {
            forbid(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            if matching != "NotOlderThan" {
                problems.add(FieldError::not_supported(field, &*matching, &["NotOlderThan"]));
            }
        }
        (false, None) if !matching.is_empty() => {
            if version.is_empty() {
                forbid(field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
            } else if query.get("continue").is_some_and(|token| !token.is_empty()) {
                forbid(field, "resourceVersionMatch is forbidden when continue is provided");
            } else if !matches!(&*matching, "Exact" | "NotOlderThan") {
                problems.add(FieldError::not_supported(field, &*matching, &["Exact", "NotOlderThan", ""]));
            } else if matching == "Exact" && version == "0" {
                forbid(field, r#"resourceVersionMatch "exact" is forbidden for resourceVersion "0""#);
            }
        }
        _ => {}
    }
    if problems.0.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid("meta.k8s.io", "ListOptions", "", &problems.0))
}

/// Lists objects.
pub(crate) async fn list(context: &Context) -> Result<Response<Body>> {
    let format =
        negotiate(&context.headers, &context.query, Offer { transforms: true, list: true, watch: false })?;
    let include = Include::parse(&context.query)?;
    let wanted = Wanted::parse(context, false)?;
    let listed = read(context, &wanted).await?;
    let resource = context.resource.clone();
    let metadata = metadata(context, &listed, &wanted);
    match format.transform {
        Transform::None if format.media == Media::Json && !format.pretty => {
            Ok(stream(resource, listed.objects, &metadata))
        }
        Transform::None => {
            Ok(respond::json(StatusCode::OK, format, list_json(&resource, &listed.objects, &metadata)))
        }
        Transform::Partial(version) => {
            Ok(partial_list(format, version, &resource, &listed.objects, &metadata))
        }
        Transform::Table(version) => {
            let rows: Vec<(&Object, Map)> =
                listed.objects.iter().map(|object| (&**object, resource.read(object))).collect();
            let mut table = table::table(version, &resource, &rows, include, true, Time::now());
            table["metadata"] = metadata;
            Ok(respond::value(StatusCode::OK, format, &table))
        }
    }
}

/// Reads the objects a list asks for, waiting for a version that is to come.
async fn read(context: &Context, wanted: &Wanted) -> Result<Listed> {
    let query = &context.query;
    let limit =
        query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let token = query.get("continue").filter(|token| !token.is_empty()).map(Token::decode).transpose()?;
    if token.is_some() && wanted.version.is_some_and(|version| version != 0) {
        return Err(Failure::bad_request("specifying resource version is not allowed when using continue"));
    }
    let exact = wanted.matching == "Exact" || (wanted.matching.is_empty() && limit.is_some());
    let at = match (&token, wanted.version) {
        (Some(token), _) => u64::try_from(token.rv).ok(),
        (None, Some(version)) if version != 0 => {
            wait(context, version).await?;
            exact.then_some(version)
        }
        _ => None,
    };
    // Version 0 is answered from a cache upstream, which knows no pages.
    let limit = limit.filter(|_| wanted.version != Some(0) || token.is_some());
    let start = token.as_ref().map(|token| match context.namespace() {
        Some(namespace) => format!("{namespace}{}", token.start),
        None => token.start.trim_start_matches('/').to_owned(),
    });
    let page =
        Page { namespace: context.namespace(), selection: &wanted.selection, start: start.as_deref(), limit };
    let listed = context.state.store.list(&context.resource.table, at, &page);
    listed.map_err(|error| match (error, token) {
        (StoreError::Compacted { .. }, Some(token)) => expired_token(token),
        (StoreError::Compacted { .. }, None) => {
            Failure::expired("The resourceVersion for the provided list is too old.")
        }
        (StoreError::Future { latest }, _) => Failure::version_too_large(at.unwrap_or_default(), latest),
        _ => Failure::internal("cannot list"),
    })
}

fn expired_token(token: Token) -> Failure {
    let fresh = Token { rv: -1, ..token };
    Failure::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
         results. Continuing with the provided token results in an inconsistent list - objects that were created, \
         modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    .with_continue(fresh.encode())
}

/// Where a list goes on, as upstream writes it.
#[derive(Serialize, Deserialize)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

impl Token {
    fn decode(text: &str) -> Result<Token> {
        let refuse = |problem: String| {
            Failure::bad_request(format!("invalid continue token: continue key is not valid: {problem}"))
        };
        let bytes = BASE64.decode(text.trim_end_matches('=')).map_err(|error| refuse(error.to_string()))?;
        let first = bytes.first().copied().unwrap_or(b' ');
        let token: Token = serde_json::from_slice(&bytes).map_err(|_| {
            refuse(format!("invalid character '{}' looking for beginning of value", char::from(first)))
        })?;
        if token.v != "meta.k8s.io/v1" || token.start.contains("..") {
            return Err(refuse("it is of another version".to_owned()));
        }
        Ok(token)
    }

    fn encode(&self) -> String {
        BASE64.encode(respond::to_bytes(self))
    }
}

fn metadata(context: &Context, listed: &Listed, wanted: &Wanted) -> Value {
    let mut metadata = json!({ "resourceVersion": listed.version.to_string() });
    if let Some(next) = &listed.next {
        let start = match context.namespace() {
            Some(namespace) => next.strip_prefix(namespace).unwrap_or(next).to_owned(),
            None => format!("/{next}"),
        };
        let rv = i64::try_from(listed.version).unwrap_or(i64::MAX);
        metadata["continue"] = Token { v: "meta.k8s.io/v1".to_owned(), rv, start }.encode().into();
        if wanted.selection.is_everything() {
            metadata["remainingItemCount"] = listed.remaining.into();
        }
    }
    metadata
}

/// The beginning of a list, up to its first item.
fn list_head(resource: &Resource, metadata: &Value) -> Vec<u8> {
    let (kind, api_version) = (&resource.list_kind, resource.info.api_version());
    format!(r#"{{"kind":{kind:?},"apiVersion":{api_version:?},"metadata":{metadata},"items":["#).into_bytes()
}

/// Items of built-in kinds leave out their kind; the list says it.
pub(super) fn push_item(resource: &Resource, object: &Object, out: &mut Vec<u8>) {
    let json = resource.render(object);
    if resource.is_custom() {
        respond::push_kind(resource, out);
        out.extend_from_slice(json.get(1..).unwrap_or_default());
    } else {
        out.extend_from_slice(&json);
    }
}

fn list_json(resource: &Resource, objects: &[Arc<Object>], metadata: &Value) -> Vec<u8> {
    let mut out = list_head(resource, metadata);
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_item(resource, object, &mut out);
    }
    out.extend_from_slice(b"]}");
    out
}

/// Sends a list as it is put together: small ones at once, others chunk by chunk as the client takes them.
fn stream(resource: Arc<Resource>, objects: Vec<Arc<Object>>, metadata: &Value) -> Response<Body> {
    let size: usize = objects.iter().map(|object| object.json.len()).sum();
    if size < CHUNK {
        return respond::plain(StatusCode::OK, "application/json", list_json(&resource, &objects, metadata));
    }
    let head = list_head(&resource, metadata);
    let (sender, body) = stream::channel(4);
    tokio::spawn(async move {
        let mut chunk = head;
        for (index, object) in objects.iter().enumerate() {
            if index > 0 {
                chunk.push(b',');
            }
            push_item(&resource, object, &mut chunk);
            if chunk.len() >= CHUNK && sender.send(std::mem::take(&mut chunk).into()).await.is_err() {
                return;
            }
        }
        chunk.extend_from_slice(b"]}");
        // A client that is gone needs no end.
        let _ = sender.send(chunk.into()).await;
    });
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn partial_list(
    format: Format,
    version: &str,
    resource: &Resource,
    objects: &[Arc<Object>],
    metadata: &Value,
) -> Response<Body> {
    let items: Vec<Value> =
        objects.iter().map(|object| respond::partial(version, &resource.read(object))).collect();
    let list = json!({
        "kind": "PartialObjectMetadataList",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata,
        "items": items,
    });
    respond::value(StatusCode::OK, format, &list)
}
