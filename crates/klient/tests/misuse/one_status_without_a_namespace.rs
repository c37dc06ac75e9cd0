use klient::api::apps::v1::Deployment;
use klient::{Client, Error};

async fn program(client: Client, deployment: Deployment) -> Result<(), Error> {
    client.api::<Deployment>().update_status(&deployment).await?;
    Ok(())
}

fn main() {}
