//! An operator: a custom resource with a finalizer, a Deployment by server-side apply, conditions and events, under leader
//! election.

#![allow(clippy::print_stdout)]

mod cluster;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::api::apps::v1::Deployment;
use klient::api::core::v1::Event;
use klient::apply::apps::v1::DeploymentSpec;
use klient::apply::core::v1::{Container, PodSpec, PodTemplateSpec};
use klient::apply::meta::v1::LabelSelector;
use klient::controller::events::{EventBroadcaster, EventRecorder, EventType};
use klient::controller::leader_election::{LeaderElectionConfig, LeaderElector, LeaseLock};
use klient::controller::wait::{conditions, wait_for};
use klient::controller::{
    Action, Controller, Error, Finalizer, FinalizerStep, OperationResult, controller_reference,
    create_or_apply, set_condition, update_status,
};
use klient::{
    ApplyOptions, Cached, Client, Condition, DeleteOptions, InformerFactory, ListOptions, Object as _,
    ObjectMeta, Patch, Str, Unstructured, apply, custom_resource, json,
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

custom_resource! {
    group: "example.com", version: "v1", kind: "Website", plural: "websites",
    scope: Namespaced, subresources: [Status];

    /// A website that some replicas serve under a host name.
    pub(crate) struct Website {
        pub(crate) spec: WebsiteSpec,
        pub(crate) status: Option<WebsiteStatus>,
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WebsiteSpec {
    host: String,
    replicas: i32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WebsiteStatus {
    conditions: Vec<Condition>,
}

/// State that reconciles share.
struct Context {
    client: Client,
    recorder: EventRecorder,
    finalizer: Finalizer,
    /// The host names of websites by uid, in a name service that is no part of the cluster: no garbage collector knows of
    /// them.
    hosts: Mutex<BTreeMap<Str, String>>,
}

impl Context {
    fn new(client: &Client, events: &EventBroadcaster) -> Result<Arc<Context>, Error> {
        events.start_recording_to_core_v1(client.clone(), Default::default());
        Ok(Arc::new(Context {
            client: client.clone(),
            recorder: events.recorder("website-operator"),
            finalizer: Finalizer::new("example.com/host")?,
            hosts: Mutex::default(),
        }))
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<Str, String>> {
        self.hosts.lock().expect("no panics while held")
    }
}

async fn reconcile(website: Cached<Website>, context: Arc<Context>) -> Result<Action, Error> {
    let websites = context.client.api::<Website>().namespace_of(&website.key());
    match context.finalizer.begin_latest(&websites, &*website).await? {
        FinalizerStep::Apply(website) => {
            // Replaces the host name of an earlier spec.
            context.hosts().insert(website.uid().into(), website.spec.host.clone());
            let deployment = deploy(&website, &context).await?;
            let ready = deployment.status.ready_replicas.unwrap_or_default();
            let is_ready = ready >= website.spec.replicas;
            let condition = Condition {
                type_: "Ready".into(),
                status: if is_ready { "True" } else { "False" }.into(),
                reason: if is_ready { "Serving" } else { "Starting" }.into(),
                message: format!("{ready} of {} replicas are ready", website.spec.replicas).into(),
                observed_generation: website.metadata.generation,
                ..Default::default()
            };
            let set = |website: &mut Website| {
                let status = website.status.get_or_insert_default();
                set_condition(&mut status.conditions, condition.clone());
                Ok(())
            };
            update_status(&websites, &website, set).await?;
        }
        FinalizerStep::CleanUp(cleanup) => {
            let host = context.hosts().remove(cleanup.object.uid());
            if let Some(host) = host {
                let note = format!("released {host}");
                context.recorder.event(&cleanup.object, EventType::Normal, "Released", note);
            }
            cleanup.done().await?;
        }
        FinalizerStep::Done => {}
    }
    Ok(Action::done())
}

/// Applies the Deployment of a website, and tells of changes.
async fn deploy(website: &Website, context: &Context) -> Result<Deployment, Error> {
    let (name, namespace) = (website.name(), website.namespace());
    let pods = PodSpec::new().containers([Container::new().name("main").image("nginx")]);
    let deployment = apply::apps::v1::Deployment::new(name, namespace.unwrap_or_default())
        .owner_references([controller_reference(website, namespace)?])
        .spec(
            DeploymentSpec::new()
                .replicas(website.spec.replicas)
                .selector(LabelSelector::new().match_labels([("website", name)]))
                .template(PodTemplateSpec::new().labels([("website", name)]).spec(pods)),
        );
    let deployments = context.client.api::<Deployment>().namespace(namespace.unwrap_or_default());
    let options = ApplyOptions::new("website-operator").force();
    let (deployment, result) = create_or_apply(&deployments, &deployment, &options).await?;
    if result != OperationResult::Unchanged {
        let note = format!("{result} the deployment with {} replicas", website.spec.replicas);
        context.recorder.event(website, EventType::Normal, "Deployed", note);
    }
    Ok(deployment)
}

fn controller(context: Arc<Context>) -> Controller {
    let factory = InformerFactory::new(context.client.clone());
    let (websites, deployments) = (factory.informer::<Website>(), factory.informer::<Deployment>());
    Controller::builder(&websites).owns(&deployments).workers(2).reconcile(context, reconcile)
}

/// Reconciles all websites while this process is the leader, until it is told to stop.
async fn operate(context: Arc<Context>, stop: oneshot::Receiver<()>) -> Result<(), Error> {
    let client = context.client.clone();
    let mut controller = controller(context);
    let lock =
        LeaseLock { namespace: "default".into(), name: "website-operator".into(), ..Default::default() };
    let elector = LeaderElector::new(client, lock, LeaderElectionConfig::default())?;
    controller.run_while_leading(&elector, async { drop(stop.await) }).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    define_websites(&client).await?;
    let broadcaster = EventBroadcaster::new(Default::default());
    let context = Context::new(&client, &broadcaster)?;
    let (stop, stopped) = oneshot::channel();
    let operator = tokio::spawn(operate(context.clone(), stopped));

    // A user creates a website, somebody brings its pods up, and the user deletes it.
    let websites = client.api::<Website>().namespace("default");
    let spec = WebsiteSpec { host: "shop.example".into(), replicas: 2 };
    websites.create(&Website { metadata: ObjectMeta::named("shop"), spec, ..Default::default() }).await?;
    wait_for(&websites, "shop", conditions::condition_with_status("Ready", "False"), Default::default())
        .await?;
    let up = json!({"status": {"replicas": 2, "readyReplicas": 2}});
    client.api::<Deployment>().namespace("default").patch_status("shop", &Patch::Merge(up)).await?;
    wait_for(&websites, "shop", conditions::condition("Ready"), Default::default()).await?;
    println!("the website is ready at {:?}", context.hosts().values());
    let moved = Patch::Merge(json!({"spec": {"host": "store.example"}}));
    websites.patch("shop", &moved).await?;
    wait_for(&websites, "shop", conditions::condition("Ready"), Default::default()).await?;
    assert!(context.hosts().values().eq(["store.example"]));
    websites.delete("shop", &DeleteOptions::default()).await?;
    wait_for(&websites, "shop", conditions::deleted(), Default::default()).await?;
    assert!(context.hosts().is_empty());

    drop(stop);
    operator.await??;
    broadcaster.flush().await;
    let events = client.api::<Event>().namespace("default").list(&ListOptions::default()).await?;
    let reasons: Vec<_> = events.items.iter().filter_map(|event| event.reason.as_deref()).collect();
    println!("{reasons:?}");
    assert_eq!(reasons, ["Deployed", "Released"]);
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
    definitions.create(&definition.to_typed()?).await?;
    wait_for(&definitions, "websites.example.com", conditions::established(), Default::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}

/// The operator is killed, delayed and deceived at each of its writes, and leaves what it leaves otherwise. Without leader
/// election, whose renewals would take most of the time.
#[cfg(all(test, feature = "testing"))]
#[test]
fn survives_a_crash_at_every_write() {
    let operator = async |client: Client| {
        let broadcaster = EventBroadcaster::new(Default::default());
        controller(Context::new(&client, &broadcaster)?).run(std::future::pending()).await
    };
    let websites = |client: &Client| client.api::<Website>().namespace("default");
    klient::testing::CrashTest::new(operator)
        .setup(async |client| define_websites(&client).await)
        .step("create the website", async move |client| {
            let spec = WebsiteSpec { host: "shop.example".into(), replicas: 2 };
            let shop = Website { metadata: ObjectMeta::named("shop"), spec, ..Default::default() };
            websites(&client).create(&shop).await
        })
        .step("bring its pods up", async |client| {
            let up = Patch::Merge(json!({"status": {"replicas": 2, "readyReplicas": 2}}));
            client.api::<Deployment>().namespace("default").patch_status("shop", &up).await
        })
        .step("give it another host", async move |client| {
            let moved = Patch::Merge(json!({"spec": {"host": "store.example"}}));
            websites(&client).patch("shop", &moved).await
        })
        .step("delete it", async move |client| websites(&client).delete("shop", &Default::default()).await)
        .options(klient::testing::Options {
            cargo_arguments: "--features testing".to_owned(),
            ..Default::default()
        })
        .run();
}
