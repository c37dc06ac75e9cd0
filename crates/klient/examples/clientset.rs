//! Lists the pods of a namespace with the accessors of a clientset.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::{Clientset, ListOptions, Object};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let clientset = Clientset::new(client);
    for pod in clientset.core_v1().pods("kube-system").list(&ListOptions::default()).await? {
        println!("namespace: {}, name: {}", pod.namespace().unwrap_or_default(), pod.name());
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
