use klient::api::core::v1::ConfigMap;
use klient::{Client, Error};

async fn program(client: Client, colors: ConfigMap) -> Result<(), Error> {
    client.api::<ConfigMap>().namespace("shop").update_status(&colors).await?;
    Ok(())
}

fn main() {}
