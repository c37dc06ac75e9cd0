//! [`State`], all that the parts of a server share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::admission::Addresses;
use crate::auth::{Modes, Tokens};
use crate::discovery::Discovery;
use crate::namespaces::Cleanups;
use crate::registry::{Registry, Resource};
use crate::storage::Store;

/// What the parts of a server share.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) tokens: Tokens,
    pub(crate) impersonation_modes: Modes,
    pub(crate) addresses: Addresses,
    pub(crate) discovery: Discovery,
    /// The names of definitions, while some are given.
    pub(crate) names: Names,
    pub(crate) cleanups: Cleanups,
    /// Whether namespaces are emptied and removed when they are deleted.
    pub(crate) namespace_controller: bool,
    /// `HOST:PORT` under which it is reached.
    pub(crate) address: String,
    /// How long a client may keep the server waiting.
    pub(crate) client_timeout: Duration,
    /// Ends with the server.
    pub(crate) stopped: tokio::sync::watch::Receiver<bool>,
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
