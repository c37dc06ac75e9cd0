//! Admission: plugins that see every write before it is validated and stored, and may change or refuse it.
//!
//! Plugins may wait, as webhooks do: nothing is locked meanwhile. If the object changes in between, an update begins
//! anew with the new state.

mod namespace_lifecycle;
#[cfg(test)]
mod tests;

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;

use klient_apimachinery::values::Map;
pub(crate) use namespace_lifecycle::NamespaceLifecycle;

use crate::registry::Resource;
use crate::status::Result;

/// The kind of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
}

/// A write, as plugins see it beside its object.
pub(crate) struct Attributes<'a> {
    pub(crate) operation: Operation,
    pub(crate) resource: &'a Resource,
    pub(crate) namespace: Option<&'a str>,
    /// Empty if the server is to generate it.
    pub(crate) name: &'a str,
}

/// A step of admission, under upstream's name. As upstream, all plugins admit before the object is completed and
/// validated, and all validate before it is stored.
pub(crate) trait Plugin: Send + Sync {
    /// Changes an object, which is in the version of the request, or refuses it. There is none in a delete.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn admit<'a>(
        &'a self,
        _attributes: &'a Attributes<'_>,
        _object: Option<&'a mut Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// Refuses an object in the form in which it would be stored.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn validate<'a>(
        &'a self,
        _attributes: &'a Attributes<'_>,
        _object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

/// The plugins of a server, in their order.
#[derive(Clone)]
pub(crate) struct Chain(Arc<[Arc<dyn Plugin>]>);

impl Chain {
    pub(crate) fn new(plugins: Vec<Arc<dyn Plugin>>) -> Self {
        Chain(plugins.into())
    }

    /// Runs the plugins that may change the object.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub(crate) async fn admit(
        &self,
        attributes: &Attributes<'_>,
        mut object: Option<&mut Map>,
    ) -> Result<()> {
        for plugin in &*self.0 {
            plugin.admit(attributes, object.as_deref_mut()).await?;
        }
        Ok(())
    }

    /// Runs the plugins that may refuse the object.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub(crate) async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Map>) -> Result<()> {
        for plugin in &*self.0 {
            plugin.validate(attributes, object).await?;
        }
        Ok(())
    }
}
