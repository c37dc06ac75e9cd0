//! Writes of unusual forms, and their effects.

use std::future::pending;
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::Object as _;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, DeleteOptions, Error, ListOptions, WriteOptions};
use klient_testing::{CrashTest, FindingKind, PlayKind};
use tokio::time::sleep;

use crate::findings::{keep, only, write};

/// Repeats a function until it succeeds.
async fn retry(act: impl AsyncFn() -> Result<(), Error>) {
    while act().await.is_err() {
        sleep(Duration::from_secs(1)).await;
    }
}

fn secret(name: &str) -> Secret {
    Secret { metadata: ObjectMeta::named(name), ..Default::default() }
}

async fn make(client: &Client, name: &str) -> Result<(), Error> {
    match client.api::<Secret>().namespace("default").create(&secret(name)).await {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}

#[test]
fn a_collection_that_is_deleted_again_is_found() {
    // Begins with an empty namespace at each start.
    let test = CrashTest::new(async |client: Client| {
        let secrets = client.api::<Secret>().namespace("default");
        retry(async || {
            secrets.delete_collection(&DeleteOptions::default(), &ListOptions::default()).await.map(drop)
        })
        .await;
        retry(async || make(&client, "first").await).await;
        retry(async || make(&client, "second").await).await;
        pending::<()>().await;
    });
    let finding = test.options(only(&[PlayKind::Restart])).try_run().unwrap_err();
    assert_eq!(finding.kind(), FindingKind::DeletedAgain, "{finding}");
    assert!(finding.to_string().contains("deletecollection secrets in default: 200, deleted"), "{finding}");
}

#[test]
fn deletions_that_only_ask_are_no_writes() {
    let test = CrashTest::new(async |client: Client| {
        retry(async || make(&client, "first").await).await;
        let secrets = client.api::<Secret>().namespace("default");
        let asks = secrets.clone().with(WriteOptions { dry_run: true, ..Default::default() });
        let options = DeleteOptions { dry_run: vec!["All".into()], ..Default::default() };
        retry(async || secrets.delete("first", &options).await.map(drop)).await;
        retry(async || asks.delete("first", &DeleteOptions::default()).await.map(drop)).await;
        retry(async || {
            asks.delete_collection(&DeleteOptions::default(), &ListOptions::default()).await.map(drop)
        })
        .await;
        pending::<()>().await;
    });
    assert_eq!(test.run().writes, 1);
}

#[test]
fn a_write_without_a_version_meets_no_conflict() {
    let test = CrashTest::new(async |client: Client| {
        for value in ["first", "second"] {
            retry(async || match write(&client, value.to_owned()).await {
                Err(error) if error.is_conflict() => panic!("a patch without a version"),
                written => written,
            })
            .await;
        }
        pending::<()>().await;
    });
    let report = test.run();
    assert_eq!(report.plays.get(&PlayKind::Conflict), None, "{report}");
}

#[test]
fn a_write_with_a_version_meets_a_conflict() {
    let test = CrashTest::new(async |client: Client| {
        keep(&client, "counter").await;
        let config_maps = client.api::<ConfigMap>().namespace("default");
        retry(async || {
            let mut counter = config_maps.get("counter").await?;
            counter.data.insert("value", "new".into());
            config_maps.update(&counter).await.map(drop)
        })
        .await;
        pending::<()>().await;
    });
    let report = test.run();
    assert_eq!(report.plays[&PlayKind::Conflict], 1, "{report}");
    assert!(report.is_ordered);
    assert_eq!(report.not_applicable, [""; 0]);
}

#[test]
fn writes_that_only_one_of_two_reference_runs_makes_are_found() {
    let runs = std::sync::atomic::AtomicUsize::new(0);
    let test = CrashTest::new(async move |client: Client| {
        if runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            make(&client, "extra").await.unwrap();
            let extra = secret("extra");
            let secrets = client.api::<Secret>().namespace("default");
            secrets.delete(extra.name(), &DeleteOptions::default()).await.unwrap();
        }
        pending::<()>().await;
    });
    let finding = test.try_run().unwrap_err();
    assert_eq!(finding.kind(), FindingKind::NotRepeatable, "{finding}");
    let text = finding.to_string();
    assert!(text.contains("secrets default/extra: created in step 0 of the first run only"), "{text}");
}
