use klient::api::authentication::v1::TokenReview;
use klient::api::core::v1::ComponentStatus;
use klient::{Client, Error};

async fn program(client: Client, status: ComponentStatus) -> Result<(), Error> {
    client.api::<TokenReview>().get("mine").await?;
    client.api::<ComponentStatus>().create(&status).await?;
    Ok(())
}

fn main() {}
