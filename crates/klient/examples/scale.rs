//! Scales an object of any kind that has a scale, by its apiVersion, kind and name.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::autoscaling::v1::CrossVersionObjectReference;
use klient::api::core::v1::ReplicationController;
use klient::{Client, DeferredRestMapper, Patch, Wire as _, json};

const MANIFEST: &str = "
apiVersion: v1
kind: ReplicationController
metadata:
  name: web
spec:
  replicas: 1
  selector: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: nginx:1.23.2
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let controllers = client.api::<ReplicationController>().namespace("default");
    controllers.create(&ReplicationController::from_yaml(MANIFEST)?).await?;

    let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    let target = CrossVersionObjectReference {
        api_version: Some("v1".into()),
        kind: "ReplicationController".into(),
        name: "web".into(),
        ..Default::default()
    };
    scale(&client, &mapper, "default", &target, 3).await?;
    println!("scaled to {:?} replicas", controllers.get("web").await?.spec.replicas);

    // A node has none: that is known before a request is sent.
    let nodes = client.dynamic(&mapper.resource("nodes").await?);
    println!("{}", nodes.scale("n1").await.expect_err("nodes cannot be scaled"));
    controllers.delete("web", &klient::DeleteOptions::background()).await?;
    Ok(())
}

/// Sets the number of replicas of a target.
async fn scale(
    client: &Client,
    mapper: &DeferredRestMapper,
    namespace: &str,
    target: &CrossVersionObjectReference,
    replicas: i32,
) -> Result<(), klient::Error> {
    let api_version = target.api_version.as_deref().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = mapper.kind(group, &target.kind, Some(version)).await?;
    let objects = client.dynamic(&resource).namespace(namespace);
    let before = objects.scale(&target.name).await?;
    if before.spec.replicas != Some(replicas) {
        objects.patch_scale(&target.name, &Patch::Merge(json!({"spec": {"replicas": replicas}}))).await?;
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
