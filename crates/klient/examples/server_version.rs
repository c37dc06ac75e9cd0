//! Tells the version of the server that kubectl would ask: that of the kubeconfig, or of the pod one runs in.

#![allow(clippy::print_stdout)]

mod cluster;

use http::Method;
use klient::{Client, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Neither a kubeconfig nor a service account: there is nothing to infer.
    let (client, _server) = match Config::infer() {
        Ok(config) if !cfg!(test) => (Client::new(config)?, None),
        _ => cluster::connect().await?,
    };
    println!("{}", client.discovery().version().await?.git_version);
    // The same by its path.
    println!("{}", client.request(Method::GET).absolute_path("/version").send().await?.text());
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
