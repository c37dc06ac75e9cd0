//! The log of one's own writes.

use http::Method;
use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::WriteOptions;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_client::{Error, ListOptions, Patch, WriteLog};
use serde_json::json;

use crate::cluster::{cluster, config_map};

/// Logged writes as `resource key version`, or `resource key deleted`.
fn lines(log: &WriteLog) -> Vec<String> {
    let line = |write: klient_client::LoggedWrite| {
        assert!(!write.uid.is_empty(), "{write:?}");
        let version = if write.is_delete { "deleted".into() } else { write.resource_version };
        format!("{} {} {version}", write.resource, write.key)
    };
    log.take().into_iter().map(line).collect()
}

#[tokio::test]
async fn writes_are_logged_with_the_versions_of_their_answers() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let log = WriteLog::default();
    let version = |object: &ConfigMap| object.metadata.resource_version.clone().unwrap_or_default();
    let written = async {
        let created = config_maps.create(&config_map("sky", "grey")).await?;
        config_maps.get("sky").await?;
        config_maps.list(&ListOptions::default()).await?;
        let updated = config_maps.update(&config_map("sky", "blue")).await?;
        let patch = Patch::Merge(json!({"data": {"color": "red"}}));
        let patched = config_maps.patch("sky", &patch).await?;
        // What fails or is not stored is not logged.
        assert!(config_maps.create(&config_map("sky", "grey")).await.is_err());
        let dry = WriteOptions { dry_run: true, ..Default::default() };
        config_maps.clone().with(dry).create(&config_map("sea", "green")).await?;
        let dry = DeleteOptions { dry_run: vec!["All".into()], ..Default::default() };
        config_maps.delete("sky", &dry).await?;
        // A raw request of a resource is.
        let raw = client.request(Method::PATCH).group_version("", "v1").namespace("default");
        let raw =
            raw.resource("configmaps").name("sky").body("application/merge-patch+json", r#"{"data":{}}"#);
        raw.send().await?;
        config_maps.delete("sky", &Default::default()).await?;
        Ok::<_, Error>([created, updated, patched].map(|object| version(&object)))
    };
    let [created, updated, patched] = log.record(written).await.unwrap();
    assert_eq!(
        lines(&log),
        [
            format!("configmaps default/sky {created}"),
            format!("configmaps default/sky {updated}"),
            format!("configmaps default/sky {patched}"),
            // It changed nothing.
            format!("configmaps default/sky {patched}"),
            "configmaps default/sky deleted".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_status_counts_as_a_write_and_a_spawned_task_has_the_log_that_it_is_given() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let mut pod = Pod::default();
    pod.metadata.generate_name = Some("web-".into());
    pod.spec.containers = vec![klient_api::core::v1::Container {
        name: "web".into(),
        image: Some("nginx".into()),
        ..Default::default()
    }];
    let log = WriteLog::default();
    let name = log
        .record(async {
            let created = pods.create(&pod).await?;
            let name = created.metadata.name.unwrap_or_default();
            let current = WriteLog::current().expect("the future is recorded");
            let (status, pods) = (Patch::Merge(json!({"status": {"message": "ok"}})), pods.clone());
            let lost = tokio::spawn({
                let (status, pods, name) = (status.clone(), pods.clone(), name.clone());
                async move { pods.patch_status(&name, &status).await }
            });
            lost.await.unwrap()?;
            let (status, named) = (Patch::Merge(json!({"status": {"message": "better"}})), name.clone());
            let logged =
                tokio::spawn(
                    async move { current.record(pods.patch_status(&named, &status)).await.map(drop) },
                );
            logged.await.unwrap()?;
            Ok::<_, Error>(name)
        })
        .await
        .unwrap();
    assert!(WriteLog::current().is_none());
    let logged = log.take();
    assert_eq!(logged.len(), 2);
    assert!(logged.iter().all(|write| write.key.name() == &*name && write.resource == "pods"));
}
