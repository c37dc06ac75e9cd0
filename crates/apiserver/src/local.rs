//! [`Local`], direct access to a server's objects in the same program, without HTTP.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;

use klient_apimachinery::codec::{Encoded, Format, Wire};
use klient_apimachinery::meta::v1::ListMeta;
use klient_apimachinery::values::map_at;
use klient_apimachinery::{
    Bookmark, BoxFuture, ListOptions, ListWatch, Listing, ResourceInfo, SourceError, Sources, VersionMatch,
    WatchEvent, WatchOptions, Watching, labels,
};
use tokio::time::Instant;

use crate::admission::REQUEST_TIMEOUT;
use crate::handlers::read::{not_a_list_version, unreadable, version, wait};
use crate::protobuf;
use crate::registry::Resource;
use crate::respond;
use crate::state::{Current, State};
use crate::status::{Failure, Result};
use crate::storage::{Change, ChangeKind, Cursor, Object, Page, Selection};
use crate::stored_object::StoredObject;

/// Direct access to a server's objects for caches in the same program, without HTTP: objects are shared in their
/// stored form. There is no authentication.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apimachinery::meta::v1::PartialObjectMetadata;
/// use klient_apimachinery::{ListOptions, ResourceInfo, Sources as _};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let resource = ResourceInfo::from_static("", "v1", "Namespace", "namespaces", false);
/// let namespaces = server.local().list_watch::<PartialObjectMetadata>(&resource, None);
/// let mut listing = namespaces.list(&ListOptions::default()).await?;
/// let mut found = Vec::new();
/// while listing.next(&mut found).await? {}
/// assert_eq!(found.len(), 4);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Local {
    current: Arc<Current>,
}

impl Local {
    pub(crate) fn new(current: Arc<Current>) -> Self {
        Local { current }
    }
}

impl Local {
    /// All objects of the server at this moment, each once, in the order of their resources and names.
    pub fn objects(&self) -> Vec<StoredObject> {
        let state = self.current.state();
        let mut tables = HashSet::new();
        let resources = state.registry.all().into_iter();
        let stored = resources.filter(|resource| resource.conversion.is_none());
        let once: Vec<_> = stored.filter(|resource| tables.insert(resource.table.clone())).collect();
        let all = once.iter().flat_map(|resource| {
            let objects = state.store.all(&resource.table, None).into_iter();
            objects.map(|object| StoredObject::new(resource.clone(), object))
        });
        all.collect()
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("address", &self.current.state().address).finish()
    }
}

impl Sources for Local {
    fn list_watch<K: Wire + klient_apimachinery::Object>(
        &self,
        resource: &ResourceInfo,
        namespace: Option<&str>,
    ) -> Arc<dyn ListWatch<K>> {
        let (current, info) = (self.current.clone(), resource.clone());
        Arc::new(Source { current, info, namespace: namespace.map(Into::into), kind: PhantomData })
    }
}

/// The objects of one resource.
struct Source<K> {
    current: Arc<Current>,
    info: ResourceInfo,
    namespace: Option<Box<str>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Wire> Source<K> {
    /// The resource, and the options of the list or watch.
    fn wanted(
        &self,
        state: &State,
        labels: Option<&str>,
        fields: Option<&str>,
        from: Option<&str>,
    ) -> Result<(Arc<Resource>, Selection, Option<u64>)> {
        let ResourceInfo { group, version: served, plural, .. } = &self.info;
        let resource = state.registry.find(group, served, plural);
        let resource = resource.ok_or_else(Failure::no_such_resource)?;
        let labels: labels::Selector = labels
            .unwrap_or_default()
            .parse()
            .map_err(|error: labels::InvalidSelector| Failure::bad_request(error.to_string()))?;
        let fields = resource.field_selector(fields.unwrap_or_default())?;
        let from = version(from.unwrap_or_default(), not_a_list_version)?.filter(|version| *version != 0);
        Ok((resource, Selection { labels, fields }, from))
    }

    fn page<'a>(&'a self, selection: &'a Selection) -> Page<'a> {
        Page { namespace: self.namespace.as_deref(), selection, start: None, limit: None }
    }

    async fn read(&self, options: &ListOptions) -> Result<Listed<K>> {
        let ListOptions { label_selector, field_selector, resource_version, .. } = options;
        let state = self.current.state();
        let (labels, fields) = (label_selector.as_deref(), field_selector.as_deref());
        let (resource, selection, from) = self.wanted(&state, labels, fields, resource_version.as_deref())?;
        if let Some(from) = from {
            wait(&state, from).await?;
        }
        let at = from.filter(|_| options.resource_version_match == Some(VersionMatch::Exact));
        let listed = state.store.list(&resource.table, at, &self.page(&selection));
        let listed = listed.map_err(|error| unreadable(from.unwrap_or_default(), &error))?;
        let objects = state.converter.serve_all(&resource, listed.objects, soon()).await?;
        let items = objects.iter().map(|object| encoded(&resource, object, object.version));
        let metadata =
            ListMeta { resource_version: Some(listed.version.to_string().into()), ..Default::default() };
        Ok(Listed { items: items.collect(), metadata })
    }

