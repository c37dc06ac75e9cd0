//! Caches discovery on disk, as kubectl does, and finds resources by their names.

#![allow(clippy::print_stdout)]

mod cluster;

use std::time::Duration;

use klient::{DeferredRestMapper, DiskCache, ListOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let folder = std::env::temp_dir().join(format!("cached-discovery-{}", std::process::id()));
    let cache = DiskCache {
        discovery: folder.join("discovery"),
        http: Some(folder.join("http")),
        ttl: Duration::from_secs(60 * 60),
    };
    // The first asks the server, and the second reads the files of the first.
    for _ in 0..2 {
        let discovery = client.discovery().disk_cached(cache.clone());
        let served = discovery.resources().await?;
        println!("{} resources, fresh: {}", served.resources.len(), discovery.is_fresh().await);
    }

    let discovery = client.discovery().disk_cached(cache);
    for resource in &discovery.resources().await?.resources {
        let info = &resource.info;
        println!("name: {}, group: {}, version: {}", info.plural, info.group, info.version);
    }
    for (group_version, error) in &discovery.resources().await?.failed.groups {
        println!("{group_version} is not available: {error}");
    }

    // A name that is not in the cache is asked for once more.
    let mapper = DeferredRestMapper::new(discovery);
    let config_maps = mapper.resource("cm").await?;
    let list = client.dynamic(&config_maps).list(&ListOptions::default()).await?;
    println!("{} of {}", list.items.len(), config_maps.info.group_resource());
    let error = mapper.resource("widgets").await.expect_err("nobody has installed them");
    println!("{error}");

    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
