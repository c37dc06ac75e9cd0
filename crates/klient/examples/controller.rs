//! A controller of a custom resource that owns Deployments.

#![allow(clippy::print_stdout)]

mod cluster;

use std::sync::Arc;

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::api::apps::v1::Deployment;
use klient::apply::apps::v1::DeploymentSpec;
use klient::apply::core::v1::{Container, PodSpec, PodTemplateSpec};
use klient::apply::meta::v1::LabelSelector;
use klient::controller::wait::{conditions, wait_for};
use klient::controller::{Action, Controller};
use klient::{
    ApplyOptions, Cached, Client, Error, Indexer, Informer, Lister, ObjectMeta, OwnerReference, Patch,
    Unstructured, apply, custom_resource, json,
};
use serde::{Deserialize, Serialize};

custom_resource! {
    group: "example.com", version: "v1", kind: "Website", plural: "websites",
    scope: Namespaced, subresources: [Status];

    /// A website that some deployments serve.
    pub(crate) struct Website {
        status: Option<WebsiteStatus>,
    }
}

/// The observed state of a website.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WebsiteStatus {
    deployments: usize,
    ready_replicas: i32,
}

/// State that reconciles share.
struct Context {
    client: Client,
    deployments: Lister<Deployment>,
}

/// Writes what is, if that is not what stands there. It reads from the caches only.
async fn reconcile(website: Cached<Website>, context: Arc<Context>) -> Result<Action, Error> {
    let owned = context.deployments.by_index("owner", website.uid()).unwrap_or_default();
    let ready = |deployment: &Cached<Deployment>| deployment.status.ready_replicas.unwrap_or_default();
    let status =
        WebsiteStatus { deployments: owned.len(), ready_replicas: owned.iter().map(ready).sum::<i32>() };
    if website.status.as_ref() != Some(&status) {
        println!("{}: {status:?}", website.key());
        let websites = context.client.api::<Website>().namespace_of(&website.key());
        websites.patch_status(website.name(), &Patch::Merge(json!({"status": status}))).await?;
    }
    Ok(Action::done())
}

/// The controller of the websites of an informer.
fn controller(
    client: &Client,
    websites: &Informer<Website>,
) -> Result<Controller, Box<dyn std::error::Error>> {
    let deployments = Informer::new(client.api::<Deployment>(), Default::default());
    deployments.add_indexer("owner", Indexer::owner_uid())?;
    let context = Arc::new(Context { client: client.clone(), deployments: deployments.lister() });
    Ok(Controller::builder(websites).owns(&deployments).workers(2).reconcile(context, reconcile))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    define_websites(&client).await?;
    let websites = Informer::new(client.api::<Website>(), Default::default());
    let mut controller = controller(&client, &websites)?;

    // A website with two deployments, which somebody else brings up. A program would wait for Ctrl-C.
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let shutdown = async { stopped.await.unwrap_or_default() };
    let run = async { Ok(controller.run(shutdown).await?) };
    let scenario = async {
        let shop = Website { metadata: ObjectMeta::named("shop"), ..Default::default() };
        let website = client.api::<Website>().namespace("default").create(&shop).await?;
        for name in ["front", "back"] {
            bring_up(&client, &website, name).await?;
        }
        let expected = Some(WebsiteStatus { deployments: 2, ready_replicas: 4 });
        let is_in_step = |website: Cached<Website>| website.status == expected;
        websites.store().wait_until(|store| store.get("default/shop").is_some_and(is_in_step)).await?;
        println!("the status is in step");
        drop(stop);
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    // The first to fail ends both.
    tokio::try_join!(run, scenario)?;
    Ok(())
}

async fn define_websites(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let mut definition =
        Unstructured::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", "websites.example.com");
    definition["spec"] = json!({
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Website", "plural": "websites"},
        "versions": [
            {"name": "v1", "served": true, "storage": true, "schema": schema, "subresources": {"status": {}}},
        ],
    });
    let definitions = client.api::<CustomResourceDefinition>();
    match definitions.create(&definition.to_typed()?).await {
        Err(error) if !error.is_already_exists() => return Err(error.into()),
        _ => {}
    }
    wait_for(&definitions, "websites.example.com", conditions::established(), Default::default()).await?;
    Ok(())
}

async fn bring_up(client: &Client, owner: &Website, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let deployment = apply::apps::v1::Deployment::new(name, "default")
        .owner_references([OwnerReference::controller_of(owner)])
        .spec(
            DeploymentSpec::new()
                .replicas(2)
                .selector(LabelSelector::new().match_labels([("app", name)]))
                .template(
                    PodTemplateSpec::new()
                        .labels([("app", name)])
                        .spec(PodSpec::new().containers([Container::new().name("main").image("nginx")])),
                ),
        );
    let deployments = client.api::<Deployment>().namespace("default");
    deployments.apply(&deployment, &ApplyOptions::new("websites")).await?;
    let up = json!({"status": {"replicas": 2, "readyReplicas": 2}});
    deployments.patch_status(name, &Patch::Merge(up)).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}

#[cfg(all(test, feature = "testing"))]
#[test]
fn survives_a_crash_at_every_write() {
    let shop = Website { metadata: ObjectMeta::named("shop"), ..Default::default() };
    let run = async |client: Client| {
        let websites = Informer::new(client.api::<Website>(), Default::default());
        controller(&client, &websites)?.run(std::future::pending()).await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    let start = async |client: Client, name: &str| {
        let website = client.api::<Website>().namespace("default").get("shop").await?;
        bring_up(&client, &website, name).await
    };
    klient::testing::CrashTest::new(run)
        .setup(async |client| define_websites(&client).await)
        .step("create the website", async move |client| {
            client.api::<Website>().namespace("default").create(&shop).await
        })
        .step("bring a deployment up", async move |client| start(client, "front").await)
        .step("bring another up", async move |client| start(client, "back").await)
        .step("delete one", async |client| {
            client.api::<Deployment>().namespace("default").delete("front", &Default::default()).await
        })
        .options(klient::testing::Options {
            cargo_arguments: "--features testing".to_owned(),
            ..Default::default()
        })
        .run();
}
