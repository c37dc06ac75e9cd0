//! A controller that keeps a secret for each config map with a label; each test brings its own reconciler.

use std::future::pending;
use std::sync::Arc;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_cache::{Cached, InformerFactory, Lister};
use klient_client::{Client, DeleteOptions, Error, Patch};
use klient_controller::{Action, Controller};
use serde_json::json;

/// State that reconciles share.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) secrets: Lister<Secret>,
}

/// Runs a controller of the labelled config maps.
pub(crate) async fn run<F>(
    client: Client,
    reconcile: impl Fn(Cached<ConfigMap>, Arc<Context>) -> F + Send + Sync + 'static,
) -> Result<(), klient_controller::Error>
where
    F: Future<Output = Result<Action, Error>> + Send + 'static,
{
    let labelled = InformerFactory::builder(client.clone()).label_selector("copied=true").unwrap().build();
    let factory = InformerFactory::new(client.clone());
    let (config_maps, secrets) = (labelled.informer::<ConfigMap>(), factory.informer::<Secret>());
    let context = Arc::new(Context { client, secrets: secrets.lister() });
    let mut controller = Controller::builder(&config_maps).owns(&secrets).reconcile(context, reconcile);
    controller.run(pending()).await
}

fn colors() -> ConfigMap {
    let mut colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    colors.metadata.labels.insert("copied", "true".into());
    colors.data.insert("sky", "blue".into());
    colors
}

pub(crate) async fn create(client: Client) -> Result<(), Error> {
    client.api::<ConfigMap>().namespace("default").create(&colors()).await.map(drop)
}

pub(crate) async fn change(client: Client) -> Result<(), Error> {
    let grey = Patch::Merge(json!({"data": {"sky": "grey"}}));
    client.api::<ConfigMap>().namespace("default").patch("colors", &grey).await.map(drop)
}

pub(crate) async fn delete(client: Client) -> Result<(), Error> {
    client.api::<ConfigMap>().namespace("default").delete("colors", &DeleteOptions::default()).await.map(drop)
}
