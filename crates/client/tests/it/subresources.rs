//! What is served below an object.

use klient_api::apps::v1::{Deployment, DeploymentSpec};
use klient_api::autoscaling::v1::Scale;
use klient_api::core::v1::{Binding, Node, ObjectReference, Pod, PodTemplateSpec};
use klient_apimachinery::Unstructured;
use klient_apimachinery::meta::v1::{LabelSelector, Status};
use klient_client::Patch;
use serde_json::json;

use crate::cluster::{cluster, named, pod};

fn deployment(name: &str) -> Deployment {
    let template = pod(name, name);
    Deployment {
        metadata: named(name),
        spec: DeploymentSpec {
            selector: LabelSelector { match_labels: [("app", name)].into(), ..Default::default() },
            template: PodTemplateSpec {
                metadata: Some(Box::new(template.metadata)),
                spec: template.spec,
                ..Default::default()
            },
            ..Default::default()
        },
        ..Default::default()
    }
}

#[tokio::test]
async fn a_workload_is_scaled_by_its_scale() {
    let (_server, client) = cluster().await;
    let deployments = client.api::<Deployment>().namespace("default");
    deployments.create(&deployment("web")).await.unwrap();
    let mut scale: Scale = deployments.scale("web").await.unwrap();
    assert_eq!(scale.spec.replicas, Some(1));
    scale.spec.replicas = Some(3);
    deployments.update_scale("web", &scale).await.unwrap();
    assert_eq!(deployments.get("web").await.unwrap().spec.replicas, Some(3));

    let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
    let scale: Scale = deployments.patch_scale("web", &patch).await.unwrap();
    assert_eq!(scale.spec.replicas, Some(5));
    let missing = deployments.scale::<Scale>("api").await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
}

#[tokio::test]
async fn a_pod_is_bound_to_a_node() {
    let (_server, client) = cluster().await;
    client.api::<Node>().create(&Node { metadata: named("n1"), ..Default::default() }).await.unwrap();
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("web", "web")).await.unwrap();
    let binding = Binding {
        metadata: named("web"),
        target: ObjectReference { kind: Some("Node".into()), name: Some("n1".into()), ..Default::default() },
        ..Default::default()
    };
    let bound: Status = pods.create_subresource("web", "binding", &binding).await.unwrap();
    assert_eq!(bound.status.as_deref(), Some("Success"));
    assert_eq!(pods.get("web").await.unwrap().spec.node_name.as_deref(), Some("n1"));
    let twice = pods.create_subresource::<_, Status>("web", "binding", &binding).await.unwrap_err();
    assert!(twice.is_conflict(), "{twice:?}");
}

#[tokio::test]
async fn what_is_not_served_below_an_object_is_not_found() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("web", "web")).await.unwrap();
    for subresource in ["scale", "nonsense"] {
        let error = pods.get_subresource::<Unstructured>("web", subresource).await.unwrap_err();
        assert!(error.is_not_found(), "{subresource}: {error:?}");
        assert!(error.subject().ends_with(&format!("/pods/web/{subresource}")), "{error}");
    }
}
