use klient::api::core::v1::Pod;
use klient::{Client, Error};

async fn program(client: Client) -> Result<(), Error> {
    client.api::<Pod>().namespace("shop").scale("web-0").await?;
    Ok(())
}

fn main() {}
