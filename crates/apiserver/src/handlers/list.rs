//! Listing objects.

mod frame;
mod request;
mod token;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use klient_apimachinery::meta::v1::schema::PARTIAL_OBJECT_METADATA;

use frame::{Frame, item, push_item};
use klient_apimachinery::values::Map;
pub(super) use request::ListRequest;
use token::Token;

use super::read::wait;
use super::{Context, Offer, negotiate};
use crate::gzip;
use crate::negotiate::{Format, Media, Transform};
use crate::protobuf;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};
use crate::storage::{Listed, Object, Page, StorageError};
use crate::stream;
use crate::table;

/// The size of a list's chunks, in bytes.
const CHUNK: usize = 64 * 1024;

/// Lists objects.
pub(crate) async fn list(context: &Context) -> Result<Response<Body>> {
    let custom = context.resource.is_custom();
    let offer = Offer { transforms: true, list: true, custom, ..Offer::PLAIN };
    let format = negotiate(&context.headers, &context.query, offer)?;
    let request = ListRequest::parse(context, false)?;
    let listed = read(context, &request).await?;
    let metadata = metadata(context, &listed, &request);
    if let Transform::Table(version) = format.transform {
        let resource = &context.resource;
        let rows = listed.objects.iter().map(|object| resource.read(object));
        let table = table::table(version, resource, &metadata, rows, format.include, true);
        return Ok(respond::json(StatusCode::OK, format, table));
    }
    Ok(answer(context, format, &metadata, listed.objects))
}

/// A list of objects in the requested form.
pub(super) fn answer(
    context: &Context,
    format: Format,
    metadata: &Map,
    objects: Vec<Arc<Object>>,
) -> Response<Body> {
    let resource = context.resource.clone();
    let patience = context.state.client_timeout;
    if let Transform::Partial(version) = format.transform {
        let partial = |object: &Arc<Object>| respond::kind::partial(version, &resource.read(object));
        let items = objects.iter().map(partial);
        let (kind, api_version) = ("PartialObjectMetadataList", format!("meta.k8s.io/{version}"));
        if format.media == Media::Protobuf {
            let raw = |json: Vec<u8>| protobuf::raw(&json, &PARTIAL_OBJECT_METADATA).into();
            let items: Vec<Bytes> = items.map(raw).collect();
            let frame = Frame::protobuf(kind, &api_version, metadata, &items);
            return stream(frame, items.iter().map(Bytes::len).sum(), items.into_iter(), patience);
        }
        let list = Frame::typed(kind, &api_version, metadata).around(items.map(Bytes::from));
        return respond::json(StatusCode::OK, format, list);
    }
    if format.media == Media::Protobuf {
        let items: Vec<Bytes> = objects.iter().map(|object| resource.render_protobuf(object)).collect();
        let frame = Frame::protobuf(&resource.list_kind, &resource.info.api_version(), metadata, &items);
        return stream(frame, items.iter().map(Bytes::len).sum(), items.into_iter(), patience);
    }
    let frame = Frame::of(&resource, metadata);
    let size = objects.iter().map(|object| object.json.len()).sum();
    let items = objects.into_iter().map(move |object| item(&resource, resource.render(&object)));
    if format.media == Media::Json && !format.pretty {
        return stream(frame, size, items, patience);
    }
    respond::json(StatusCode::OK, format, frame.around(items))
}

/// Reads the objects of a list. Waits for a requested version in the future.
pub(super) async fn read(context: &Context, request: &ListRequest) -> Result<Listed> {
    let query = &context.query;
    let limit =
        query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let token = query.get("continue").filter(|token| !token.is_empty()).map(Token::decode).transpose()?;
    if token.is_some() && request.version.is_some_and(|version| version != 0) {
        return Err(Failure::bad_request("specifying resource version is not allowed when using continue"));
    }
    let exact = request.matching == "Exact" || (request.matching.is_empty() && limit.is_some());
    let at = match (&token, request.version) {
        (Some(token), _) => u64::try_from(token.rv).ok(),
        (None, Some(version)) if version != 0 => {
            wait(&context.state, version).await?;
            exact.then_some(version)
        }
        _ => None,
    };
    // Version 0 is answered from a cache upstream, which knows no pages.
    let limit = limit.filter(|_| request.version != Some(0) || token.is_some());
    let start = token.as_ref().map(|token| token.key(context.namespace()));
    let page = Page {
        namespace: context.namespace(),
        selection: &request.selection,
        start: start.as_deref(),
        limit,
    };
    let listed = context.state.store.list(&context.resource.table, at, &page);
    let mut listed = listed.map_err(|error| match (error, token) {
        (StorageError::Compacted { .. }, Some(token)) => expired_token(token),
        (StorageError::Compacted { .. }, None) => {
            Failure::expired("The resourceVersion for the provided list is too old.")
        }
        (StorageError::Future { latest }, _) => Failure::version_too_large(at.unwrap_or_default(), latest),
        _ => Failure::internal("cannot list"),
    })?;
    listed.objects =
        context.state.converter.serve_all(&context.resource, listed.objects, context.deadline).await?;
    Ok(listed)
}

fn expired_token(token: Token) -> Failure {
    let fresh = token.without_version();
    Failure::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
         results. Continuing with the provided token results in an inconsistent list - objects that were created, \
         modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    .with_continue(fresh.encode())
}

/// The metadata of a list.
pub(super) fn metadata(context: &Context, listed: &Listed, request: &ListRequest) -> Map {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), listed.version.to_string().into());
    if let Some(next) = &listed.next {
        let start = match context.namespace() {
            Some(namespace) => next.strip_prefix(namespace).unwrap_or(next).to_owned(),
            None => format!("/{next}"),
        };
        let rv = i64::try_from(listed.version).unwrap_or(i64::MAX);
        metadata.insert("continue".to_owned(), Token::new(rv, start).encode().into());
        if request.selection.is_everything() {
            metadata.insert("remainingItemCount".to_owned(), listed.remaining.into());
        }
    }
    metadata
}

/// Sends a list as it is put together: small ones at once, others chunk by chunk as the client takes them. To one
/// that takes none for too long the rest is not sent.
fn stream(
    mut frame: Frame,
    size: usize,
    items: impl Iterator<Item = Bytes> + Send + 'static,
    patience: Duration,
) -> Response<Body> {
    let media = frame.media;
    if media == Media::Json {
        frame.tail.push(b'\n');
    }
    if size < CHUNK {
        return respond::encoded(StatusCode::OK, media, frame.around(items));
    }
    let (sender, body) = stream::channel(4);
    tokio::spawn(async move {
        let mut chunk = frame.head;
        for (index, item) in items.enumerate() {
            push_item(media, index, &item, &mut chunk);
            if chunk.len() >= CHUNK {
                let sent = sender.send_timeout(std::mem::take(&mut chunk).into(), patience).await;
                if sent.is_err() {
                    return;
                }
            }
        }
        chunk.extend(frame.tail);
        // A client that is gone needs no end.
        let _ = sender.send_timeout(chunk.into(), patience).await;
    });
    let mut response = Response::new(body);
    response.extensions_mut().insert(gzip::About(size));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    response
}
