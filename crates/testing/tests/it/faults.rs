//! Faults that are found by one kind of play only.

use std::future::pending;
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::Object as _;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, DeleteOptions, Error, ListOptions, WatchEvent, WatchOptions};
use klient_testing::{CrashTest, FindingKind, PlayKind};
use tokio::time::sleep;

use crate::copies::{create, delete};
use crate::findings::{only, write};

fn found(test: CrashTest, kind: PlayKind) -> (FindingKind, String) {
    let finding = test.options(only(&[kind])).try_run().unwrap_err();
    (finding.kind(), finding.play().unwrap().to_owned())
}

#[test]
fn a_controller_that_gives_up_when_the_server_is_overloaded_is_found() {
    let gives_up = CrashTest::new(async |client: Client| {
        let _ = write(&client, "once".to_owned()).await;
        pending::<()>().await;
    });
    let play = found(gives_up, PlayKind::TooManyRequests);
    assert_eq!(play, (FindingKind::Differs, "too-many-requests:write1".to_owned()));
    let waits = CrashTest::new(async |client: Client| {
        while write(&client, "once".to_owned()).await.is_err() {
            sleep(Duration::from_secs(1)).await;
        }
        pending::<()>().await;
    });
    waits.options(only(&[PlayKind::TooManyRequests])).run();
}

/// Makes a secret when a config map is added, and deletes it when that is deleted, until the watch ends.
async fn follow(client: &Client, version: &str, again: bool) -> Result<String, Error> {
    let secrets = client.api::<Secret>().namespace("default");
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut version = version.to_owned();
    let options = WatchOptions { resource_version: Some((*version).into()), ..Default::default() };
    let mut watch = config_maps.watch(&options).await?;
    while let Some(event) = watch.next().await {
        match event {
            Ok(WatchEvent::Added(colors)) => {
                version = colors.resource_version().to_owned();
                let copy = Secret { metadata: ObjectMeta::named(colors.name()), ..Default::default() };
                secrets.create(&copy).await.map(drop)?;
            }
            Ok(WatchEvent::Deleted(colors)) => {
                version = colors.resource_version().to_owned();
                secrets.delete(colors.name(), &DeleteOptions::default()).await.map(drop)?;
            }
            Ok(_) => {}
            Err(_) if again => return Ok(version),
            Err(error) => return Err(error),
        }
    }
    Ok(version)
}

#[test]
fn a_watch_that_is_not_resumed_is_found() {
    let controller = |again: bool| {
        CrashTest::new(async move |client: Client| {
            let config_maps = client.api::<ConfigMap>().namespace("default");
            let listed = config_maps.list(&ListOptions::default()).await.unwrap();
            let mut version = listed.metadata.resource_version.unwrap_or_default().to_string();
            while let Ok(next) = follow(&client, &version, again).await {
                version = next;
            }
            pending::<()>().await;
        })
        .step("create it", create)
        .step("delete it", delete)
    };
    let play = found(controller(false), PlayKind::WatchesCut);
    assert_eq!(play, (FindingKind::Differs, "watches-cut:written1".to_owned()));
    controller(true).options(only(&[PlayKind::WatchesCut])).run();
}

#[test]
fn a_deletion_that_only_a_list_shows_is_found() {
    // Lists again when the watch has expired, and does not look for that which is no more.
    let controller = |looks: bool| {
        CrashTest::new(async move |client: Client| {
            let config_maps = client.api::<ConfigMap>().namespace("default");
            let secrets = client.api::<Secret>().namespace("default");
            for _ in 0.. {
                let listed = config_maps.list(&ListOptions::default()).await.unwrap();
                if looks && listed.items.iter().all(|config_map| config_map.name() != "colors") {
                    let _ = secrets.delete("colors", &DeleteOptions::default()).await;
                }
                let copy = Secret { metadata: ObjectMeta::named("colors"), ..Default::default() };
                if listed.items.iter().any(|config_map| config_map.name() == "colors") {
                    let _ = secrets.create(&copy).await;
                }
                let version = listed.metadata.resource_version.unwrap_or_default();
                let _ = follow(&client, &version, false).await;
                sleep(Duration::from_secs(1)).await;
            }
        })
        .step("create it", create)
        .step("delete it", delete)
    };
    let play = found(controller(false), PlayKind::Relist);
    assert_eq!(play, (FindingKind::Differs, "relist:written2".to_owned()));
    controller(true).options(only(&[PlayKind::Relist])).run();
}

#[test]
fn a_change_while_the_controller_is_down_is_found() {
    let test = CrashTest::new(async move |client: Client| {
        let config_maps = client.api::<ConfigMap>().namespace("default");
        let listed = config_maps.list(&ListOptions::default()).await.unwrap();
        let version = listed.metadata.resource_version.unwrap_or_default();
        let _ = follow(&client, &version, true).await;
        pending::<()>().await;
    });
    let test = test.step("create it", create).step("delete it", delete);
    let play = found(test, PlayKind::Down);
    assert_eq!(play, (FindingKind::Differs, "down:written1".to_owned()));
}
