//! [`Progress`], the resourceVersion of a store, and waiting for one.

use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Object, compare_resource_versions};

use super::{Partition, Store};
use crate::error::Error;

/// The longest wait for a version: API servers send bookmarks about once a minute.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The progress of a store.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// The resourceVersion that the store has reached.
    pub(super) version: Box<str>,
    /// Set when the informer or reflector that fills the store has stopped.
    pub(super) has_stopped: bool,
}

impl<K: Wire + Object> Store<K> {
    /// The resourceVersion that the store has reached; empty before the first list.
    pub fn resource_version(&self) -> Box<str> {
        self.0.progress.borrow().version.clone()
    }

    /// The resourceVersion that one source has reached.
    pub(crate) fn partition_version(&self, partition: &Partition) -> Box<str> {
        self.read().partition_version(partition).into()
    }

    /// The lowest resourceVersion that some sources have reached, by their indices.
    pub(crate) fn version_among(&self, counts: impl Fn(usize) -> bool) -> Box<str> {
        self.read().version_among(counts).into()
    }

    /// Waits until the store has reached a resourceVersion, such as that of an object just written; reads
    /// that follow are no older. Cancel safe.
    ///
    /// The version of a change that the store receives takes as long as the watch. The version of another
    /// resource's change, or of an object that the selectors exclude, comes with the next bookmark, about
    /// once a minute. The wait ends after two minutes; limit it further with [`tokio::time::timeout`].
    ///
    /// # Errors
    ///
    /// If the version cannot be compared (KEP-5504). [`is_stopped`](Error::is_stopped) if the informer or
    /// reflector that fills the store stops before. [`is_timeout`](Error::is_timeout) after two minutes.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn wait_for_resource_version(&self, resource_version: &str) -> Result<(), Error> {
        if compare_resource_versions(resource_version, resource_version).is_none() {
            return Err(Error::invalid_version(self.resource(), resource_version, "that can be waited for"));
        }
        let has_come = |progress: &Progress| {
            let order = compare_resource_versions(&progress.version, resource_version);
            order.is_some_and(std::cmp::Ordering::is_ge)
        };
        let mut progress = self.0.progress.subscribe();
        let waiting = async {
            let end = progress.wait_for(|progress| has_come(progress) || progress.has_stopped).await;
            // The sender lives as long as the store.
            end.is_ok_and(|progress| has_come(&progress))
        };
        match tokio::time::timeout(MAX_WAIT, waiting).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::stopped(self.resource())),
            Err(_) => Err(Error::version_timeout(
                self.resource(),
                resource_version,
                &self.resource_version(),
                MAX_WAIT,
            )),
        }
    }

    /// Waits until a condition on the store's contents holds; it is asked now and after each batch of changes.
    /// Cancel safe, and without a limit: use [`tokio::time::timeout`].
    ///
    /// # Errors
    ///
    /// [`is_stopped`](Error::is_stopped) if the informer or reflector that fills the store stops before.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Namespace;
    /// use klient_cache::Informer;
    /// use klient_client::{Client, Config};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let namespaces = Informer::new(client.api::<Namespace>(), Default::default());
    /// namespaces.start();
    /// namespaces.store().wait_until(|namespaces| namespaces.contains("kube-system")).await?;
    /// # Ok(()) }
    /// ```
    pub async fn wait_until(&self, mut condition: impl FnMut(&Self) -> bool + Send) -> Result<(), Error> {
        let mut progress = self.0.progress.subscribe();
        loop {
            let has_stopped = progress.borrow_and_update().has_stopped;
            if condition(self) {
                return Ok(());
            }
            if has_stopped {
                return Err(Error::stopped(self.resource()));
            }
            // The sender lives as long as the store.
            let _ = progress.changed().await;
        }
    }

    /// Records that the store's source has stopped, or is running, for callers that wait for a version.
    pub(crate) fn set_stopped(&self, has_stopped: bool) {
        self.0.progress.send_modify(|progress| progress.has_stopped = has_stopped);
    }
}
