//! Scales of built-in and custom resources.

use klient_apimachinery::Unstructured;
use klient_client::{DeferredRestMapper, DeleteOptions, Patch};
use serde_json::json;

use super::test_cluster::TestCluster;

#[tokio::test]
async fn everything_that_has_a_scale_is_scaled() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let custom = cluster.define("Gadget", "Namespaced", &cluster.unique("gd")).await;
    let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    });
    let workload = json!({"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template});
    let controller = json!({"replicas": 1, "selector": {"app": "web"}, "template": template});
    for (group, kind, spec, replicas, selector) in [
        ("apps", "Deployment", &workload, "replicas", Some("app=web")),
        ("apps", "ReplicaSet", &workload, "replicas", Some("app=web")),
        ("apps", "StatefulSet", &workload, "replicas", Some("app=web")),
        ("", "ReplicationController", &controller, "replicas", Some("app=web")),
        (&custom, "Gadget", &json!({"size": 1}), "size", None),
    ] {
        let resource = mapper.kind(group, kind, None).await.unwrap();
        let scale_kind = &resource.subresource("scale").unwrap().kind;
        assert_eq!(scale_kind.to_string(), "autoscaling/v1, Kind=Scale");
        // With what discovery says, and with the names alone.
        for objects in [client.dynamic(&resource), client.dynamic(resource.info.clone())] {
            let objects = objects.namespace(&cluster.namespace);
            let mut object = Unstructured::new(&resource.info.api_version(), kind, "web");
            object["spec"] = spec.clone();
            objects.create(&object).await.unwrap();
            let mut scale = objects.scale("web").await.unwrap();
            assert_eq!(
                (scale.spec.replicas, scale.metadata.name.as_deref(), scale.status.selector.as_deref()),
                (Some(1), Some("web"), selector),
                "{kind}"
            );
            let before = scale.clone();
            scale.spec.replicas = Some(3);
            assert_eq!(objects.update_scale("web", &scale).await.unwrap().spec.replicas, Some(3), "{kind}");
            let conflict = objects.update_scale("web", &before).await.unwrap_err();
            let problem = format!(
                "Operation cannot be fulfilled on {}.{group} \"web\": the object has been modified; please apply your \
                 changes to the latest version and try again",
                resource.info.plural
            );
            let problem = problem.replace(". \"web\"", " \"web\"");
            assert!(conflict.is_conflict(), "{kind}");
            assert_eq!(conflict.as_status().unwrap().message.as_deref(), Some(&*problem));
            let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
            assert_eq!(objects.patch_scale("web", &patch).await.unwrap().spec.replicas, Some(5), "{kind}");
            assert_eq!(objects.get("web").await.unwrap()["spec"][replicas], 5, "{kind}");
            let negative = Patch::Merge(json!({"spec": {"replicas": -1}}));
            assert!(objects.patch_scale("web", &negative).await.unwrap_err().is_invalid(), "{kind}");
            objects.delete("web", &DeleteOptions::background()).await.unwrap();
            let missing = objects.scale("web").await.unwrap_err();
            assert!(missing.is_not_found(), "{kind}: {missing}");
        }
    }
}
