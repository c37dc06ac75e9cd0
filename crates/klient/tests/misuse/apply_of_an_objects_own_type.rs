use klient::api::core::v1::ConfigMap;
use klient::{ApplyOptions, Client, Error};

async fn program(client: Client, config_map: ConfigMap) -> Result<(), Error> {
    client.api::<ConfigMap>().namespace("shop").apply(&config_map, &ApplyOptions::new("me")).await?;
    Ok(())
}

fn main() {}
