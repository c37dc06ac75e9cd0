use klient::api::core::v1::{ConfigMap, Secret};
use klient::{Client, Clientset, Error, ListOptions};

async fn program(client: Client, secret: Secret) -> Result<(), Error> {
    client.api::<ConfigMap>().namespace("shop").create(&secret).await?;
    let clientset = Clientset::new(client);
    let config_map: ConfigMap = clientset.core_v1().secrets("shop").get("colors").await?;
    for pod in clientset.core_v1().pods("shop").list(&ListOptions::default()).await? {
        let _: ConfigMap = pod;
    }
    Ok(())
}

fn main() {}
