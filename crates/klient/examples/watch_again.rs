//! Starts a watch again at the last resource version, which is kept in a file, when it has ended.

#![allow(clippy::print_stdout)]

mod cluster;

use std::fs;

use klient::api::core::v1::ConfigMap;
use klient::{Api, Error, InNamespace, ListOptions, Object, ObjectMeta, WatchEvent, WatchOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = cluster::connect().await?;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let file = std::env::temp_dir().join(format!("klient-watch-again-{}", std::process::id()));
    for name in ["one", "two", "three"] {
        // Each round is a program that was stopped and started again; meanwhile something has changed.
        let metadata = ObjectMeta { generate_name: Some(format!("{name}-").into()), ..Default::default() };
        config_maps.create(&ConfigMap { metadata, ..Default::default() }).await?;
        if let Some(server) = server.as_ref().filter(|_| name == "three") {
            server.compact();
        }
        let last = match fs::read_to_string(&file) {
            Ok(version) => version,
            Err(_) => list(&config_maps).await?,
        };
        let last = match follow(&config_maps, last).await {
            Err(error) if error.is_expired() => {
                println!("{error}");
                list(&config_maps).await?
            }
            done => done?,
        };
        fs::write(&file, last)?;
    }
    Ok(fs::remove_file(file)?)
}

/// Tells what is there, and at which version: what a watch tells at its beginning is in no order of versions.
async fn list(config_maps: &Api<ConfigMap, InNamespace>) -> Result<String, Error> {
    let list = config_maps.list(&ListOptions::default()).await?;
    list.items.iter().for_each(|config_map| println!("there is {}", config_map.name()));
    Ok(list.resource_version().to_owned())
}

/// Tells of changes behind a version for a second, and gives the last version seen.
async fn follow(config_maps: &Api<ConfigMap, InNamespace>, mut version: String) -> Result<String, Error> {
    let options = WatchOptions {
        resource_version: Some(version.as_str().into()),
        timeout_seconds: Some(1),
        ..Default::default()
    };
    let mut watch = config_maps.watch(&options).await?;
    while let Some(event) = watch.next().await {
        let event = event?;
        version = event.resource_version().to_owned();
        match event {
            WatchEvent::Added(config_map) => println!("added {}", config_map.name()),
            WatchEvent::Modified(config_map) => println!("modified {}", config_map.name()),
            WatchEvent::Deleted(config_map) => println!("deleted {}", config_map.name()),
            WatchEvent::Error(status) => return Err(Error::from(*status)),
            _ => {}
        }
    }
    Ok(version)
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
