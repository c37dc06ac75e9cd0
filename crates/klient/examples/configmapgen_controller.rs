//! A controller that applies a config map for each `ConfigMapGenerator`, and again when that is changed or deleted.
//! Enter reconciles all, Ctrl-C ends it. The twin of kube-rs' example of the name.

#![allow(clippy::print_stdout)]

mod cluster;

use std::sync::Arc;
use std::time::Duration;

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::api::core::v1::ConfigMap;
use klient::controller::wait::{conditions, wait_for};
use klient::controller::{Action, Controller, shutdown_signal};
use klient::{
    ApplyOptions, Cached, Client, Error, Informer, ObjectMeta, OwnerReference, apply, custom_resource, json,
    serde_json,
};
use serde::{Deserialize, Serialize};

custom_resource! {
    group: "nullable.se", version: "v1", kind: "ConfigMapGenerator", plural: "configmapgenerators",
    scope: Namespaced;

    pub(crate) struct ConfigMapGenerator {
        spec: ConfigMapGeneratorSpec,
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ConfigMapGeneratorSpec {
    content: String,
}

async fn reconcile(generator: Cached<ConfigMapGenerator>, client: Arc<Client>) -> Result<Action, Error> {
    let namespace = generator.namespace().unwrap_or_default();
    let config_map = apply::core::v1::ConfigMap::new(generator.name(), namespace)
        .owner_references([OwnerReference::controller_of(&*generator)])
        .data([("content", &*generator.spec.content)]);
    let manager = ApplyOptions::new("configmapgenerator.kube-rt.nullable.se");
    client.api::<ConfigMap>().namespace(namespace).apply(&config_map, &manager).await?;
    println!("reconciled {}", generator.key());
    Ok(Action::requeue(Duration::from_secs(300)))
}

fn controller(client: &Client, config_maps: &Informer<ConfigMap>) -> Controller {
    let generators = Informer::new(client.api::<ConfigMapGenerator>(), Default::default());
    let client = Arc::new(client.clone());
    Controller::builder(&generators).owns(config_maps).workers(2).reconcile(client, reconcile)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    define(&client).await?;
    let config_maps = Informer::new(client.api::<ConfigMap>(), Default::default());
    let mut controller = controller(&client, &config_maps);
    let handle = controller.handle();
    if !cfg!(test) {
        std::thread::spawn(move || std::io::stdin().lines().for_each(|_| handle.reconcile_all()));
    }
    let run = async {
        let shutdown = async {
            tokio::select! {
                () = shutdown_signal() => {}
                _ = config_maps.store().wait_until(|store| store.contains("default/news")), if cfg!(test) => {}
            }
        };
        Ok(controller.run(shutdown).await?)
    };
    let scenario = async {
        let spec = ConfigMapGeneratorSpec { content: "nothing happened".into() };
        let news = ConfigMapGenerator { metadata: ObjectMeta::named("news"), spec, ..Default::default() };
        client.api::<ConfigMapGenerator>().namespace("default").create(&news).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    // The first to fail ends both.
    tokio::try_join!(run, scenario)?;
    Ok(())
}

async fn define(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let definition: CustomResourceDefinition = serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "configmapgenerators.nullable.se"},
        "spec": {
            "group": "nullable.se", "scope": "Namespaced",
            "names": {"kind": "ConfigMapGenerator", "plural": "configmapgenerators", "shortNames": ["cmg"]},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "required": ["spec"],
                "properties": {"spec": {"type": "object", "properties": {"content": {"type": "string"}}}},
            }}}],
        },
    }))?;
    let definitions = client.api::<CustomResourceDefinition>();
    match definitions.create(&definition).await {
        Err(error) if !error.is_already_exists() => return Err(error.into()),
        _ => {}
    }
    let name = "configmapgenerators.nullable.se";
    wait_for(&definitions, name, conditions::established(), Default::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}

#[cfg(all(test, feature = "testing"))]
#[test]
fn survives_a_crash_at_every_write() {
    let run = async |client: Client| {
        let config_maps = Informer::new(client.api::<ConfigMap>(), Default::default());
        controller(&client, &config_maps).run(std::future::pending()).await
    };
    let generators = |client: &Client| client.api::<ConfigMapGenerator>().namespace("default");
    klient::testing::CrashTest::new(run)
        .setup(async |client| define(&client).await)
        .step("create a generator", async move |client| {
            let spec = ConfigMapGeneratorSpec { content: "nothing happened".into() };
            let news = ConfigMapGenerator { metadata: ObjectMeta::named("news"), spec, ..Default::default() };
            generators(&client).create(&news).await
        })
        .step("delete its config map", async |client| {
            client.api::<ConfigMap>().namespace("default").delete("news", &Default::default()).await
        })
        .step("change it", async move |client| {
            let change = klient::Patch::Merge(json!({"spec": {"content": "something happened"}}));
            generators(&client).patch("news", &change).await
        })
        .step("delete it", async move |client| generators(&client).delete("news", &Default::default()).await)
        .options(klient::testing::Options {
            cargo_arguments: "--features testing".to_owned(),
            ..Default::default()
        })
        .run();
}
