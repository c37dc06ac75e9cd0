//! Prints the version of the server that kubectl would ask: that of the kubeconfig, or of the cluster around the pod.

#![allow(clippy::print_stdout)]

mod cluster;

use http::Method;
use klient::{Client, Config, LoadingRules, Overrides};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The arguments and the kubeconfig of a test program are not for the example.
    let rules = match std::env::args().nth(1) {
        _ if cfg!(test) => LoadingRules::default(),
        Some(path) => LoadingRules::explicit(path),
        None => LoadingRules::from_env(),
    };
    // Where nothing is configured `Config::load` and `Config::infer` give http://localhost:8080, as kubectl does.
    let is_configured = !rules.load()?.current_context.is_empty() || Config::in_cluster().is_ok();
    let (client, _server) = match is_configured {
        true => (Client::new(Config::load(&rules, &Overrides::default())?)?, None),
        false => cluster::connect().await?,
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
