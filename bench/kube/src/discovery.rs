//! Discovery of many groups from the server, and the start of a program.

use std::any::Any;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Discovery};
use measure::{Args, Clock};
use serde_json::{Map, Value};

/// Asks for all resources of a server with `--groups` groups of custom resources.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let clock = Clock::start();
    let discovery = Discovery::new(client(args).await).run_aggregated().await.unwrap();
    clock.stop(out);
    let found = discovery.groups().count();
    assert!(found >= args.num("groups", 100), "{found}");
    Box::new(discovery)
}

/// Sends one request, which is not answered.
pub async fn first_byte(args: &Args, _: &mut Map<String, Value>) -> Box<dyn Any> {
    let answer = client(args).await.apiserver_version().await;
    assert!(answer.is_err());
    Box::new(())
}

async fn client(args: &Args) -> Client {
    let kubeconfig = Kubeconfig::read_from(args.str("kubeconfig", "kubeconfig")).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}
