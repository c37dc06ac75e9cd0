//! A controller of a custom resource that owns Deployments, with informers and a work queue.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::api::apps::v1::Deployment;
use klient::apply::apps::v1::DeploymentSpec;
use klient::apply::core::v1::{Container, PodSpec, PodTemplateSpec};
use klient::apply::meta::v1::LabelSelector;
use klient::cache::Event;
use klient::workqueue::Queue;
use klient::{
    ApplyOptions, Client, Error, Indexer, InformerFactory, Lister, ObjectKey, ObjectMeta, OwnerReference,
    Patch, Unstructured, apply, custom_resource, json,
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

/// The state that workers share.
#[derive(Clone)]
struct Controller {
    client: Client,
    queue: Queue<ObjectKey>,
    websites: Lister<Website>,
    deployments: Lister<Deployment>,
}

impl Controller {
    /// Works until the queue is shut down. A key is in the hands of one worker at a time.
    async fn work(self) {
        while let Some(key) = self.queue.get().await {
            match self.reconcile(&key).await {
                Ok(()) => self.queue.forget(&key),
                Err(error) => {
                    println!("{}: {error}; once more", *key);
                    self.queue.add_rate_limited(key.clone());
                }
            }
        }
    }

    /// Writes what is, if that is not what stands there. It reads from the caches only.
    async fn reconcile(&self, key: &ObjectKey) -> Result<(), Error> {
        let Some(website) = self.websites.get(key) else { return Ok(()) };
        let owned = self.deployments.by_index("owner", website.uid()).unwrap_or_default();
        let ready = |deployment: &Deployment| deployment.status.ready_replicas.unwrap_or_default();
        let ready: i32 = owned.iter().map(|deployment| ready(deployment)).sum();
        let status = WebsiteStatus { deployments: owned.len(), ready_replicas: ready };
        if website.status.as_ref() == Some(&status) {
            return Ok(());
        }
        println!("{key}: {status:?}");
        let websites = self.client.api::<Website>().namespace_of(key);
        let patched = websites.patch_status(key.name(), &Patch::Merge(json!({"status": status}))).await;
        match patched {
            // It went meanwhile.
            Err(error) if error.is_not_found() => Ok(()),
            patched => patched.map(drop),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    define_websites(&client).await?;

    let factory = InformerFactory::new(client.clone());
    let websites = factory.informer::<Website>();
    let deployments = factory.informer::<Deployment>();
    deployments.add_indexer("owner", Indexer::owner_uid())?;
    let queue = Queue::builder().name("websites").build();
    let of_websites = websites.add_event_handler({
        let queue = queue.clone();
        move |event: Event<Website>| queue.add(event.key())
    });
    let of_deployments = deployments.add_event_handler({
        let queue = queue.clone();
        move |event: Event<Deployment>| {
            // One that changes hands is in the books of both owners.
            let before = match &event {
                Event::Updated { old, .. } => Some(old),
                _ => None,
            };
            for object in before.into_iter().chain(event.object()) {
                if let Some(owner) = object.controller().filter(|owner| owner.kind == "Website") {
                    queue.add(ObjectKey::new(object.namespace(), &owner.name));
                }
            }
        }
    });
    factory.start();
    factory.wait_for_sync().await?;
    let controller = Controller {
        client: client.clone(),
        queue: queue.clone(),
        websites: websites.lister(),
        deployments: deployments.lister(),
    };
    let workers: Vec<_> = (0..2).map(|_| tokio::spawn(controller.clone().work())).collect();

    // A website with two deployments, which somebody else brings up.
    let mut events = websites.events();
    let metadata = ObjectMeta::named("shop");
    let website = client.api::<Website>().namespace("default");
    let website = website.create(&Website { metadata, ..Default::default() }).await?;
    for name in ["front", "back"] {
        bring_up(&client, &website, name).await?;
    }
    let expected = WebsiteStatus { deployments: 2, ready_replicas: 4 };
    while let Some(event) = events.next().await {
        if event.object().and_then(|website| website.status.as_ref()) == Some(&expected) {
            break;
        }
    }
    println!("the status is in step");

    queue.shut_down_with_drain().await;
    for worker in workers {
        worker.await?;
    }
    of_websites.remove().await;
    of_deployments.remove().await;
    factory.shutdown().await;
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
        Err(error) if !error.is_already_exists() => Err(error.into()),
        _ => Ok(()),
    }
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
