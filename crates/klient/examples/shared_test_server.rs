//! Tests that share one embedded server.

#![allow(clippy::print_stdout)]

use klient::api::core::v1::Namespace;
use klient::{Client, ListOptions, TestClient as _, TestServer};
use tokio::sync::OnceCell;

/// It depends on no runtime, so it may be started by one test and used by the next.
static SERVER: OnceCell<TestServer> = OnceCell::const_new();

/// A client of the shared server. A client in a static works too: it opens connections for each runtime.
async fn client() -> Result<Client, Box<dyn std::error::Error>> {
    Ok(SERVER.get_or_try_init(TestServer::start).await?.client())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let namespaces = client().await?.api::<Namespace>().list(&ListOptions::default()).await?;
    println!("{} namespaces", namespaces.items.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use klient::api::core::v1::ConfigMap;
    use klient::{Object as _, ObjectMeta};

    use super::*;

    /// Creates a config map with a name of its own, so that tests do not disturb each other.
    async fn create(name: &str) -> Result<ConfigMap, Box<dyn std::error::Error>> {
        let config_maps = client().await?.api::<ConfigMap>().namespace("default");
        let metadata = ObjectMeta::generate_name(name);
        Ok(config_maps.create(&ConfigMap { metadata, ..Default::default() }).await?)
    }

    #[tokio::test]
    async fn one_test_uses_the_server() -> Result<(), Box<dyn std::error::Error>> {
        assert!(create("one-").await?.name().starts_with("one-"));
        Ok(())
    }

    #[tokio::test]
    async fn another_test_uses_it_too() -> Result<(), Box<dyn std::error::Error>> {
        assert!(create("another-").await?.name().starts_with("another-"));
        Ok(())
    }
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
