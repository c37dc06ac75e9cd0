//! [`Watch`], a source with the keys that its events lead to, whatever its kind.

use std::collections::HashSet;
use std::sync::Arc;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{BoxFuture, Object, ObjectKey, ResourceInfo, compare_resource_versions};
use klient_cache::{Event, Informer, ResourceEventHandlerRegistration};
use klient_client::LoggedWrite;
use klient_workqueue::{AddOptions, Queue};

use super::attempt::caught;
use super::metrics::Meters;
use super::source::Source;

/// The priority of keys that are no news: the objects of the first list and of resyncs, and those of an event that is
/// mapped to more than a thousand keys (controller-runtime's `handler.LowPriority`). Changes come first, with the
/// priority 0.
pub const LOW_PRIORITY: i32 = -100;

/// The largest number of keys that one event adds with its own priority.
const FAN_OUT: usize = 1000;

/// Adds the keys that an object leads to.
type Keys<K> = Arc<dyn Fn(&klient_cache::Cached<K>, &mut dyn FnMut(ObjectKey)) + Send + Sync>;

/// A source with the keys that its events lead to, whatever its kind.
pub(super) trait Watch: Send + Sync {
    fn resource(&self) -> &ResourceInfo;

    fn last_error(&self) -> Option<klient_cache::Error>;

    /// Starts the informer, and adds keys to the queue until the registration is dropped. Panics of predicates and
    /// mappings are counted and logged.
    fn register(&self, queue: &Queue<ObjectKey>, meters: &Arc<Meters>) -> Box<dyn Registration>;

    /// Waits until the informer does not run.
    fn stopped(&self) -> BoxFuture<'_, ()>;

    /// Returns true if the cache has seen a write of its resource.
    fn has_seen(&self, write: &LoggedWrite) -> bool;

    /// Waits until the cache has seen a write of its resource, or the informer has stopped.
    fn wait_until_seen<'a>(&'a self, write: &'a LoggedWrite) -> BoxFuture<'a, ()>;

    /// Returns true if the informer has several sources, such as one per namespace, each of which has versions of its own.
    fn has_sources(&self) -> bool;

    /// Waits until the cache has reached a version of its resource, in a namespace or in all, or the informer has stopped.
    fn wait_until_reached<'a>(&'a self, namespace: Option<&'a str>, version: &'a str) -> BoxFuture<'a, ()>;
}

/// A handler that was added to an informer.
pub(super) trait Registration: Send + Sync {
    fn has_synced(&self) -> bool;

    fn wait_for_sync(&self) -> BoxFuture<'_, Result<(), klient_cache::Error>>;
}

impl<K: Wire + Object> Registration for ResourceEventHandlerRegistration<K> {
    fn has_synced(&self) -> bool {
        ResourceEventHandlerRegistration::has_synced(self)
    }

    fn wait_for_sync(&self) -> BoxFuture<'_, Result<(), klient_cache::Error>> {
        Box::pin(ResourceEventHandlerRegistration::wait_for_sync(self))
    }
}

/// The controller's own kind: the key of an event is that of its object.
pub(super) struct Primary<K: Wire + Object>(pub(super) Source<K>);

/// Another kind, whose objects are mapped to keys.
pub(super) struct Mapped<K: Wire + Object> {
    source: Source<K>,
    keys: Keys<K>,
}

impl<K: Wire + Object> Mapped<K> {
    pub(super) fn new<I>(
        source: Source<K>,
        map: impl Fn(&klient_cache::Cached<K>) -> I + Send + Sync + 'static,
    ) -> Self
    where
        I: IntoIterator<Item = ObjectKey>,
    {
        Mapped { source, keys: Arc::new(move |object, add| map(object).into_iter().for_each(add)) }
    }
}

impl<K: Wire + Object> Watch for Primary<K> {
    fn resource(&self) -> &ResourceInfo {
        self.0.informer.resource()
    }

