//! A server with clients, objects to put there, and the events of handlers in words.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apiserver::Server;
use klient_cache::{
    Event, Informer, InformerOptions, Reflector, ReflectorOptions, ResourceEventHandlerRegistration,
};
use klient_client::{Client, Config, Patch};
use klient_workqueue::{Backoff, ResettingBackoff};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

pub(crate) use crate::cluster::{cluster, config_map as paint, config_maps as paints, soon};

pub(crate) fn config(server: &Server) -> Config {
    Config::from_kubeconfig(&server.kubeconfig()).unwrap()
}

/// Creates a config map, and returns its version.
pub(crate) async fn create(client: &Client, name: &str, color: &str) -> String {
    version(&paints(client).create(&paint(name, color)).await.unwrap())
}

/// Changes a config map, and returns its version.
pub(crate) async fn repaint(client: &Client, name: &str, color: &str) -> String {
    let patch = json!({"data": {"color": color}, "metadata": {"labels": {"color": color}}});
    version(&paints(client).patch(name, &Patch::Merge(patch)).await.unwrap())
}

pub(crate) async fn delete(client: &Client, name: &str) {
    paints(client).delete(name, &DeleteOptions::default()).await.unwrap();
}

pub(crate) fn version(object: &ConfigMap) -> String {
    object.metadata.resource_version.as_deref().unwrap().to_owned()
}

pub(crate) fn color(object: &ConfigMap) -> &str {
    object.data.get("color").map_or("", |color| color)
}

/// Retries at once, so that tests do not wait.
pub(crate) fn quick() -> ReflectorOptions {
    ReflectorOptions { backoff: quick_backoff(), on_error: printing(), ..Default::default() }
}

/// From 2 ms to 50 ms.
pub(crate) fn quick_backoff() -> ResettingBackoff {
    let (duration, cap) = (Duration::from_millis(2), Some(Duration::from_millis(50)));
    Backoff { duration, factor: 2.0, jitter: 0.5, steps: u32::MAX, cap }.resetting(Duration::from_secs(120))
}

/// Prints errors, if `KLIENT_SHOW_ERRORS` is set.
fn printing() -> Option<klient_cache::WatchErrorHandler> {
    std::env::var_os("KLIENT_SHOW_ERRORS")?;
    Some(std::sync::Arc::new(|error| eprintln!("{error:?}")))
}

/// Lists in pages, not as a stream.
pub(crate) fn listing() -> ReflectorOptions {
    ReflectorOptions { watch_list: false, ..quick() }
}

pub(crate) fn informer(client: &Client) -> Informer<ConfigMap> {
    Informer::new(paints(client), InformerOptions { reflector: quick(), ..Default::default() })
}

/// A running reflector. Dropping it stops it.
pub(crate) struct Reflecting(AbortHandle);

pub(crate) fn reflect<K: klient_apimachinery::codec::Wire + klient_apimachinery::Object>(
    reflector: Reflector<K>,
) -> Reflecting {
    Reflecting(tokio::spawn(reflector.run()).abort_handle())
}

impl Drop for Reflecting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The events of a handler, in words.
pub(crate) struct Told(mpsc::UnboundedReceiver<String>);

impl Told {
    /// The events of an informer.
    pub(crate) fn of(informer: &Informer<ConfigMap>) -> (Told, ResourceEventHandlerRegistration<ConfigMap>) {
        let (tell, told) = telling();
        (told, informer.add_event_handler(tell))
    }

    /// The next `N` events.
    pub(crate) async fn next<const N: usize>(&mut self) -> [String; N] {
        let mut words = [const { String::new() }; N];
        for at in 0..N {
            let what = format!("an event behind {:?}", &words[..at]);
            words[at] = soon(&what, self.0.recv()).await.unwrap_or_else(|| "end".to_owned());
        }
        words
    }

    /// The next `N` events, by name.
    pub(crate) async fn sorted<const N: usize>(&mut self) -> [String; N] {
        let mut words = self.next().await;
        words.sort();
        words
    }

    /// `true` if no event is left.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

/// A handler, and the events it receives.
pub(crate) fn telling() -> (impl FnMut(Event<ConfigMap>) + Send, Told) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let tell = move |event: Event<ConfigMap>| drop(sender.send(words(&event)));
    (tell, Told(receiver))
}

/// An event: `+a red`, `+a red at first`, `~a red to blue`, `=a` where nothing changed, `-a blue`, `-a blue perhaps`.
pub(crate) fn words(event: &Event<ConfigMap>) -> String {
    match event {
        Event::Added { object, is_in_initial_list } => {
            let first = if *is_in_initial_list { " at first" } else { "" };
            format!("+{} {}{first}", object.name(), color(object))
        }
        Event::Updated { old, new } if old.uid() != new.uid() => {
            format!("~{} {} to another {}", new.name(), color(old), color(new))
        }
        Event::Updated { old, new } if old.resource_version() == new.resource_version() => {
            format!("={}", new.name())
        }
        Event::Updated { old, new } => format!("~{} {} to {}", new.name(), color(old), color(new)),
        Event::Deleted(deleted) => {
            let perhaps = if deleted.is_final_state_unknown { " perhaps" } else { "" };
            let last = deleted.object.as_deref().map_or("", color);
            format!("-{} {last}{perhaps}", deleted.key.name())
        }
        Event::Undecodable { known, version } => {
            let known = known.as_deref().map_or("", color);
            format!("?{} {known}: {}", version.key.name(), version.error.field())
        }
        other => panic!("an event that no test knows: {other:?}"),
    }
}
