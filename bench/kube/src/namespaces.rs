//! Lists of many namespaces, whole and in pages.

use std::any::Any;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use measure::{Args, Clock};
use serde_json::{Map, Value};

/// Lists the namespaces, of which there must be `--count` beside those of the server, in pages of `--page` if it is set.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let kubeconfig = Kubeconfig::read_from(args.str("kubeconfig", "kubeconfig")).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let namespaces = Api::<Namespace>::all(Client::try_from(config).unwrap());
    let page = args.num("page", 0);
    let mut params = ListParams::default();
    if page > 0 {
        params = params.limit(u32::try_from(page).unwrap());
    }
    let clock = Clock::start();
    let mut all = Vec::new();
    loop {
        let list = namespaces.list(&params).await.unwrap();
        all.extend(list.items);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    clock.stop(out);
    assert!(all.len() >= args.num("count", 30_000), "{}", all.len());
    Box::new(all)
}
