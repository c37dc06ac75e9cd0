//! [`Cluster`], a server whose objects change all the time, and that may be replaced by another.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{Object as _, Resource as _, ResourceInfo, Unstructured};
use klient_apiserver::{Options, Server};
use klient_client::{Client, Config, Patch};
use serde_json::json;

use super::Objects;
use super::ledger::Ledger;
use crate::kinds::{create_gadgets, gadgets};
use crate::unreadable::MARK;

/// An object in short: its uid, version and color.
pub(super) type Painted = (String, u64, String);

/// The number of names in each namespace.
const NAMES: usize = 25;

const NAMESPACES: [&str; 2] = ["default", "kube-public"];

pub(super) struct Cluster {
    place: RwLock<Arc<Place>>,
    generation: AtomicUsize,
    pub(super) ledger: Ledger,
}

struct Place {
    server: Arc<Server>,
    client: Client,
}

impl Place {
    async fn start() -> Place {
        // The server waits for a future version no longer than the client.
        let options = Options { client_timeout: Duration::from_secs(1), ..Default::default() };
        let server = Arc::new(Server::start(options).await.unwrap());
        let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
        create_gadgets(&client).await;
        while gadgets(&client).list(&Default::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
        Place { server, client }
    }
}

impl Cluster {
    pub(super) async fn start(random: &mut fastrand::Rng) -> Self {
        let place = RwLock::new(Arc::new(Place::start().await));
        let cluster = Cluster { place, generation: AtomicUsize::new(0), ledger: Ledger::default() };
        cluster.fill(random).await;
        cluster
    }

    fn place(&self) -> Arc<Place> {
        self.place.read().unwrap().clone()
    }

    pub(super) fn server(&self) -> Arc<Server> {
        self.place().server.clone()
    }

    /// The number of replacements of the server.
    pub(super) fn generation(&self) -> usize {
        self.generation.load(Ordering::Relaxed)
    }

    /// Replaces the server by another one with other objects.
    pub(super) async fn replace(&self, random: &mut fastrand::Rng) {
        *self.place.write().unwrap() = Arc::new(Place::start().await);
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.fill(random).await;
    }

    async fn fill(&self, random: &mut fastrand::Rng) {
        for _ in 0..30 {
            self.mutate(random).await;
        }
    }

    /// Makes at least this many changes, and returns their number.
    pub(super) async fn write(
        self: Arc<Self>,
        mut random: fastrand::Rng,
        least: usize,
        time: Range<Instant>,
    ) -> usize {
        for done in 0.. {
            let now = Instant::now();
            if now >= time.end || (done >= least && now >= time.start) {
                return done;
            }
            self.mutate(&mut random).await;
        }
        unreachable!("it counts for ever")
    }

    /// Creates, changes or deletes an object.
    async fn mutate(&self, random: &mut fastrand::Rng) {
        let place = self.place();
        let kind = &kinds()[random.usize(..3)];
        let namespace = NAMESPACES[random.usize(..2)];
        let api = place.client.dynamic(kind.clone()).namespace(namespace);
        let name = format!("n{}", random.usize(..NAMES));
        // Objects of some colors cannot be decoded behind the proxy; gadgets always can.
        let color = match random.u8(..5) {
            0 if name_of(kind) != "gadgets" => MARK.to_owned(),
            _ => format!("color-{}", random.u32(..)),
        };
        let made = match random.u8(..10) {
            0..6 => api.patch(&name, &Patch::Merge(colored(kind, &color))).await,
            6..8 => api.create(&object(kind, &name, &color)).await,
            _ => {
                let deleted = api.delete(&name, &DeleteOptions::default()).await;
                // Often another object of the same name follows at once.
                if deleted.is_err() || random.bool() {
                    return;
                }
                api.create(&object(kind, &name, &color)).await
            }
        };
        match made {
            Ok(object) => self.ledger.note(&object),
            // Another task was faster.
            Err(error) if error.is_not_found() || error.is_already_exists() || error.is_conflict() => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// All objects of the server.
    pub(super) async fn objects(&self) -> Objects {
        let place = self.place();
        let mut all = Objects::new();
        for kind in kinds() {
            let list = place.client.dynamic(kind.clone()).list(&Default::default()).await.unwrap();
            let objects = all.entry(name_of(&kind)).or_default();
            for object in list.items {
                let color = object.labels().find(|(key, _)| *key == "color").map_or("", |(_, color)| color);
                let version = object.resource_version().parse().unwrap();
                let key = klient_cache::ObjectKey::of(&object).to_string();
                objects.insert(key, (object.uid().to_owned(), version, color.to_owned()));
                self.ledger.note(&object);
            }
        }
        all
    }
}

fn kinds() -> [ResourceInfo; 3] {
    [ConfigMap::INFO, Pod::INFO, crate::kinds::GADGETS]
}

/// The plural name of a kind.
pub(super) fn name_of(kind: &ResourceInfo) -> &'static str {
    ["configmaps", "pods", "gadgets"]
        .into_iter()
        .find(|name| kind.group_resource().to_string().starts_with(name))
        .unwrap()
}

/// An object with a color in its data, if the kind has any, and in a label.
fn colored(kind: &ResourceInfo, color: &str) -> serde_json::Value {
    let mut object = json!({"metadata": {"labels": {"color": color}}});
    match name_of(kind) {
        "configmaps" => object["data"] = json!({"color": color}),
        "pods" => object["metadata"]["annotations"] = json!({"color": color}),
        _ => object["spec"] = json!({"color": color}),
    }
    object
}

fn object(kind: &ResourceInfo, name: &str, color: &str) -> Unstructured {
    let mut object = Unstructured::new(&kind.api_version(), &kind.kind, name);
    for (field, value) in colored(kind, color).as_object().unwrap() {
        for (key, value) in value.as_object().unwrap() {
            object[field.as_str()][key.as_str()] = value.clone();
        }
    }
    if name_of(kind) == "pods" {
        object["spec"] = json!({"containers": [{"name": "web", "image": "nginx"}]});
    }
    object
}
