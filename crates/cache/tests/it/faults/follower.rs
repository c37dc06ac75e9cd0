//! [`Follower`], an informer with handlers of every kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{BoxFuture, ListWatch, Resource as _, Unstructured};
use klient_cache::{
    Cached, Event, FilteringResourceEventHandler, HandlerOptions, Informer, InformerOptions, Keep, Overflow,
    ReflectorOptions, ResourceEventHandlerRegistration,
};
use klient_client::{Client, Config, Encoding};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Objects;
use super::cluster::{Painted, name_of};
use super::ledger::Ledger;
use super::story::{Colored, Story, Wants, marked, painted};
use crate::kinds::GADGETS;
use crate::proxy::Proxy;
use crate::stage::quick;
use crate::unreadable::MARK;

/// The buffer size of each handler.
pub(super) const BUFFER: usize = 16;

/// An informer of any kind.
pub(super) trait Follower: Send + Sync {
    fn name(&self) -> &str;

    /// The difference from the server's objects at the end.
    fn difference(&self, wanted: &Objects) -> Option<String>;

    /// All inconsistencies in the events of the handlers.
    fn problems(&self, ledger: &Ledger, wanted: &Objects) -> Vec<String>;

    /// The numbers of lists, watches and events.
    fn counts(&self) -> (u64, u64, u64);

    /// Removes a handler, and adds another.
    fn swap_handler<'a>(&'a self, random: &'a mut fastrand::Rng) -> BoxFuture<'a, ()>;

    /// Stops the informer, and starts it again.
    fn restart(&self) -> BoxFuture<'_, ()>;

    /// Records the number of queued events.
    fn note_depths(&self);

    /// Lets the slow stream be read to its end.
    fn hurry(&self);
}

struct Following<K: Colored> {
    name: String,
    informer: Informer<K>,
    /// Handlers that stay from the beginning to the end, and one that is replaced.
    handlers: Mutex<Vec<Handling<K>>>,
    stream: (Arc<Mutex<Story>>, AbortHandle),
    /// A stream that is hardly read before the end.
    slow: (Arc<Mutex<Story>>, AbortHandle),
    hurry: watch::Sender<bool>,
}

struct Handling<K: Colored> {
    registration: ResourceEventHandlerRegistration<K>,
    story: Arc<Mutex<Story>>,
}

impl Colored for ConfigMap {
    fn color(&self) -> Option<&str> {
        self.data.get("color").map(|color| &**color)
    }
}

impl Colored for Pod {
    fn color(&self) -> Option<&str> {
        self.metadata.annotations.get("color").map(|color| &**color)
    }
}

impl Colored for Unstructured {
    fn color(&self) -> Option<&str> {
        self.at(&["spec", "color"])?.as_str()
    }
}

impl Colored for PartialObjectMetadata {
    fn color(&self) -> Option<&str> {
        self.metadata.labels.get("color").map(|color| &**color)
    }
}

/// Informers of every kind, through a proxy.
pub(super) fn followers(proxy: &Proxy, random: &mut fastrand::Rng) -> Vec<Box<dyn Follower>> {
    let client = |name: &str, encoding| {
        let mut config = Config { encoding, user_agent: name.to_owned(), ..proxy.config() };
        // Silence has to be noticed within the time of a test. The server waits a second for future versions.
        config.timeouts.first_byte = Some(Duration::from_millis(2500));
        config.timeouts.whole = Some(Duration::from_secs(4));
        config.timeouts.watch_idle = Some(Duration::from_millis(1500));
        Client::new(config).unwrap()
    };
    let (protobuf, json) = (Encoding::Protobuf, Encoding::Json);
    let (packed, decoded) = (Keep::Packed, Keep::Decoded);
    let mut all: Vec<Box<dyn Follower>> = Vec::new();
    for (name, encoding, keep, streams) in [
        ("config maps, protobuf, packed, streamed", protobuf, packed, true),
        ("config maps, JSON, decoded, paged", json, decoded, false),
        ("config maps, JSON, packed, streamed", json, packed, true),
    ] {
        let source = client(name, encoding).api::<ConfigMap>();
        all.push(Following::start(name, vec![Arc::new(source)], keep, streams, random));
    }
    for (name, encoding, keep, streams) in [
        ("pods, protobuf, decoded, streamed", protobuf, decoded, true),
        ("pods, protobuf, packed, paged", protobuf, packed, false),
    ] {
        let source = client(name, encoding).api::<Pod>();
        all.push(Following::start(name, vec![Arc::new(source)], keep, streams, random));
    }
    let name = "pods, metadata, streamed";
    let source = client(name, protobuf).metadata(Pod::INFO);
    all.push(Following::start(name, vec![Arc::new(source)], packed, true, random));
    let name = "gadgets, metadata, paged";
    let source = client(name, json).metadata(GADGETS);
    all.push(Following::start(name, vec![Arc::new(source)], packed, false, random));
    for (name, keep, streams) in
        [("gadgets, packed, streamed", packed, true), ("gadgets, decoded, paged", decoded, false)]
    {
        let source = client(name, json).dynamic(GADGETS);
        all.push(Following::start(name, vec![Arc::new(source)], keep, streams, random));
    }
    let name = "gadgets, by namespace, streamed";
    let through = client(name, json);
    // All namespaces that have objects.
    let sources = ["default", "kube-public"].map(|namespace| {
        Arc::new(through.dynamic(GADGETS).namespace(namespace)) as Arc<dyn ListWatch<Unstructured>>
    });
    all.push(Following::start(name, sources.into(), packed, true, random));
    all
}

