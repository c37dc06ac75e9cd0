//! [`State`], shared by the parts of a server, [`Current`], that of a server that can be restarted, and [`Controller`].

use std::sync::{Arc, RwLock};
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::Map;
use tokio::sync::{Mutex, watch};

use crate::admission::Chain;
use crate::auth::{Modes, Tokens};
use crate::discovery::Discovery;
use crate::finalization::queue::Finalizations;
use crate::registry::addresses::Addresses;
use crate::registry::{Registry, Resource};
use crate::storage::{Object, Storage};

/// What the parts of a server share, from one start to the next.
pub(crate) struct State {
    pub(crate) store: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) impersonation_modes: Modes,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) admission: Chain,
    pub(crate) controllers: &'static [&'static dyn Controller],
    /// Held while the names of a definition are accepted.
    pub(crate) names: Mutex<()>,
    pub(crate) finalizations: Finalizations,
    /// Whether namespaces are emptied and removed when they are deleted.
    pub(crate) namespace_controller: bool,
    /// `HOST:PORT` under which it is reached.
    pub(crate) address: String,
    /// How long a client may keep the server waiting.
    pub(crate) client_timeout: Duration,
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

/// A change that was stored.
pub(crate) struct Committed<'a> {
    /// The resource in the version in which the object is stored.
    pub(crate) resource: &'a Arc<Resource>,
    /// The object as it is stored, or its last state.
    pub(crate) object: &'a Arc<Object>,
    /// The state before, unless the object is new.
    pub(crate) old: Option<&'a Map>,
    pub(crate) deleted: bool,
}

/// Follows up on changes, before the client that made them has its answer.
pub(crate) trait Controller: Send + Sync {
    /// Follows up on a change. It must not wait for anything but its own writes.
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()>;
}

impl State {
    /// The state of a server that is started again with the same objects. What was being finalized must be
    /// [resumed](crate::finalization::resume).
    pub(crate) fn again(&self, stopped: watch::Receiver<bool>) -> State {
        State {
            store: self.store.clone(),
            registry: self.registry.clone(),
            tokens: self.tokens.clone(),
            impersonation_modes: Modes::default(),
            addresses: self.addresses.clone(),
            discovery: self.discovery.clone(),
            admission: self.admission.clone(),
            controllers: self.controllers,
            names: Mutex::default(),
            finalizations: Finalizations::default(),
            namespace_controller: self.namespace_controller,
            address: self.address.clone(),
            client_timeout: self.client_timeout,
            stopped,
        }
    }

    /// Lets the controllers follow up on a change.
    pub(crate) async fn committed(self: &Arc<Self>, change: &Committed<'_>) {
        for controller in self.controllers {
            controller.committed(self, change).await;
        }
    }

    /// The resource in whose form objects are stored: the resource itself but for those served in several forms.
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
