//! [`State`], all that the parts of a server share, and [`Current`], that of a server that can be restarted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use crate::admission::Addresses;
use crate::auth::{Modes, Tokens};
use crate::discovery::Discovery;
use crate::namespaces::Cleanups;
use crate::registry::{Registry, Resource};
use crate::storage::Store;

/// What the parts of a server share, from one start to the next.
pub(crate) struct State {
    pub(crate) store: Arc<Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) impersonation_modes: Modes,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) discovery: Arc<Discovery>,
    /// The names of definitions, while some are given.
    pub(crate) names: Names,
    pub(crate) cleanups: Cleanups,
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

/// Lets one at a time give names to definitions.
#[derive(Default)]
pub(crate) struct Names(Mutex<()>);

impl Names {
    pub(crate) fn lock(&self) -> MutexGuard<'_, ()> {
        // Nothing is kept in it that a panic could have left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The state of a server that is started again with the same objects. What was being cleaned up must be
    /// [resumed](crate::namespaces::resume).
    pub(crate) fn again(&self, stopped: watch::Receiver<bool>) -> State {
        State {
            store: self.store.clone(),
            registry: self.registry.clone(),
            tokens: self.tokens.clone(),
            impersonation_modes: Modes::default(),
            addresses: self.addresses.clone(),
            discovery: self.discovery.clone(),
            names: Names::default(),
            cleanups: Cleanups::default(),
            namespace_controller: self.namespace_controller,
            address: self.address.clone(),
            client_timeout: self.client_timeout,
            stopped,
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
