use klient::api::core::v1::ConfigMap;
use klient::{Client, Error, ProxyOptions};

async fn program(client: Client) -> Result<(), Error> {
    client.api::<ConfigMap>().namespace("shop").proxy_get("web", "metrics", &ProxyOptions::default()).await?;
    Ok(())
}

fn main() {}
