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
    let logged = |object: &ConfigMap| {
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        assert_eq!(lines(&log), [format!("configmaps default/sky {version}")]);
    };
    let written = async {
        logged(&config_maps.create(&config_map("sky", "grey")).await?);
        config_maps.get("sky").await?;
        config_maps.list(&ListOptions::default()).await?;
        logged(&config_maps.update(&config_map("sky", "blue")).await?);
        let patch = Patch::Merge(json!({"data": {"color": "red"}}));
        let patched = config_maps.patch("sky", &patch).await?;
        logged(&patched);
        // What fails or is not stored is not logged.
        assert!(config_maps.create(&config_map("sky", "grey")).await.is_err());
        let dry = WriteOptions { dry_run: true, ..Default::default() };
        config_maps.clone().with(dry).create(&config_map("sea", "green")).await?;
        let dry = DeleteOptions { dry_run: vec!["All".into()], ..Default::default() };
        config_maps.delete("sky", &dry).await?;
        assert_eq!(log.take(), []);
        // A raw request of a resource is. It changes nothing.
        let raw = client.request(Method::PATCH).group_version("", "v1").namespace("default");
        let raw =
            raw.resource("configmaps").name("sky").body("application/merge-patch+json", r#"{"data":{}}"#);
        raw.send().await?;
        logged(&patched);
        config_maps.delete("sky", &Default::default()).await?;
        assert_eq!(lines(&log), ["configmaps default/sky deleted"]);
        Ok::<_, Error>(())
    };
    log.record(written).await.unwrap();
}

#[tokio::test]
async fn a_log_has_the_last_write_of_each_object_and_those_of_the_logs_within() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let (outer, inner) = (WriteLog::default(), WriteLog::default());
    let written = async {
        config_maps.create(&config_map("sky", "grey")).await?;
        config_maps.create(&config_map("sea", "green")).await?;
        let task = inner.record(async {
            let sky = config_maps.update(&config_map("sky", "blue")).await?;
            let (current, config_maps) = (WriteLog::current().unwrap(), config_maps.clone());
            let task = async move { config_maps.update(&config_map("sea", "blue")).await };
            let sea = tokio::spawn(async move { current.record(task).await }).await.unwrap()?;
            Ok::<_, Error>([sky, sea])
        });
        task.await
    };
    let versions = outer.record(written).await.unwrap().map(|object| object.metadata.resource_version);
    for log in [inner, outer] {
        let logged = log.take().into_iter().map(|write| Some(write.resource_version));
        assert_eq!(logged.collect::<Vec<_>>(), versions);
    }
}

#[tokio::test]
async fn writes_have_the_server_and_the_labels_of_their_answers() {
    let (_servers, clients) = [cluster().await, cluster().await].into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let mut sky = config_map("sky", "grey");
    sky.metadata.labels.insert("color", "grey".into());
    let log = WriteLog::default();
    log.record(async {
        for client in &clients {
            client.api::<ConfigMap>().namespace("default").create(&sky).await?;
        }
        // The answer is a Status.
        clients[1].api::<ConfigMap>().namespace("default").delete("sky", &Default::default()).await.map(drop)
    })
    .await
    .unwrap();
    let [created, deleted] = &log.take()[..] else { panic!("one write for each server") };
    assert_eq!((&created.labels, &deleted.labels), (&Some(sky.metadata.labels), &None));
    for (write, client) in [created, deleted].into_iter().zip(&clients) {
        assert_eq!(write.server, client.config().url.to_string());
    }
}

#[tokio::test]
async fn the_removal_of_the_last_finalizer_of_an_object_that_waits_for_it_is_told() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut held = config_map("held", "blue");
    held.metadata.finalizers = vec!["example.com/one".into(), "example.com/two".into()];
    let log = WriteLog::default();
    let mut found = Vec::new();
    log.record(async {
        let mut is_gone = || log.take().iter().for_each(|write| found.push(write.is_gone));
        config_maps.create(&held).await?;
        is_gone();
        config_maps.delete("held", &Default::default()).await?;
        is_gone();
        let one_less = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/two"]}}));
        config_maps.patch("held", &one_less).await?;
        is_gone();
        // As protobuf, and as JSON.
        let mut last = config_maps.get("held").await?;
        last.metadata.finalizers.clear();
        config_maps.update(&last).await?;
        is_gone();
        config_maps.create(&held).await?;
        config_maps.delete("held", &Default::default()).await?;
        config_maps.patch("held", &Patch::Merge(json!({"metadata": {"finalizers": null}}))).await?;
        is_gone();
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    assert_eq!(found, [false, false, false, true, true]);
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
    assert!(matches!(&*logged, [write] if write.key.name() == &*name && write.resource == "pods"));
    let version = pods.get(&name).await.unwrap().metadata.resource_version;
    assert_eq!(Some(&logged[0].resource_version), version.as_ref());
}