    fn last_error(&self) -> Option<klient_cache::Error> {
        self.0.informer.last_error()
    }

    fn register(&self, queue: &Queue<ObjectKey>, meters: &Arc<Meters>) -> Box<dyn Registration> {
        let (source, queue, meters) = (self.0.clone(), queue.clone(), meters.clone());
        register(&self.0.informer, move |event: Event<K>| {
            if !is_undecodable(&event) && passes(&source, &event, &meters) {
                queue.add_with(event.key(), &AddOptions { priority: priority(&event), ..Default::default() });
            }
        })
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.informer.stopped())
    }

    fn has_seen(&self, write: &LoggedWrite) -> bool {
        has_seen(&self.0.informer, write)
    }

    fn wait_until_seen<'a>(&'a self, write: &'a LoggedWrite) -> BoxFuture<'a, ()> {
        wait_until_seen(&self.0.informer, write)
    }

    fn has_sources(&self) -> bool {
        self.0.informer.servers().nth(1).is_some()
    }

    fn wait_until_reached<'a>(&'a self, namespace: Option<&'a str>, version: &'a str) -> BoxFuture<'a, ()> {
        wait_until_reached(&self.0.informer, namespace, version)
    }
}

impl<K: Wire + Object> Watch for Mapped<K> {
    fn resource(&self) -> &ResourceInfo {
        self.source.informer.resource()
    }

    fn last_error(&self) -> Option<klient_cache::Error> {
        self.source.informer.last_error()
    }

    fn register(&self, queue: &Queue<ObjectKey>, meters: &Arc<Meters>) -> Box<dyn Registration> {
        let (source, keys) = (self.source.clone(), self.keys.clone());
        let (queue, meters) = (queue.clone(), meters.clone());
        register(&self.source.informer, move |event: Event<K>| {
            if is_undecodable(&event) || !passes(&source, &event, &meters) {
                return;
            }
            let mut found = HashSet::new();
            // An object that changes hands concerns both, also if the mapping fails for one.
            for object in states(&event) {
                let mut add = |key| {
                    found.insert(key);
                };
                if let Err(panic) = caught(|| keys(object, &mut add)) {
                    panicked("mapping", &panic, &source, &event, &meters);
                }
            }
            let mut priority = priority(&event);
            if found.len() > FAN_OUT {
                priority = LOW_PRIORITY;
                let (resource, object) = (source.informer.resource(), event.key());
                tracing::debug!(?resource, %object, keys = found.len(), "an event is mapped to many keys");
            }
            for key in found {
                queue.add_with(key, &AddOptions { priority, ..Default::default() });
            }
        })
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.source.informer.stopped())
    }

    fn has_seen(&self, write: &LoggedWrite) -> bool {
        has_seen(&self.source.informer, write)
    }

    fn wait_until_seen<'a>(&'a self, write: &'a LoggedWrite) -> BoxFuture<'a, ()> {
        wait_until_seen(&self.source.informer, write)
    }

    fn has_sources(&self) -> bool {
        self.source.informer.servers().nth(1).is_some()
    }

    fn wait_until_reached<'a>(&'a self, namespace: Option<&'a str>, version: &'a str) -> BoxFuture<'a, ()> {
        wait_until_reached(&self.source.informer, namespace, version)
    }
}

fn register<K: Wire + Object>(
    informer: &Informer<K>,
    handler: impl FnMut(Event<K>) + Send + 'static,
) -> Box<dyn Registration> {
    let registration = informer.add_event_handler(handler);
    informer.start();
    Box::new(registration)
}

/// Returns true if an event passes the predicates. One whose predicate panics passes: a reconcile too many does no harm.
fn passes<K: Wire + Object>(source: &Source<K>, event: &Event<K>, meters: &Meters) -> bool {
    caught(|| source.passes(event)).unwrap_or_else(|panic| {
        panicked("predicate", &panic, source, event, meters);
        true
    })
}

