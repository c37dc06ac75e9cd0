//! Watches the pods with a label in all namespaces.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::{Container, Pod, PodSpec};
use klient::{Client, DeleteOptions, Object, ObjectMeta, WatchEvent, WatchOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let web = WatchOptions { label_selector: Some("app=web".into()), ..Default::default() };
    let mut watch = client.api::<Pod>().watch(&web).await?;
    let something = tokio::spawn(happen(client));
    while let Some(event) = watch.next().await {
        match event? {
            WatchEvent::Added(pod) => println!("ADDED {}", pod.name()),
            WatchEvent::Modified(pod) => println!("MODIFIED {}", pod.name()),
            WatchEvent::Deleted(pod) => {
                println!("DELETED {}", pod.name());
                break;
            }
            WatchEvent::Bookmark(bookmark) => println!("up to {}", bookmark.resource_version),
            WatchEvent::Error(status) => return Err(klient::Error::from(*status).into()),
            _ => {}
        }
    }
    Ok(something.await??)
}

/// Creates a pod and deletes it.
async fn happen(client: Client) -> Result<(), klient::Error> {
    let pods = client.api::<Pod>().namespace("default");
    let container = Container { name: "web".into(), image: Some("nginx".into()), ..Default::default() };
    let pod = Pod {
        metadata: ObjectMeta {
            name: Some("web-0".into()),
            labels: [("app", "web")].into(),
            ..Default::default()
        },
        spec: PodSpec { containers: vec![container], ..Default::default() },
        ..Default::default()
    };
    pods.create(&pod).await?;
    pods.delete("web-0", &DeleteOptions::default()).await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
