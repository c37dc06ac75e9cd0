use klient::api::core::v1::Pod;
use klient::{Client, Error};

async fn program(client: Client) -> Result<(), Error> {
    let pods = client.api::<Pod>();
    let pod = pods.get("web-0").await?;
    pods.create(&pod).await?;
    Ok(())
}

fn main() {}
