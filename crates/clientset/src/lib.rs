//! [`Clientset`] and [`Informers`]: typed accessors for every built-in resource, as in client-go's `kubernetes` and
//! `informers` packages.
//!
//! ```
//! # #[cfg(all(feature = "core", feature = "apps"))]
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_client::{Client, Config, ListOptions};
//! use klient_clientset::Clientset;
//!
//! let server = klient_apiserver::TestServer::start().await?;
//! let clientset = Clientset::new(Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?);
//! let pods = clientset.core_v1().pods("default").list(&ListOptions::default()).await?;
//! assert!(pods.items.is_empty());
//! assert!(clientset.apps_v1().deployments("default").get("web").await.unwrap_err().is_not_found());
//! # Ok(()) }
//! # #[cfg(not(all(feature = "core", feature = "apps")))] fn main() {}
//! ```

#[allow(clippy::all, missing_docs, unused_imports)]
mod generated;
mod informers;

#[allow(
    unused_imports,
    unreachable_pub,
    reason = "without the feature of a group there are no accessors"
)]
pub use generated::*;
pub use informers::Informers;
use klient_client::Client;

/// Typed handles for every built-in resource, by group-version. They are the same as those of [`Client::api`].
#[derive(Clone, Debug)]
pub struct Clientset {
    client: Client,
}

impl Clientset {
    /// Returns the clientset of a client.
    pub fn new(client: Client) -> Self {
        Clientset { client }
    }

    /// Returns the client, for other kinds.
    pub fn client(&self) -> &Client {
        &self.client
    }
}
