//! Lists the pods of a namespace with a request that is built part by part.

#![allow(clippy::print_stdout)]

mod cluster;

use http::Method;
use klient::api::core::v1::Pod;
use klient::{List, Object};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let response = client
        .request(Method::GET)
        .group_version("", "v1")
        .namespace("kube-system")
        .resource("pods")
        .query("limit", "500")
        .send()
        .await?;
    let pods: List<Pod> = response.decode()?;
    for pod in &pods {
        println!("namespace: {}, name: {}", pod.namespace().unwrap_or_default(), pod.name());
    }
    println!("{} pods at version {}", pods.items.len(), pods.resource_version());
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
