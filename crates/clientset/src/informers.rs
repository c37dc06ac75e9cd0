//! [`Informers`], accessors for the informers of a factory.

use std::fmt;

use klient_cache::InformerFactory;

/// Informers of every built-in resource, by group-version. They are the same as those of [`InformerFactory::informer`].
///
/// ```
/// # #[cfg(all(feature = "core", feature = "apps"))]
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_cache::InformerFactory;
/// use klient_client::{Client, Config};
/// use klient_clientset::Informers;
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let informers = Informers::new(InformerFactory::new(client));
/// let namespaces = informers.core_v1().namespaces().lister();
/// let deployments = informers.apps_v1().deployments().lister();
/// informers.factory().start();
/// informers.factory().wait_for_sync().await?;
/// assert!(namespaces.contains("default") && deployments.is_empty());
/// # Ok(()) }
/// # #[cfg(not(all(feature = "core", feature = "apps")))] fn main() {}
/// ```
pub struct Informers<S> {
    pub(crate) factory: InformerFactory<S>,
}

impl<S> Informers<S> {
    /// Returns the accessors of a factory.
    pub fn new(factory: InformerFactory<S>) -> Self {
        Informers { factory }
    }

    /// Returns the factory, which starts and stops the informers, and has those of other kinds.
    pub fn factory(&self) -> &InformerFactory<S> {
        &self.factory
    }
}

impl<S> Clone for Informers<S> {
    fn clone(&self) -> Self {
        Informers { factory: self.factory.clone() }
    }
}

impl<S> fmt::Debug for Informers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Informers").field(&self.factory).finish()
    }
}
