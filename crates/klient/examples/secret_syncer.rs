//! A controller that keeps a secret with the data of each config map that has a label, and deletes it with the config
//! map by a finalizer. An owner reference would do that alone, and is what to use within a cluster; this is for things
//! outside. The twin of kube-rs' example of the name.

#![allow(clippy::print_stdout)]

mod cluster;

use std::sync::Arc;

use klient::api::core::v1::{ConfigMap, Secret};
use klient::controller::{Action, Controller, shutdown_signal};
use klient::{
    ApplyOptions, Cached, Client, DeleteOptions, Error, IgnoreErrors as _, Informer, InformerFactory, Object,
    ObjectMeta, apply,
};

const LABEL: &str = "configmap-secret-syncer.nullable.se/sync";
const FINALIZER: &str = "configmap-secret-syncer.nullable.se/cleanup";

async fn reconcile(cached: Cached<ConfigMap>, client: Arc<Client>) -> Result<Action, Error> {
    let config_maps = client.api::<ConfigMap>().namespace_of(&cached.key());
    let secrets = client.api::<Secret>().namespace_of(&cached.key());
    let secret_name = format!("cm---{}", cached.name());
    // The cache may be behind: a secret of a config map that is gone would stay for ever.
    let Some(mut config_map) = config_maps.get_opt(cached.name()).await? else { return Ok(Action::done()) };
    if config_map.deletion_timestamp().is_some() {
        // Without the finalizer there is no secret of this controller.
        if !config_map.metadata.remove_finalizer(FINALIZER) {
            return Ok(Action::done());
        }
        secrets.delete(&secret_name, &DeleteOptions::default()).await.ignore_not_found()?;
        println!("deleted {secret_name}");
        config_maps.update(&config_map).await?;
        return Ok(Action::done());
    }
    // Before the first act, and of this version of the object only.
    if config_map.metadata.add_finalizer(FINALIZER) {
        config_map = config_maps.update(&config_map).await?;
    }
    let secret = apply::core::v1::Secret::new(&*secret_name, cached.namespace().unwrap_or_default())
        .string_data(config_map.data)
        .data(config_map.binary_data);
    secrets.apply(&secret, &ApplyOptions::new("configmap-secret-syncer.nullable.se")).await?;
    println!("applied {secret_name}");
    Ok(Action::done())
}

fn controller(client: &Client) -> Result<Controller, Box<dyn std::error::Error>> {
    let labelled = InformerFactory::builder(client.clone()).label_selector(format!("{LABEL}=true"))?.build();
    let config_maps = labelled.informer::<ConfigMap>();
    Ok(Controller::builder(&config_maps).reconcile(Arc::new(client.clone()), reconcile))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let mut controller = controller(&client)?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        tokio::select! {
            () = shutdown_signal() => {}
            _ = stopped => {}
        }
    };
    let run = async { Ok(controller.run(shutdown).await?) };
    let scenario = async {
        let config_maps = client.api::<ConfigMap>().namespace("default");
        config_maps.create(&colors()).await?;
        let synced = Informer::new(client.api::<Secret>(), Default::default());
        synced.start();
        synced.store().wait_until(|store| store.contains("default/cm---colors")).await?;
        config_maps.delete("colors", &DeleteOptions::default()).await?;
        synced.store().wait_until(|store| !store.contains("default/cm---colors")).await?;
        // The example ends here; without its scenario it runs until Ctrl-C.
        drop(stop);
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    // The first to fail ends both.
    tokio::try_join!(run, scenario)?;
    Ok(())
}

fn colors() -> ConfigMap {
    let mut colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    colors.metadata.labels.insert(LABEL, "true".into());
    colors.data.insert("sky", "blue".into());
    colors
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}

#[cfg(all(test, feature = "testing"))]
#[test]
fn survives_a_crash_at_every_write() {
    let run = async |client: Client| {
        controller(&client)?.run(std::future::pending()).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    let config_maps = |client: &Client| client.api::<ConfigMap>().namespace("default");
    klient::testing::CrashTest::new(run)
        .step("create a config map", async move |client| config_maps(&client).create(&colors()).await)
        .step("change it", async move |client| {
            let grey = klient::Patch::Merge(klient::json!({"data": {"sky": "grey"}}));
            config_maps(&client).patch("colors", &grey).await
        })
        .step("delete it", async move |client| {
            config_maps(&client).delete("colors", &Default::default()).await
        })
        .step("create it again", async move |client| config_maps(&client).create(&colors()).await)
        .options(klient::testing::Options {
            cargo_arguments: "--features testing".to_owned(),
            ..Default::default()
        })
        .run();
}
