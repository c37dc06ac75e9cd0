//! One informer for each resource, for several users: by accessor, by type, and for resources found at run time.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::{Namespace, ServiceAccount};
use klient::{Informers, ObjectMeta, RestMapper};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let mapper = RestMapper::new(client.discovery().resources().await?);
    let account = ServiceAccount { metadata: ObjectMeta::named("robot"), ..Default::default() };
    client.api::<ServiceAccount>().namespace("default").create(&account).await?;

    let informers = Informers::new(klient::InformerFactory::new(client));
    let namespaces = informers.core_v1().namespaces().lister();
    let once_more = informers.factory().lister::<Namespace>();
    let found_out = ["deployments.apps", "services", "serviceaccounts"]
        .into_iter()
        .map(|name| Ok(informers.factory().for_resource(&mapper.resource(name)?.info)))
        .collect::<Result<Vec<_>, klient::NoMatch>>()?;
    informers.factory().start();
    informers.factory().wait_for_sync().await?;

    for namespace in namespaces.list() {
        println!("namespace {}", namespace.name());
    }
    assert_eq!(namespaces.len(), once_more.len());
    for informer in &found_out {
        println!("{} has {} objects", informer.resource().plural, informer.store().len());
        for object in informer.lister().namespace("default").list() {
            println!("  {} {}", object.kind(), object.key());
        }
    }
    assert!(found_out[2].store().contains("default/robot"));
    informers.factory().shutdown().await;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
