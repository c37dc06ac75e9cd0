//! Patches of every form.

use klient_api::core::v1::{ConfigMap, Pod, Secret};
use klient_client::Patch;
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
    let container = &changed.spec.containers[0];
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
    assert_eq!(changed.status.phase.as_deref(), Some("Running"));
    assert_eq!(changed.spec.containers[0].image.as_deref(), Some("nginx"));
}

#[test]
fn a_patch_shows_no_values() {
    let secret = Secret { string_data: [("password", "s3cret")].into(), ..Default::default() };
    for patch in [
        Patch::merge_of(&secret),
        Patch::Json(json!([{"op": "add", "path": "/data/s3cret", "value": "s3cret"}])),
        Patch::Strategic(json!({"data": {"password": "s3cret"}})),
    ] {
        assert!(!format!("{patch:?} {patch:#?}").contains("s3cret"), "{patch:?}");
    }
}
