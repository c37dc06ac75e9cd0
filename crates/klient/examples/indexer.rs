//! Finds pods by namespace and by node, in a store of its own and in that of an informer.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::{Container, Node, Pod, PodSpec};
use klient::apimachinery::codec::{FieldPath, InvalidPath};
use klient::cache::NAMESPACE_INDEX;
use klient::{Cached, Indexer, Informer, Keep, ObjectMeta, Resource, StoreWriter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = StoreWriter::new(Pod::INFO, Keep::Packed);
    store.add_indexer("node", by_node()?)?;
    for (namespace, name, node) in
        [("default", "pod-1", "node-1"), ("default", "pod-2", "node-2"), ("kube-system", "pod-3", "node-2")]
    {
        store.put_object(&pod(namespace, name, node))?;
    }
    println!("indices: {:?}", store.index_names());
    print("in default", &store.by_index(NAMESPACE_INDEX, "default")?);
    print("on node-2", &store.by_index("node", "node-2")?);
    assert_eq!(store.index_keys("node", "node-1")?[0].to_string(), "default/pod-1");

    // The same of what a server has. An index can be added at any time.
    let (client, _server) = cluster::connect().await?;
    let node = Node {
        metadata: ObjectMeta { generate_name: Some("node-".into()), ..Default::default() },
        ..Default::default()
    };
    let node = client.api::<Node>().create(&node).await?.metadata.name.unwrap_or_default();
    let indexed = client.api::<Pod>().namespace("default").create(&pod("default", "indexed", &node)).await?;
    let informer = Informer::new(client.api::<Pod>(), Default::default());
    informer.start();
    informer.wait_for_sync().await?;
    informer.add_indexer("node", by_node()?)?;
    let there = informer.store().by_index("node", &node)?;
    print("on the server's node", &there);
    assert_eq!(there[0].uid(), indexed.metadata.uid.unwrap_or_default());
    assert!(informer.store().get("default/indexed").is_some());
    Ok(())
}

fn by_node() -> Result<Indexer<Pod>, InvalidPath> {
    // Read from the bytes, without decoding the pod.
    Ok(Indexer::field(FieldPath::of("spec.nodeName")?))
}

fn print(what: &str, pods: &[Cached<Pod>]) {
    println!("{what}: {:?}", pods.iter().map(Cached::key).collect::<Vec<_>>());
}

fn pod(namespace: &str, name: &str, node: &str) -> Pod {
    let container = Container { name: "main".into(), image: Some("nginx".into()), ..Default::default() };
    let spec = PodSpec { containers: vec![container], node_name: Some(node.into()), ..Default::default() };
    Pod {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some(namespace.into()),
            ..Default::default()
        },
        spec,
        ..Default::default()
    }
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
