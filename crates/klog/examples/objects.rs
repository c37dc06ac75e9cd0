//! References to objects of a cluster: `namespace/name` by `kobj` and `kref`.

use klient_api::core::v1::{Namespace, Pod};
use klient_client::{Client, Config, ListOptions};
use klient_klog::{info_s, kobj, kref};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = klient_apiserver::TestServer::start().await?;
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    let _klog = klient_klog::init(klient_klog::Options::default())?;
    run(&client).await
}

pub(crate) async fn run(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let version = client.discovery().version().await?;
    info_s!("Kubernetes server info", version = %version.git_version, platform = %version.platform);

    let pods = client.api::<Pod>().namespace("kube-system").list(&ListOptions::default()).await?;
    if let Some(pod) = pods.items.first() {
        info_s!("Random pod", pod = %kobj(pod), node = %kref("", "n1"));
    }

    let namespaces = client.api::<Namespace>().list(&ListOptions::default()).await?;
    let namespace = kobj(&namespaces.items[0]);
    info_s!("Random namespace", namespace = %namespace);
    Ok(())
}
