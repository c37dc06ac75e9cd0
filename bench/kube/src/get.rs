//! Gets of single objects, one after another or many in flight.

use std::any::Any;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use measure::{Args, in_flight};
use serde_json::{Map, Value};

/// Gets `--count` pods of the first 500, `--conc` in flight.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let client = crate::client(args);
    let pods = Api::<Pod>::all(client.clone()).list(&ListParams::default().limit(500)).await.unwrap();
    let keys: Vec<_> = pods
        .items
        .into_iter()
        .map(|pod| (pod.metadata.namespace.unwrap_or_default(), pod.metadata.name.unwrap_or_default()))
        .collect();
    let (keys, sender) = (Arc::new(keys), client.clone());
    let get = move |number: usize| {
        let (keys, client) = (keys.clone(), sender.clone());
        async move {
            let (namespace, name) = &keys[number % keys.len()];
            let pod = Api::<Pod>::namespaced(client, namespace).get(name).await.unwrap();
            assert_eq!(pod.metadata.name.as_ref(), Some(name));
        }
    };
    in_flight(args, out, get).await;
    Box::new(client)
}
