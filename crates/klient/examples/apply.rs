//! Applies a Namespace and a Deployment with server-side apply, changes them, and conflicts with another field manager.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::apps::v1::Deployment;
use klient::api::core::v1::Namespace;
use klient::apply::apps::v1::DeploymentSpec;
use klient::apply::core::v1::{Container, PodSpec, PodTemplateSpec};
use klient::apply::meta::v1::LabelSelector;
use klient::{ApplyOptions, DeleteOptions, apply};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let me = ApplyOptions::new("example");
    let namespaces = client.api::<Namespace>();
    let shop = namespaces.apply(&apply::core::v1::Namespace::new("shop"), &me).await?;
    println!("applied namespace {:?}", shop.metadata.name);

    let web = apply::apps::v1::Deployment::new("web", "shop").labels([("app", "web")]).spec(
        DeploymentSpec::new()
            .replicas(3)
            .selector(LabelSelector::new().match_labels([("app", "web")]))
            .template(
                PodTemplateSpec::new()
                    .labels([("app", "web")])
                    .spec(PodSpec::new().containers([Container::new().name("web").image("nginx:1.29")])),
            ),
    );
    let deployments = client.api::<Deployment>().namespace("shop");
    let applied = deployments.apply(&web, &me).await?;
    println!("applied, with {:?} replicas", applied.spec.replicas);

    // The configuration that was applied can be extracted from the object, changed and applied again.
    let extracted = apply::apps::v1::Deployment::extract(&applied, "example")?;
    let applied = deployments.apply(&extracted.annotations([("note", "by hand")]), &me).await?;
    println!("annotated: {:?}", applied.metadata.annotations);

    // Somebody else, who says nothing but how many replicas there are to be.
    let more = apply::apps::v1::Deployment::new("web", "shop").spec(DeploymentSpec::new().replicas(5));
    let scaler = ApplyOptions::new("scaler");
    match deployments.apply(&more, &scaler).await {
        Err(error) if error.is_conflict() => println!("{error}"),
        other => return Err(format!("{other:?} where a conflict was due").into()),
    }
    let scaled = deployments.apply(&more, &scaler.force()).await?;
    println!("scaled by force to {:?} replicas", scaled.spec.replicas);

    namespaces.delete("shop", &DeleteOptions::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