impl<K: Colored> Following<K> {
    fn start(
        name: &str,
        sources: Vec<Arc<dyn ListWatch<K>>>,
        keep: Keep,
        watch_list: bool,
        random: &mut fastrand::Rng,
    ) -> Box<dyn Follower> {
        let reflector = ReflectorOptions {
            watch_list,
            page_size: Some(7),
            bookmark_timeout: Duration::from_millis(300),
            min_watch_timeout: Duration::from_secs(random.u64(1..4)),
            max_internal_error_retry: Duration::from_millis(random.u64(..2) * 500),
            ..quick()
        };
        let informer =
            Informer::from_sources(sources, InformerOptions { reflector, keep, ..Default::default() });
        let handlers = [
            (Overflow::Block, Wants::All),
            (Overflow::Coalesce, Wants::All),
            (Overflow::Coalesce, Wants::Half),
            (Overflow::Block, Wants::Half),
        ]
        .map(|(overflow, wants)| Handling::add(&informer, overflow, wants, random.fork()));
        let stream = listen(&informer, random.fork());
        let hurry = watch::Sender::new(false);
        let slow = listen_slowly(&informer, hurry.subscribe(), random.fork());
        informer.start();
        let (name, handlers) = (name.to_owned(), Mutex::new(handlers.into()));
        Box::new(Following { name, informer, handlers, stream, slow, hurry })
    }

    fn wanted<'a>(&self, wanted: &'a Objects) -> &'a BTreeMap<String, Painted> {
        &wanted[self.kind()]
    }

    fn kind(&self) -> &'static str {
        name_of(self.informer.resource())
    }

    fn stories(&self) -> Vec<Arc<Mutex<Story>>> {
        let handlers = self.handlers.lock().unwrap();
        let streams = [self.stream.0.clone(), self.slow.0.clone()];
        handlers.iter().map(|handling| handling.story.clone()).chain(streams).collect()
    }
}

impl<K: Colored> Handling<K> {
    /// Adds a handler that is slow from time to time.
    fn add(informer: &Informer<K>, overflow: Overflow, wants: Wants, mut random: fastrand::Rng) -> Self {
        let story = Arc::new(Mutex::new(Story::new(overflow, wants)));
        let telling = story.clone();
        let options = HandlerOptions { buffer: BUFFER, overflow, ..Default::default() };
        let is_wanted =
            move |object: &Cached<K>| wants.includes(object.labels().get("color").unwrap_or_default());
        let tell = move |event: Event<K>| {
            telling.lock().unwrap().tell(&event);
            match random.u16(..400) {
                // A busy handler is the subject of this test.
                0 => std::thread::sleep(Duration::from_millis(random.u64(..10))),
                1 if overflow == Overflow::Coalesce => {
                    std::thread::sleep(Duration::from_millis(random.u64(..400)));
                }
                // Panics without a message.
                2 => std::panic::resume_unwind(Box::new(())),
                _ => {}
            }
        };
        let registration = match wants {
            Wants::All => informer.add_event_handler_with(options, tell),
            Wants::Half => {
                informer.add_event_handler_with(options, FilteringResourceEventHandler::new(is_wanted, tell))
            }
        };
        Handling { registration, story }
    }
}

/// Takes events from a stream, slowly from time to time.
fn listen<K: Colored>(informer: &Informer<K>, mut random: fastrand::Rng) -> (Arc<Mutex<Story>>, AbortHandle) {
    let story = Arc::new(Mutex::new(Story::new(Overflow::Block, Wants::All)));
    let telling = story.clone();
    let options = HandlerOptions { buffer: BUFFER, overflow: Overflow::Block, ..Default::default() };
    let mut events = informer.events_with(options);
    let task = tokio::spawn(async move {
        loop {
            // A reader may cancel a wait and start another.
            let patience = Duration::from_millis(random.u64(1..100));
            let event = match tokio::time::timeout(patience, events.next()).await {
                Ok(Some(event)) => event,
                // The stream continues when the informer is started again.
                Ok(None) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                }
                Err(_) => continue,
            };
            telling.lock().unwrap().tell(&event);
            if random.u8(..100) == 0 {
                tokio::time::sleep(Duration::from_millis(random.u64(..20))).await;
            }
        }
    });
    (story, task.abort_handle())
}

