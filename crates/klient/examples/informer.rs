//! Prints the pods that are added, changed and deleted, with a resync each second.

#![allow(clippy::print_stdout)]

mod cluster;

use std::time::Duration;

use klient::api::core::v1::{Container, Pod, PodSpec};
use klient::cache::Event;
use klient::{DeleteOptions, Informer, InformerOptions, ObjectMeta};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let options = InformerOptions { resync: Some(Duration::from_secs(1)), ..Default::default() };
    let informer = Informer::new(client.api::<Pod>(), options);
    let mut events = informer.events();
    informer.start();
    informer.wait_for_sync().await?;

    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("followed")).await?;
    while let Some(event) = events.next().await {
        match event {
            Event::Added { object, is_in_initial_list } => {
                let node = object.spec.node_name.as_deref();
                println!("{} is there, on {node:?}, from the beginning: {is_in_initial_list}", object.key());
            }
            Event::Updated { old, new } if old.resource_version() == new.resource_version() => {
                println!("{} is as it was", new.key());
                if new.name() == "followed" {
                    pods.delete(new.name(), &DeleteOptions::default()).await?;
                }
            }
            Event::Updated { new, .. } => println!("{new:?} has changed"),
            Event::Undecodable { version, .. } => println!("{version:?}"),
            Event::Deleted(deleted) => {
                println!("{} is gone", deleted.key);
                if deleted.key.name() == "followed" {
                    break;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn pod(name: &str) -> Pod {
    let container = Container { name: "main".into(), image: Some("nginx".into()), ..Default::default() };
    Pod {
        metadata: ObjectMeta::named(name),
        spec: PodSpec { containers: vec![container], ..Default::default() },
        ..Default::default()
    }
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
