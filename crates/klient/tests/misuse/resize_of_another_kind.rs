use klient::api::apps::v1::Deployment;
use klient::{Client, Error, Patch, json};

async fn program(client: Client) -> Result<(), Error> {
    let patch = Patch::Merge(json!({"spec": {}}));
    client.api::<Deployment>().namespace("shop").patch_resize("web", &patch).await?;
    Ok(())
}

fn main() {}
