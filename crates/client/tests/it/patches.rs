//! Patches of every form.

use klient_api::core::v1::{ConfigMap, Pod, Secret};
use klient_client::{Patch, WriteOptions};
use serde_json::json;

use crate::cluster::{cluster, config_map, pod};

#[tokio::test]
async fn a_merge_patch_sets_and_removes() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"color": null, "height": "high"}}));
    let changed = config_maps.patch("sky", &patch).await.unwrap();
    assert_eq!(changed.data, [("height", "high")].into());
    let typed = ConfigMap { data: [("depth", "none")].into(), ..Default::default() };
    let changed = config_maps.patch("sky", &Patch::merge_of(&typed)).await.unwrap();
    assert_eq!(changed.data, [("depth", "none"), ("height", "high")].into());
}

#[tokio::test]
async fn a_json_patch_is_applied_whole_or_not_at_all() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let paint = |before: &str| {
        Patch::Json(json!([
            {"op": "add", "path": "/data/height", "value": "high"},
            {"op": "test", "path": "/data/color", "value": before},
            {"op": "replace", "path": "/data/color", "value": "grey"},
        ]))
    };
    let error = config_maps.patch("sky", &paint("red")).await.unwrap_err();
    assert!(error.is_invalid(), "{error:?}");
    assert_eq!(config_maps.get("sky").await.unwrap().data, [("color", "blue")].into());
    let changed = config_maps.patch("sky", &paint("blue")).await.unwrap();
    assert_eq!(changed.data, [("color", "grey"), ("height", "high")].into());
}

#[tokio::test]
async fn a_strategic_patch_merges_lists_by_their_keys() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("web", "web")).await.unwrap();
    let image = json!({"spec": {"containers": [{"name": "web", "image": "nginx:2"}]}});
    let changed = pods.patch("web", &Patch::Strategic(image)).await.unwrap();
    let container = &changed.spec.as_ref().unwrap().containers[0];
    assert_eq!(container.image.as_deref(), Some("nginx:2"));
    assert_eq!(container.termination_message_path.as_deref(), Some("/dev/termination-log"));
}

#[tokio::test]
async fn a_patch_bound_to_an_old_version_is_a_conflict() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let patch = Patch::Merge(json!({"metadata": {"resourceVersion": "1"}, "data": {"color": "red"}}));
    assert!(config_maps.patch("sky", &patch).await.unwrap_err().is_conflict());
    let missing = config_maps.patch("sea", &Patch::Merge(json!({}))).await.unwrap_err();
    assert!(missing.is_not_found());
}

#[tokio::test]
async fn a_patch_of_the_status_leaves_the_rest() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("web", "web")).await.unwrap();
    let patch = Patch::Merge(json!({
        "spec": {"containers": [{"name": "web", "image": "apache"}]},
        "status": {"phase": "Running"},
    }));
    let changed = pods.patch_status("web", &patch).await.unwrap();
    assert_eq!(changed.status.unwrap().phase.as_deref(), Some("Running"));
    assert_eq!(changed.spec.unwrap().containers[0].image.as_deref(), Some("nginx"));
}

#[tokio::test]
async fn a_patch_that_applies_sets_what_is_wanted() {
    let (_server, client) = cluster().await;
    let manager = WriteOptions { field_manager: Some("tests".into()), ..Default::default() };
    let config_maps = client.api::<ConfigMap>().namespace("default").with(manager);
    let sky = |color: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sky"}, "data": {"color": color},
        })
    };
    let applied =
        config_maps.patch("sky", &Patch::Apply { object: sky("blue"), force: false }).await.unwrap();
    assert_eq!(applied.metadata.managed_fields[0].manager.as_deref(), Some("tests"));

    let other = WriteOptions { field_manager: Some("others".into()), ..Default::default() };
    let config_maps = client.api::<ConfigMap>().namespace("default").with(other);
    let object = sky("red");
    let error = config_maps.patch("sky", &Patch::Apply { object, force: false }).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    assert!(error.subject().ends_with("/configmaps/sky?fieldManager=others"), "{error:?}");
    let applied = config_maps.patch("sky", &Patch::Apply { object: sky("red"), force: true }).await.unwrap();
    assert_eq!(applied.data["color"], "red");
}

#[test]
fn a_patch_shows_no_values() {
    let secret = Secret { string_data: [("password", "s3cret")].into(), ..Default::default() };
    for patch in [
        Patch::merge_of(&secret),
        Patch::Json(json!([{"op": "add", "path": "/data/s3cret", "value": "s3cret"}])),
        Patch::Strategic(json!({"data": {"password": "s3cret"}})),
        Patch::Apply { object: json!({"data": {"password": "s3cret"}}), force: true },
    ] {
        assert!(!format!("{patch:?} {patch:#?}").contains("s3cret"), "{patch:?}");
    }
}
