//! Informers of pods and Deployments with a namespace, a label and a resync interval of their own.

#![allow(clippy::print_stdout)]

mod cluster;

use std::time::Duration;

use klient::api::apps::v1::Deployment;
use klient::api::core::v1::Pod;
use klient::cache::Event;
use klient::{InformerFactory, Unstructured};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    for name in ["etcd", "kube-apiserver"] {
        client.api::<Pod>().namespace("kube-system").create(&pod(name, "control-plane")?).await?;
    }
    client.api::<Pod>().namespace("kube-system").create(&pod("coredns", "service")?).await?;
    client.api::<Pod>().namespace("default").create(&pod("elsewhere", "control-plane")?).await?;

    let factory = InformerFactory::builder(client)
        .namespace("kube-system")
        .label_selector("tier=control-plane")?
        .resync(Duration::from_secs(45))
        .resync_of::<Pod>(Duration::from_secs(20))
        .resync_of::<Deployment>(Duration::from_secs(30))
        .build();
    let pods = factory.informer::<Pod>();
    let deployments = factory.informer::<Deployment>();
    let of_pods = pods.add_event_handler(|event: Event<Pod>| println!("pods: {event:?}"));
    let of_deployments =
        deployments.add_event_handler(|event: Event<Deployment>| println!("deployments: {event:?}"));
    factory.start();
    factory.wait_for_sync().await?;
    of_pods.wait_for_sync().await?;
    of_deployments.wait_for_sync().await?;

    let mut names: Vec<String> = pods.store().keys().iter().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, ["kube-system/etcd", "kube-system/kube-apiserver"]);
    factory.shutdown().await;
    Ok(())
}

fn pod(name: &str, tier: &str) -> Result<Pod, Box<dyn std::error::Error>> {
    let mut pod = Unstructured::new("v1", "Pod", name);
    pod.set_label("tier", tier);
    pod["spec"] = json!({"containers": [{"name": "main", "image": "pause"}]});
    Ok(pod.to_typed()?)
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
