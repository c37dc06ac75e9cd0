//! [`State`], shared by the parts of a server, [`Current`], that of a restartable server, and [`Controller`].

use std::sync::{Arc, RwLock};
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::Map;
use tokio::sync::{Mutex, watch};

use crate::admission::Chain;
use crate::auth::{Authenticator, Modes, SigningKey, Tokens};
use crate::containers::Containers;
use crate::conversion::Converter;
use crate::discovery::Discovery;
use crate::finalization::queue::Finalizations;
use crate::openapi::OpenApi;
use crate::registry::addresses::Addresses;
use crate::registry::{Registry, Resource};
use crate::storage::{Object, Storage};
use crate::throttle::Throttle;
use crate::tls::Authority;

/// The shared state of a server, from one start to the next.
pub(crate) struct State {
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) converter: Arc<Converter>,
    pub(crate) tokens: Arc<Tokens>,
    /// The key of service account tokens.
    pub(crate) signing_key: Arc<SigningKey>,
    /// The authority that signs certificates.
    pub(crate) authority: Arc<Authority>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) impersonation_modes: Modes,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) openapi: Arc<OpenApi>,
    pub(crate) admission: Chain,
    pub(crate) controllers: &'static [&'static dyn Controller],
    /// The program's stand-in for containers.
    pub(crate) containers: Option<Containers>,
    /// Held while the names of a definition are accepted.
    pub(crate) names: Mutex<()>,
    pub(crate) finalizations: Finalizations,
    /// Held while the status of a PodDisruptionBudget is computed and stored.
    pub(crate) disruptions: Mutex<()>,
    /// True if the controllers of kube-controller-manager run.
    pub(crate) controller_manager: bool,
    /// `HOST:PORT` of the server.
    pub(crate) address: String,
    /// The timeout for clients.
    pub(crate) client_timeout: Duration,
    /// The interval of the bookmarks of a watch.
    pub(crate) bookmark_interval: Duration,
    /// Becomes true when the server stops.
    pub(crate) stopped: watch::Receiver<bool>,
}

/// The state of a server since its last start.
pub(crate) struct Current(RwLock<Arc<State>>);

impl Current {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Current(RwLock::new(state))
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.0.read().expect("no panics while held").clone()
    }

    pub(crate) fn replace(&self, state: Arc<State>) {
        *self.0.write().expect("no panics while held") = state;
    }
}

/// A stored change.
pub(crate) struct Committed<'a> {
    /// The resource in its storage version.
    pub(crate) resource: &'a Arc<Resource>,
    /// The stored object, or its last state if it was deleted.
    pub(crate) object: &'a Arc<Object>,
    /// The state before, unless the object is new.
    pub(crate) old: Option<&'a Map>,
    pub(crate) deleted: bool,
}

/// A controller that runs after each change, before the client gets its response.
pub(crate) trait Controller: Send + Sync {
    /// Reacts to a change. It must not wait for anything but its own writes.
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()>;
}

impl State {
    /// The state of a server restarted with the same objects. Finalizations in progress must be
    /// [resumed](crate::finalization::resume).
    pub(crate) fn again(&self, stopped: watch::Receiver<bool>) -> State {
        State {
            store: self.store.clone(),
            registry: self.registry.clone(),
            converter: self.converter.clone(),
            tokens: self.tokens.clone(),
            signing_key: self.signing_key.clone(),
            authority: self.authority.clone(),
            throttle: self.throttle.clone(),
            impersonation_modes: Modes::default(),
            addresses: self.addresses.clone(),
            discovery: self.discovery.clone(),
            openapi: self.openapi.clone(),
            admission: self.admission.clone(),
            controllers: self.controllers,
            containers: self.containers.as_ref().map(Containers::restarted),
            names: Mutex::default(),
            finalizations: Finalizations::default(),
            disruptions: Mutex::default(),
            controller_manager: self.controller_manager,
            address: self.address.clone(),
            client_timeout: self.client_timeout,
            bookmark_interval: self.bookmark_interval,
            stopped,
        }
    }

    /// The authenticator of requests and tokens.
    pub(crate) fn authenticator(&self) -> Authenticator<'_> {
        let State { tokens, signing_key, store, registry, .. } = self;
        Authenticator { tokens, key: signing_key, store: &**store, registry }
    }

    /// Runs the controllers for a change.
    pub(crate) async fn committed(self: &Arc<Self>, change: &Committed<'_>) {
        for controller in self.controllers {
            controller.committed(self, change).await;
        }
    }

    /// The resource in whose version objects are stored: the resource itself, unless it is served in several forms.
    pub(crate) fn stored_as(&self, resource: &Arc<Resource>) -> Arc<Resource> {
        match resource.conversion {
            Some(conversion) => {
                let (group, version) = conversion.storage;
                self.registry.built_in(group, version, &resource.info.plural)
            }
            None => resource.clone(),
        }
    }
}