/// Takes an event from a stream from time to time, until hurried.
fn listen_slowly<K: Colored>(
    informer: &Informer<K>,
    mut hurry: watch::Receiver<bool>,
    mut random: fastrand::Rng,
) -> (Arc<Mutex<Story>>, AbortHandle) {
    let story = Arc::new(Mutex::new(Story::new(Overflow::Coalesce, Wants::All)));
    let telling = story.clone();
    let mut events = informer.events_with(HandlerOptions { buffer: BUFFER, ..Default::default() });
    let task = tokio::spawn(async move {
        loop {
            let pause = Duration::from_millis(random.u64(1..2000));
            // Both outcomes end the pause.
            let _ = tokio::time::timeout(pause, hurry.wait_for(|hurry| *hurry)).await;
            match events.next().await {
                Some(event) => telling.lock().unwrap().tell(&event),
                // The stream continues when the informer is started again.
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    });
    (story, task.abort_handle())
}

impl<K: Colored> Follower for Following<K> {
    fn name(&self) -> &str {
        &self.name
    }

    fn difference(&self, wanted: &Objects) -> Option<String> {
        let wanted = self.wanted(wanted);
        let store = self.informer.store();
        // An undecodable object is in its last decodable state, or absent, and marked.
        let undecodable: BTreeMap<_, _> =
            store.undecodables().iter().map(|version| (version.key.to_string(), marked(version))).collect();
        let is_marked = |object: &Painted| object.2 == MARK;
        let wanted_marks = wanted.iter().filter(|(_, object)| is_marked(object));
        let wanted_marks: BTreeMap<_, _> =
            wanted_marks.map(|(key, object)| (key.clone(), (object.0.clone(), object.1))).collect();
        if undecodable != wanted_marks {
            return Some(format!("{}: {store:?}: {undecodable:?} and not {wanted_marks:?}", self.name));
        }
        let (now, stale): (Vec<_>, Vec<_>) =
            store.list().into_iter().partition(|object| object.undecodable().is_none());
        if stale.iter().any(|object| !undecodable.contains_key(object.key().as_str())) {
            return Some(format!("{}: {stale:?} are marked, and not {undecodable:?}", self.name));
        }
        let now: BTreeMap<_, _> =
            now.iter().map(|object| (object.key().to_string(), painted(object))).collect();
        let decodable = wanted.iter().filter(|(_, object)| !is_marked(object));
        let decodable: BTreeMap<_, _> =
            decodable.map(|(key, object)| (key.clone(), object.clone())).collect();
        if now != decodable {
            let differs = |key: &&String| decodable.get(*key) != now.get(*key);
            let keys: Vec<_> = decodable.keys().chain(now.keys()).filter(differs).collect();
            let error = self.informer.last_error();
            return Some(format!("{}: {store:?}, {error:?}, {keys:?}", self.name));
        }
        for (number, story) in self.stories().into_iter().enumerate() {
            let of_story = story.lock().unwrap().wrong(wanted);
            if !of_story.is_empty() {
                return Some(format!("{}: handler {number}: {of_story:?}", self.name));
            }
        }
        None
    }

    fn problems(&self, ledger: &Ledger, wanted: &Objects) -> Vec<String> {
        let (wanted, stories) = (self.wanted(wanted), self.stories());
        stories.iter().flat_map(|story| story.lock().unwrap().problems(ledger, wanted, self.kind())).collect()
    }

    fn counts(&self) -> (u64, u64, u64) {
        let metrics = self.informer.metrics();
        let events = self.stories().iter().map(|story| story.lock().unwrap().events).sum();
        (metrics.lists, metrics.watches, events)
    }

    fn swap_handler<'a>(&'a self, random: &'a mut fastrand::Rng) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let gone = self.handlers.lock().unwrap().pop();
            let Some(gone) = gone else { return };
            if random.bool() {
                let story = gone.story;
                gone.registration.remove().await;
                assert_eq!(Arc::strong_count(&story), 1, "a handler that was removed is still there");
            } else {
                drop(gone);
            }
            let overflow = if random.bool() { Overflow::Block } else { Overflow::Coalesce };
            let wants = if random.bool() { Wants::All } else { Wants::Half };
            let handling = Handling::add(&self.informer, overflow, wants, random.fork());
            self.handlers.lock().unwrap().push(handling);
        })
    }

    fn restart(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.informer.stop().await;
            self.informer.start();
        })
    }

    fn note_depths(&self) {
        for handling in &*self.handlers.lock().unwrap() {
            let depth = handling.registration.pending_events();
            let mut story = handling.story.lock().unwrap();
            story.greatest_depth = story.greatest_depth.max(depth);
        }
        let most = self.informer.metrics().pending_events.into_iter().max().unwrap_or_default();
        let mut slow = self.slow.0.lock().unwrap();
        slow.greatest_depth = slow.greatest_depth.max(most);
    }

    fn hurry(&self) {
        self.hurry.send_replace(true);
    }
}

impl<K: Colored> Drop for Following<K> {
    fn drop(&mut self) {
        self.stream.1.abort();
        self.slow.1.abort();
    }
}
