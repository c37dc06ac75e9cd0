//! [`TestClient`], a client of a server in the same program.

use klient_apiserver::TestServer;
use klient_client::{Client, Config};

/// A client of a [`TestServer`].
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient::api::core::v1::Namespace;
/// use klient::{ListOptions, TestClient as _, TestServer};
///
/// let server = TestServer::start().await?;
/// let namespaces = server.client().api::<Namespace>().list(&ListOptions::default()).await?;
/// assert_eq!(namespaces.items.len(), 4);
/// # Ok(()) }
/// ```
pub trait TestClient {
    /// The configuration of the server's administrator.
    fn config(&self) -> Config;

    /// A client with the rights of the server's administrator.
    fn client(&self) -> Client {
        Client::new(self.config()).expect("a server writes a configuration that can be used")
    }
}

impl TestClient for TestServer {
    fn config(&self) -> Config {
        Config::from_kubeconfig(&self.kubeconfig()).expect("a server writes a configuration that can be used")
    }
}
