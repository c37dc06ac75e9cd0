//! `/v1/table/…` and `/v1/changes/…`: the rows of a kind, and their changes.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract;
use http::HeaderName;
use klient_client::ApiResource;
use serde_json::json;

use super::{Context, KindPath};
use crate::changes::ChangeStream;
use crate::digest;
use crate::failure::{Code, Failure};
use crate::feed::ring::Status;
use crate::feed::{Feed, FeedKey, Form};
use crate::query::Query;
use crate::response::{self, Response};
use crate::selection::{Filter, PAGE_PARAMETERS, PARAMETERS, Page, Selection};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The rows of a kind.
pub(super) async fn table(context: Context, kind: KindPath) -> Result<Response, Failure> {
    let query = context.query();
    query.check(&[&PARAMETERS[..], &PAGE_PARAMETERS].concat())?;
    let (resource, feed, filter) = select(&context, kind, &query).await?;
    let ring = feed.ring();
    let columns = ring.columns();
    let page = Page::of(&query, &columns)?;
    // Before the rows: a change that is among them already is sent once more, and none is missed.
    let cursor = ring.cursor(ring.last());
    let version = feed.store().resource_version();
    let status = match ring.status() {
        Status::Waiting(message) => json!({ "state": "waiting", "message": message }),
        _ => json!({ "state": "live" }),
    };
    let rows = filter.rows(&feed);
    let total = rows.len();
    let (rows, next) = page.cut(rows)?;
    let tag = digest::short(format!("{cursor} {version} {status}").as_bytes());
    Ok(response::kept(&context.headers, &tag, response::CHECKED, || {
        let info = &resource.info;
        let head = json!({
            "resource": {
                "group": info.group,
                "version": info.version,
                "resource": info.plural,
                "kind": info.kind,
                "namespaced": info.namespaced,
            },
            "columns": *columns,
            "total": total,
            "continue": next,
            "resourceVersion": version,
            "cursor": cursor,
            "status": status,
        });
        let mut head = head.to_string().into_bytes();
        // The member `rows` is the last one.
        head.pop();
        head.extend_from_slice(b",\"rows\":[");
        response::of_objects(head, rows, b"]}")
    }))
}

/// The changes of a kind as server-sent events: see [`ChangeStream`].
pub(super) async fn changes(context: Context, kind: KindPath) -> Result<Response, Failure> {
    let query = context.query();
    query.check(&[&PARAMETERS[..], &["cursor"]].concat())?;
    let (_, feed, filter) = select(&context, kind, &query).await?;
    let open = context.gateway.streams.open(&context.caller.client)?;
    let ring = feed.ring();
    // A browser that comes back sends the last id that it has seen, with the address of its first request.
    let last_id = context.headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or_default());
    let asked = last_id.filter(|id| !id.is_empty()).or(query.get("cursor"));
    let found = asked.map(|cursor| ring.find(cursor));
    let stream = ChangeStream {
        filter,
        after: found.flatten().unwrap_or_else(|| ring.last()),
        last: ring.subscribe(),
        shutdown: context.gateway.shutdown.subscribe(),
        meters: context.gateway.meters.clone(),
        ready: VecDeque::new(),
        has_ended: false,
        _open: open,
        feed: feed.open_stream(),
    };
    Ok(response::events(stream.into_events(found == Some(None))))
}

/// The resource and the informer of a request, and the filter of its rows.
async fn select(
    context: &Context,
    kind: KindPath,
    query: &Query,
) -> Result<(ApiResource, Arc<Feed>, Filter), Failure> {
    let extract::Path((group, version, plural)) = kind;
    let resource = context.listed_resource(&group, &version, &plural).await?;
    let Selection { field_selector, mut filter } = Selection::of(query, resource.info.namespaced)?;
    let key = FeedKey {
        form: Form::Rows,
        resource: resource.info.clone(),
        namespace: filter.namespace.clone(),
        field_selector,
    };
    let feed = context.feed(key).await.map_err(|failure| hint(failure, &filter, resource.info.namespaced))?;
    if feed.key().namespace.is_some() {
        // All of its rows are of the namespace.
        filter.namespace = None;
    }
    Ok((resource, feed, filter))
}

/// Adds the way out of a missing permission for all namespaces.
fn hint(mut failure: Failure, filter: &Filter, namespaced: bool) -> Failure {
    if failure.code == Code::Forbidden && namespaced && filter.namespace.is_none() {
        failure.message.push_str("; choose a namespace with the parameter namespace");
    }
    failure
}
