//! [`State`], all that the parts of a server share.

use std::sync::Arc;

use crate::admission::Addresses;
use crate::auth::Tokens;
use crate::discovery::Discovery;
use crate::registry::{Registry, Resource};
use crate::storage::Store;

/// What the parts of a server share.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) tokens: Tokens,
    pub(crate) addresses: Addresses,
    pub(crate) discovery: Discovery,
    /// `HOST:PORT` under which it is reached.
    pub(crate) address: String,
    /// Ends with the server.
    pub(crate) stopped: tokio::sync::watch::Receiver<bool>,
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
