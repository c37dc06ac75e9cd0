//! Watches with a saved resource version, through lost connections and restarts of the program.

#![allow(clippy::print_stdout)]

mod cluster;

use std::fs;
use std::path::Path;

use klient::api::core::v1::ConfigMap;
use klient::cache::{RetryWatch, RetryWatchOptions};
use klient::{Api, Error, InNamespace, ListOptions, Object, ObjectMeta, WatchEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = cluster::connect().await?;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let file = std::env::temp_dir().join(format!("klient-retry-watch-{}", std::process::id()));
    for name in ["one", "two", "three"] {
        // Each round is a program that was stopped and started again; meanwhile something has changed.
        create(&config_maps, name).await?;
        if let Some(server) = server.as_ref().filter(|_| name == "three") {
            server.compact();
        }
        follow(&config_maps, &file, name).await?;
    }
    Ok(fs::remove_file(file)?)
}

/// Tells of changes until one to an object of that name, from where the file says on.
async fn follow(
    config_maps: &Api<ConfigMap, InNamespace>,
    file: &Path,
    name: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let version = match fs::read_to_string(file) {
            Ok(version) => version,
            Err(_) => {
                let version = list(config_maps).await?;
                fs::write(file, &version)?;
                // The listed objects need no more work; this change is for the test, which waits for one.
                create(config_maps, name).await?;
                version
            }
        };
        let mut watch = RetryWatch::new(config_maps.clone(), &version, RetryWatchOptions::default())?;
        while let Some(event) = watch.next().await {
            let config_map = match event? {
                WatchEvent::Added(config_map) | WatchEvent::Modified(config_map) => config_map,
                WatchEvent::Deleted(config_map) => {
                    println!("{} is gone", config_map.name());
                    continue;
                }
                WatchEvent::Error(status) => {
                    let error = Error::from(*status);
                    if !error.is_expired() {
                        return Err(error.into());
                    }
                    println!("{error}");
                    fs::remove_file(file)?;
                    break;
                }
                _ => continue,
            };
            println!("{} is at {}", config_map.name(), config_map.resource_version());
            // Only now: an event that was not dealt with comes again.
            fs::write(file, config_map.resource_version())?;
            if config_map.name().starts_with(name) {
                return Ok(());
            }
        }
    }
}

/// Tells what is there, and at which version.
async fn list(config_maps: &Api<ConfigMap, InNamespace>) -> Result<String, Error> {
    let list = config_maps.list(&ListOptions::default()).await?;
    list.items.iter().for_each(|config_map| println!("there is {}", config_map.name()));
    Ok(list.resource_version().to_owned())
}

async fn create(config_maps: &Api<ConfigMap, InNamespace>, name: &str) -> Result<(), Error> {
    let metadata = ObjectMeta { generate_name: Some(format!("{name}-").into()), ..Default::default() };
    config_maps.create(&ConfigMap { metadata, ..Default::default() }).await.map(drop)
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
