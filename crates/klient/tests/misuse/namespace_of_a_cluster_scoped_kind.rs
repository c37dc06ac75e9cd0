use klient::api::core::v1::Node;

async fn program(client: klient::Client, node: Node) -> Result<(), klient::Error> {
    client.api::<Node>().namespace("shop").create(&node).await?;
    Ok(())
}

fn main() {}
