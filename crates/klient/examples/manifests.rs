//! Applies and deletes the objects of a manifest of any kinds, as kubectl does.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::{Api, ApplyOptions, DeleteOptions, DynamicPlace, Object, RestMapper, Unstructured};

const MANIFESTS: &str = "
apiVersion: v1
kind: Service
metadata:
  name: demo
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: 80}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: demo
  labels: {a: b}
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - {name: web, image: 'nginx:1.23.2'}
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let mapper = RestMapper::new(client.discovery().resources().await?);
    let mut manifests = Vec::new();
    for manifest in Unstructured::from_manifest(MANIFESTS)? {
        let of = manifest.group_version_kind();
        let resource = mapper.kind(&of.group, &of.kind, Some(&of.version))?;
        let namespace = manifest.namespace().unwrap_or(client.default_namespace());
        manifests.push((
            resource.info.qualified_kind(),
            client.dynamic(resource).namespace(namespace),
            manifest,
        ));
    }
    for round in 1..=2 {
        for (kind, objects, manifest) in &manifests {
            println!("{round}: {kind}/{} {}", manifest.name(), write(objects, manifest).await?);
        }
    }
    for (kind, objects, manifest) in &manifests {
        objects.delete(manifest.name(), &DeleteOptions::default()).await?;
        println!("{kind}/{} deleted", manifest.name());
    }
    Ok(())
}

/// Applies what is wished, and says what that came to.
async fn write(
    objects: &Api<Unstructured, DynamicPlace>,
    manifest: &Unstructured,
) -> Result<&'static str, klient::Error> {
    let before = objects.get_opt(manifest.name()).await?;
    let after = objects.apply(manifest, &ApplyOptions::new("manifests")).await?;
    Ok(match before {
        None => "created",
        Some(before) if before.resource_version() == after.resource_version() => "unchanged",
        Some(_) => "configured",
    })
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
