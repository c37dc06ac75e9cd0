//! Creates 30,000 namespaces, and lists them at once and in pages.

#![allow(clippy::print_stdout)]

mod cluster;

use std::time::Instant;

use klient::api::core::v1::Namespace;
use klient::{ListOptions, ObjectMeta};

/// A test has fewer, since it is built without optimization.
const NAMESPACES: usize = if cfg!(test) { 1_200 } else { 30_000 };

/// The number of requests at the same time.
const WORKERS: usize = 32;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, server) = cluster::connect().await?;
    let namespaces = client.api::<Namespace>();

    let began = Instant::now();
    let mut creating = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let namespaces = namespaces.clone();
        creating.spawn(async move {
            for number in (worker..NAMESPACES).step_by(WORKERS) {
                let metadata = ObjectMeta {
                    name: Some(format!("test{number}").into()),
                    labels: [("example", "many-namespaces")].into(),
                    ..Default::default()
                };
                namespaces.create(&Namespace { metadata, ..Default::default() }).await?;
            }
            Ok::<_, klient::Error>(())
        });
    }
    while let Some(created) = creating.join_next().await {
        created??;
    }
    println!("{NAMESPACES} created in {:.2} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let list = namespaces.list(&ListOptions::default()).await?;
    println!("{} listed at once in {:.2} s", list.items.len(), began.elapsed().as_secs_f64());

    let began = Instant::now();
    let mut options = ListOptions { limit: Some(500), ..Default::default() };
    let (mut total, mut pages) = (0, 0);
    loop {
        let page = namespaces.list(&options).await?;
        total += page.items.len();
        pages += 1;
        match page.continue_token() {
            Some(token) => options.continue_token = Some(token.into()),
            None => break,
        }
    }
    println!("{total} listed in {pages} pages in {:.2} s", began.elapsed().as_secs_f64());
    assert!(total >= NAMESPACES && total == list.items.len() && pages == total.div_ceil(500));

    if server.is_none() {
        for number in 0..NAMESPACES {
            namespaces.delete(&format!("test{number}"), &Default::default()).await?;
        }
    }
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
