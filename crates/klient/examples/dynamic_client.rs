//! Lists objects of a kind that is found at run time, and converts them to a type.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::Namespace;
use klient::{ListOptions, ResourceInfo};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let namespaces = client.dynamic(ResourceInfo::from_static("", "v1", "Namespace", "namespaces", false));
    for object in namespaces.list(&ListOptions::default()).await? {
        let namespace: Namespace = object.to_typed()?;
        let phase = namespace.status.phase.unwrap_or_default();
        println!("{:?} {phase}", namespace.metadata.name);
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
