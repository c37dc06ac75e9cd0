//! Creates, scales and deletes a Deployment, and retries updates that conflict.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::apps::v1::Deployment;
use klient::{Api, DeleteOptions, Error, InNamespace, Wire as _};

const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: demo
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
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
    let deployments = client.api::<Deployment>().namespace("default");
    let demo = Deployment::from_yaml(MANIFEST)?;
    let demo = deployments.create(&demo).await?;
    println!("created with {:?} replicas", demo.spec.replicas);

    let demo = change(&deployments, "demo", |demo| demo.spec.replicas = Some(1)).await?;
    println!("updated to {:?} replicas", demo.spec.replicas);

    let mut scale = deployments.scale("demo").await?;
    scale.spec.replicas = Some(2);
    let scale = deployments.update_scale("demo", &scale).await?;
    println!("scaled to {:?} replicas", scale.spec.replicas);

    let options = DeleteOptions::background();
    deployments.delete("demo", &options).await?;
    Ok(())
}

/// Reads, changes and replaces a deployment until nobody comes between.
async fn change(
    deployments: &Api<Deployment, InNamespace>,
    name: &str,
    change: impl Fn(&mut Deployment),
) -> Result<Deployment, Error> {
    loop {
        let mut deployment = deployments.get(name).await?;
        change(&mut deployment);
        match deployments.update(&deployment).await {
            Err(error) if error.is_conflict() => continue,
            done => return done,
        }
    }
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
