use klient::api::core::v1::Node;
use klient::{Client, Error};

async fn program(client: Client) -> Result<(), Error> {
    client.api::<Node>().approve("n1", "PolicyPassed", "The node is ours.").await?;
    Ok(())
}

fn main() {}
