//! [`TableSource`], the rows of a resource as the objects of a cache.

use std::sync::Arc;

use http::Method;
use klient_apimachinery::codec::{Encoded, Wire as _};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{ListMeta, Status};
use klient_apimachinery::{
    Bookmark, BoxFuture, ListOptions, ListWatch, Listing, ResourceInfo, SourceError, Unstructured,
    WatchEvent, WatchOptions, Watching,
};
use klient_client::{ByteStream, Client, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ring::Ring;
use super::table::{ACCEPT, Table};

type Row = Encoded<Unstructured>;

/// Lists and watches the Tables of a resource, and gives their rows as objects, so that a reflector keeps them as it keeps
/// others. It tells the ring the columns, and that the server answers.
pub(super) struct TableSource {
    pub(super) client: Client,
    pub(super) resource: ResourceInfo,
    pub(super) namespace: Option<String>,
    pub(super) ring: Arc<Ring>,
}

impl TableSource {
    fn request(&self, parameters: &[(&str, Option<&str>)]) -> Request {
        let info = &self.resource;
        let mut request = self.client.request(Method::GET).group_version(&info.group, &info.version);
        if let Some(namespace) = &self.namespace {
            request = request.namespace(namespace);
        }
        request = request.resource(&info.plural).accept(ACCEPT);
        for (key, value) in parameters {
            if let Some(value) = value {
                request = request.query(key, *value);
            }
        }
        request
    }

    async fn list_page(&self, options: &ListOptions) -> Result<Box<dyn Listing<Unstructured>>, SourceError> {
        let limit = options.limit.map(|limit| limit.to_string());
        let request = self.request(&[
            ("labelSelector", options.label_selector.as_deref()),
            ("fieldSelector", options.field_selector.as_deref()),
            ("limit", limit.as_deref()),
            ("continue", options.continue_token.as_deref()),
            ("resourceVersion", options.resource_version.as_deref()),
            (
                "resourceVersionMatch",
                options.resource_version_match.map(|version_match| version_match.as_str()),
            ),
        ]);
        let response = request.send().await?;
        let table = Table::parse(response.bytes()).map_err(|error| unreadable(&error))?;
        if let Some(columns) = table.columns {
            self.ring.set_columns(columns);
        }
        let metadata = ListMeta {
            resource_version: Some(table.resource_version),
            continue_: Some(table.continue_token).filter(|token| !token.is_empty()),
            remaining_item_count: table.remaining,
            ..ListMeta::default()
        };
        Ok(Box::new(Page { rows: table.rows, metadata }))
    }

    async fn start_watch(
        &self,
        options: &WatchOptions,
    ) -> Result<Box<dyn Watching<Unstructured>>, SourceError> {
        let seconds = options.timeout_seconds.map(|seconds| seconds.to_string());
        let request = self.request(&[
            ("watch", Some("true")),
            ("labelSelector", options.label_selector.as_deref()),
            ("fieldSelector", options.field_selector.as_deref()),
            ("resourceVersion", options.resource_version.as_deref()),
            ("allowWatchBookmarks", options.allow_bookmarks.then_some("true")),
            ("timeoutSeconds", seconds.as_deref()),
        ]);
        let stream = request.stream().await?;
        self.ring.set_live();
        let idle = self.client.config().timeouts.watch_idle;
        Ok(Box::new(TableWatch { stream, ring: self.ring.clone(), idle }))
    }
}

impl ListWatch<Unstructured> for TableSource {
    fn resource(&self) -> &ResourceInfo {
        &self.resource
    }

    fn within(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<Unstructured>>, SourceError>> {
        Box::pin(self.list_page(options))
    }

    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<Unstructured>>, SourceError>> {
        Box::pin(self.start_watch(options))
    }
}

/// A page of a list.
struct Page {
    rows: Vec<Row>,
    metadata: ListMeta,
}

impl Listing<Unstructured> for Page {
    fn next<'a>(&'a mut self, out: &'a mut Vec<Row>) -> BoxFuture<'a, Result<bool, SourceError>> {
        let has_some = !self.rows.is_empty();
        out.append(&mut self.rows);
        Box::pin(std::future::ready(Ok(has_some)))
    }

    fn metadata(&self) -> &ListMeta {
        &self.metadata
    }
}

/// A watch of Tables.
struct TableWatch {
    stream: ByteStream,
    ring: Arc<Ring>,
    /// The longest silence: servers send bookmarks.
    idle: Option<std::time::Duration>,
}

impl TableWatch {
    async fn next_event(&mut self, out: &mut Vec<WatchEvent<Row>>) -> Result<bool, SourceError> {
        let line = match self.idle {
            None => self.stream.line().await?,
            Some(limit) => {
                let read = tokio::time::timeout(limit, self.stream.line()).await;
                let problem = || format!("nothing was heard for {} s", limit.as_secs_f64());
                read.map_err(|_| SourceError::transient(problem()))??
            }
        };
        let Some(line) = line else { return Ok(false) };
        if !line.trim_ascii().is_empty() {
            out.push(self.event(&line)?);
        }
        Ok(true)
    }

    fn event(&self, line: &[u8]) -> Result<WatchEvent<Row>, SourceError> {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        let Event { kind, object } = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
        let object = object.get().as_bytes();
        if kind == "ERROR" {
            let status = Status::from_json(object).map_err(SourceError::unreadable)?;
            return Ok(WatchEvent::Error(Box::new(status)));
        }
        let mut table = Table::parse(object).map_err(|error| unreadable(&error))?;
        if kind == "BOOKMARK" {
            let resource_version = table.resource_version;
            return Ok(WatchEvent::Bookmark(Bookmark { resource_version, initial_events_end: false }));
        }
        if table.columns.is_some_and(|columns| !columns.is_empty() && self.ring.set_columns(columns)) {
            // The rows that are kept have cells of the columns from before: list again.
            return Err(Status::failure(Reason::Expired, "the columns of the table have changed").into());
        }
        let row = table.rows.pop().ok_or_else(|| SourceError::unreadable("a watch event without a row"))?;
        match kind {
            "ADDED" => Ok(WatchEvent::Added(row)),
            "MODIFIED" => Ok(WatchEvent::Modified(row)),
            "DELETED" => Ok(WatchEvent::Deleted(row)),
            _ => Err(SourceError::unreadable("a watch event of an unknown type")),
        }
    }
}

impl Watching<Unstructured> for TableWatch {
    fn next<'a>(&'a mut self, out: &'a mut Vec<WatchEvent<Row>>) -> BoxFuture<'a, Result<bool, SourceError>> {
        Box::pin(self.next_event(out))
    }
}

fn unreadable(error: &serde_json::Error) -> SourceError {
    SourceError::unreadable(format!("the server's table cannot be read: {error}"))
}
