//! [`TestClient`], a client of a server in the same program.

use klient_apiserver::{Server, TestServer};
use klient_client::{Client, Config, Dialer};

/// A client of a [`TestServer`] or a [`Server`], also of one without a port, to which it has connections within the program.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient::api::core::v1::Namespace;
/// use klient::{ListOptions, TestClient as _, TestServer};
///
/// let server = TestServer::start().await?;
/// let namespaces = server.client().api::<Namespace>().list(&ListOptions::default()).await?;
/// assert_eq!(namespaces.items.len(), 4);
///
/// let in_memory = TestServer::start_in_memory().await?;
/// in_memory.client().discovery().version().await?;
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

impl TestClient for Server {
    fn config(&self) -> Config {
        let config = Config::from_kubeconfig(&self.kubeconfig());
        let mut config = config.expect("a server writes a configuration that can be used");
        if !self.has_port() {
            let connector = self.connector();
            config.dialer = Some(Dialer::new(move |_, _| {
                let connector = connector.clone();
                async move { connector.connect().await }
            }));
        }
        config
    }
}

impl TestClient for TestServer {
    fn config(&self) -> Config {
        Server::config(self)
    }
}
