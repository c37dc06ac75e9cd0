use klient::api::core::v1::Pod;
use klient::apply::apps::v1::Deployment;
use klient::{ApplyOptions, Client, Error};

async fn program(client: Client) -> Result<(), Error> {
    let pods = client.api::<Pod>().namespace("shop");
    pods.apply(&Deployment::new("web", "shop"), &ApplyOptions::new("me")).await?;
    Ok(())
}

fn main() {}
