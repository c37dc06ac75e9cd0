use klient::api::apps::v1::Deployment;
use klient::api::policy::v1::Eviction;
use klient::{Client, Error};

async fn program(client: Client, eviction: Eviction) -> Result<(), Error> {
    client.api::<Deployment>().namespace("shop").evict("web", &eviction).await?;
    Ok(())
}

fn main() {}
