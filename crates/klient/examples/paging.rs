//! Creates many objects concurrently, and lists them in pages.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::ConfigMap;
use klient::{ListOptions, ObjectMeta};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let config_maps = client.api::<ConfigMap>().namespace("default");

    let mut creating = tokio::task::JoinSet::new();
    for number in 0..250 {
        let config_maps = config_maps.clone();
        creating.spawn(async move {
            let name = format!("test-{number:03}");
            let metadata = ObjectMeta {
                name: Some(name.into()),
                labels: [("example", "paging")].into(),
                ..Default::default()
            };
            config_maps.create(&ConfigMap { metadata, ..Default::default() }).await
        });
    }
    while let Some(created) = creating.join_next().await {
        created??;
    }

    let mut options =
        ListOptions { limit: Some(100), label_selector: Some("example=paging".into()), ..Default::default() };
    let mut total = 0;
    loop {
        let chunk = config_maps.list(&options).await?;
        println!("a chunk of {}", chunk.items.len());
        total += chunk.items.len();
        match chunk.continue_token() {
            Some(token) => options.continue_token = Some(token.into()),
            None => break,
        }
    }
    println!("{total} objects");
    config_maps
        .delete_collection(&Default::default(), &ListOptions { limit: None, continue_token: None, ..options })
        .await?;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