/// The keys, of those that a function selects, of the objects in the cache that pass the predicates as if they came with
/// the first list.
pub(super) fn passing_keys<K: Wire + Object>(
    source: &Source<K>,
    selects: &dyn Fn(&ObjectKey) -> bool,
    meters: &Meters,
) -> Vec<ObjectKey> {
    let objects = source.informer.lister().list().into_iter();
    let keys = objects.map(|object| (object.key(), object)).filter(|(key, _)| selects(key));
    let passing = keys.filter(|(_, object)| {
        passes(source, &Event::Added { object: object.clone(), is_in_initial_list: true }, meters)
    });
    passing.map(|(key, _)| key).collect()
}

/// Counts and logs a panic of a predicate or a mapping.
fn panicked<K: Wire + Object>(
    function: &str,
    panic: &str,
    source: &Source<K>,
    event: &Event<K>,
    meters: &Meters,
) {
    meters.handler_panicked();
    let (controller, resource) = (meters.controller(), source.informer.resource().group_resource());
    tracing::error!(controller, %resource, object = %event.key(), panic, "a {function} of the controller panicked");
}

/// Returns true if the present state cannot be decoded. A reconcile would act on an older one.
fn is_undecodable<K>(event: &Event<K>) -> bool {
    matches!(event, Event::Undecodable { .. })
}

/// The states of the object that the event is of.
fn states<K>(event: &Event<K>) -> impl Iterator<Item = &klient_cache::Cached<K>> {
    let (before, after) = match event {
        Event::Updated { old, new } => (Some(old), Some(new)),
        Event::Deleted(deleted) => (deleted.known.as_ref(), deleted.object.as_ref()),
        other => (None, other.object()),
    };
    before.into_iter().chain(after)
}

fn priority<K: Object>(event: &Event<K>) -> i32 {
    match event {
        Event::Added { is_in_initial_list: true, .. } => LOW_PRIORITY,
        Event::Updated { old, new } if old.resource_version() == new.resource_version() => LOW_PRIORITY,
        _ => 0,
    }
}

/// A delete is seen if the object is gone, replaced, or waits for its deletion; a write with which it is gone, or with
/// which it is none of the informer's, if it is gone or replaced; another write if the object, or the informer in its
/// namespace, has its version.
fn has_seen<K: Wire + Object>(informer: &Informer<K>, write: &LoggedWrite) -> bool {
    if informer.servers().all(|server| server.is_some_and(|server| server != write.server)) {
        return true;
    }
    let object = informer.store().get(&write.key);
    if write.is_delete || write.is_gone {
        return object.is_none_or(|object| {
            let is_replaced = !write.uid.is_empty() && object.uid() != write.uid;
            is_replaced || (!write.is_gone && object.deletion_timestamp().is_some())
        });
    }
    let has_passed = |version: &str| {
        compare_resource_versions(version, &write.resource_version).is_some_and(std::cmp::Ordering::is_ge)
    };
    let is_excluded = || !informer.may_receive(&write.key, write.labels.as_ref());
    object.map_or_else(is_excluded, |object| has_passed(object.resource_version()))
        || has_passed(&informer.resource_version_in(write.key.namespace()))
}

fn wait_until_seen<'a, K: Wire + Object>(
    informer: &'a Informer<K>,
    write: &'a LoggedWrite,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        // An informer that has stopped will not see it.
        let _ = informer.store().wait_until(|_| has_seen(informer, write)).await;
    })
}

fn wait_until_reached<'a, K: Wire + Object>(
    informer: &'a Informer<K>,
    namespace: Option<&'a str>,
    version: &'a str,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let has_reached = |store: &klient_cache::Store<K>| {
            let reached = match namespace {
                None => store.resource_version(),
                Some(namespace) => informer.resource_version_in(Some(namespace)),
            };
            compare_resource_versions(&reached, version).is_some_and(std::cmp::Ordering::is_ge)
        };
        // An informer that has stopped will not reach it.
        let _ = informer.store().wait_until(has_reached).await;
    })
}