    async fn start(&self, options: &WatchOptions) -> Result<Changes<K>> {
        let WatchOptions { label_selector, field_selector, resource_version, .. } = options;
        let state = self.current.state();
        let (labels, fields) = (label_selector.as_deref(), field_selector.as_deref());
        let (resource, selection, from) = self.wanted(&state, labels, fields, resource_version.as_deref())?;
        let store = &state.store;
        let mut initial = Vec::new();
        let cursor = match from.filter(|_| !options.send_initial_events) {
            Some(from) => {
                store.watch_from(&resource.table, from).map_err(|error| unreadable(from, &error))?
            }
            None => {
                if let Some(from) = from {
                    wait(&state, from).await?;
                }
                let (listed, cursor) = store.watch_all(&resource.table, &self.page(&selection));
                let objects = state.converter.serve_all(&resource, listed.objects, soon()).await?;
                let items = objects.iter().map(|object| encoded(&resource, object, object.version));
                initial.extend(items.map(WatchEvent::Added));
                if options.send_initial_events {
                    initial.push(WatchEvent::Bookmark(Bookmark {
                        resource_version: listed.version.to_string().into(),
                        initial_events_end: true,
                    }));
                }
                cursor
            }
        };
        let (namespace, from) = (self.namespace.clone(), from.unwrap_or_default());
        let unread = VecDeque::new();
        Ok(Changes { state, resource, namespace, selection, cursor, unread, from, initial })
    }
}

impl<K: Wire + klient_apimachinery::Object> ListWatch<K> for Source<K> {
    fn resource(&self) -> &ResourceInfo {
        &self.info
    }

    fn within(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>> {
        Box::pin(async move {
            let listed = self.read(options).await.map_err(failed)?;
            Ok(Box::new(listed) as Box<dyn Listing<K>>)
        })
    }

    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<K>>, SourceError>> {
        Box::pin(async move {
            let changes = self.start(options).await.map_err(failed)?;
            Ok(Box::new(changes) as Box<dyn Watching<K>>)
        })
    }
}

/// A complete list.
struct Listed<K> {
    items: Vec<Encoded<K>>,
    metadata: ListMeta,
}

impl<K: Send> Listing<K> for Listed<K> {
    fn next<'a>(&'a mut self, out: &'a mut Vec<Encoded<K>>) -> BoxFuture<'a, Result<bool, SourceError>> {
        let has_more = !self.items.is_empty();
        out.append(&mut self.items);
        Box::pin(std::future::ready(Ok(has_more)))
    }

    fn metadata(&self) -> &ListMeta {
        &self.metadata
    }
}

/// A stream of changes.
struct Changes<K> {
    state: Arc<State>,
    resource: Arc<Resource>,
    namespace: Option<Box<str>>,
    selection: Selection,
    cursor: Cursor,
    /// The changes before the cursor that are not read yet: their conversions may be awaited.
    unread: VecDeque<Change>,
    /// Changes up to this version are skipped.
    from: u64,
    initial: Vec<WatchEvent<Encoded<K>>>,
}

impl<K: Wire> Changes<K> {
    async fn event(&self, change: &Change) -> Result<Option<WatchEvent<Encoded<K>>>> {
        if change.version() <= self.from {
            return Ok(None);
        }
        let Some((kind, object)) = change.seen_by(self.namespace.as_deref(), &self.selection) else {
            return Ok(None);
        };
        let object = self.state.converter.serve(&self.resource, object.clone(), soon()).await?;
        let object = encoded(&self.resource, &object, change.version());
        Ok(Some(match kind {
            ChangeKind::Added => WatchEvent::Added(object),
            ChangeKind::Modified => WatchEvent::Modified(object),
            ChangeKind::Deleted => WatchEvent::Deleted(object),
        }))
    }

    async fn read(&mut self, out: &mut Vec<WatchEvent<Encoded<K>>>) -> Result<bool> {
        out.append(&mut self.initial);
        let (state, resource) = (self.state.clone(), self.resource.clone());
        let mut stopped = state.stopped.clone();
        let mut replaced = pin!(state.registry.replaced(&resource));
        while out.is_empty() {
            if self.unread.is_empty() {
                let tail = state.store.read_changes(&resource.table, &mut self.cursor);
                self.unread.extend(tail.map_err(|error| unreadable(self.from, &error))?.changes);
            }
            while let Some(change) = self.unread.front() {
                out.extend(self.event(change).await?);
                self.unread.pop_front();
            }
            if !out.is_empty() {
                break;
            }
            tokio::select! {
                () = self.cursor.changed() => {}
                () = &mut replaced => return Ok(false),
                _ = stopped.wait_for(|stopped| *stopped) => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl<K: Wire> Watching<K> for Changes<K> {
    fn next<'a>(
        &'a mut self,
        out: &'a mut Vec<WatchEvent<Encoded<K>>>,
    ) -> BoxFuture<'a, Result<bool, SourceError>> {
        Box::pin(async move { self.read(out).await.map_err(failed) })
    }
}

/// A stored object, presented at a version.
fn encoded<K: Wire>(resource: &Resource, object: &Object, version: u64) -> Encoded<K> {
    if K::is_partial() || object.version != version {
        let mut value = resource.read(object);
        // An object that no longer matches a selector is presented in its previous state, at the version of the
        // change.
        map_at(&mut value, "metadata").insert("resourceVersion".to_owned(), version.to_string().into());
        let json = if K::is_partial() {
            respond::kind::partial("v1", &value)
        } else {
            respond::kind::with_kind(resource, &resource.encode(&value))
        };
        return match resource.schema().filter(|_| K::has_protobuf() && !K::is_partial()) {
            Some(schema) => Encoded::new(Format::Protobuf, protobuf::raw(&json, schema)),
            None => Encoded::new(Format::Json, json),
        };
    }
    match resource.schema().filter(|_| K::has_protobuf()) {
        Some(_) => Encoded::new(Format::Protobuf, &*resource.render_protobuf(object)),
        None => Encoded::new(Format::Json, respond::kind::with_kind(resource, &resource.render(object))),
    }
}

/// The deadline of conversions: that of a request which begins now.
fn soon() -> Instant {
    Instant::now() + REQUEST_TIMEOUT
}

fn failed(failure: Failure) -> SourceError {
    failure.status().clone().into()
}
