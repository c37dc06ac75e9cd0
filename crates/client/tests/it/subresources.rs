//! Subresources.

use std::time::Duration;

use klient_api::apps::v1::{Deployment, DeploymentSpec};
use klient_api::authentication::v1::{TokenRequest, TokenRequestSpec};
use klient_api::autoscaling::v1::Scale;
use klient_api::core::v1::{Binding, Node, ObjectReference, Pod, PodTemplateSpec, ServiceAccount};
use klient_api::policy::v1::Eviction;
use klient_apimachinery::Unstructured;
use klient_apimachinery::meta::v1::{LabelSelector, Status};
use klient_client::{ApplyOptions, DeferredRestMapper, DeleteOptions, ErrorKind, LogOptions, Patch};
use serde_json::json;

use crate::cluster::{cluster, create_gadgets, named, pod};
use crate::front::Front;

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
    let mut scale = deployments.scale("web").await.unwrap();
    assert_eq!(scale.spec.replicas, Some(1));
    scale.spec.replicas = Some(3);
    deployments.update_scale("web", &scale).await.unwrap();
    assert_eq!(deployments.get("web").await.unwrap().spec.replicas, Some(3));

    let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
    let scale: Scale = deployments.patch_scale("web", &patch).await.unwrap();
    assert_eq!(scale.spec.replicas, Some(5));
    let missing = deployments.scale("api").await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
}

#[tokio::test]
async fn everything_that_has_a_scale_is_scaled_by_the_names_of_discovery() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    });
    let workload = json!({"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template});
    let controller = json!({"replicas": 1, "selector": {"app": "web"}, "template": template});
    for (group, kind, spec, replicas) in [
        ("apps", "Deployment", &workload, "replicas"),
        ("apps", "ReplicaSet", &workload, "replicas"),
        ("apps", "StatefulSet", &workload, "replicas"),
        ("", "ReplicationController", &controller, "replicas"),
        ("shop.example", "Gadget", &json!({"size": 1}), "size"),
    ] {
        let resource = mapper.kind(group, kind, None).await.unwrap();
        let scale_kind = &resource.subresource("scale").unwrap().kind;
        assert_eq!(scale_kind.to_string(), "autoscaling/v1, Kind=Scale");
        // With what discovery says, and with the names alone.
        for objects in [client.dynamic(&resource), client.dynamic(resource.info.clone())] {
            let objects = objects.namespace("default");
            let mut object = Unstructured::new(&resource.info.api_version(), kind, "web");
            object["spec"] = spec.clone();
            objects.create(&object).await.unwrap();
            let mut scale = objects.scale("web").await.unwrap();
            assert_eq!(
                (scale.spec.replicas, scale.metadata.name.as_deref()),
                (Some(1), Some("web")),
                "{kind}"
            );
            let before = scale.clone();
            scale.spec.replicas = Some(3);
            assert_eq!(objects.update_scale("web", &scale).await.unwrap().spec.replicas, Some(3), "{kind}");
            assert!(objects.update_scale("web", &before).await.unwrap_err().is_conflict(), "{kind}");
            let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
            assert_eq!(objects.patch_scale("web", &patch).await.unwrap().spec.replicas, Some(5), "{kind}");
            assert_eq!(objects.get("web").await.unwrap()["spec"][replicas], 5, "{kind}");
            objects.delete("web", &DeleteOptions::background()).await.unwrap();
            assert!(objects.scale("web").await.unwrap_err().is_not_found(), "{kind}");
        }
    }
}

#[tokio::test]
async fn a_subresource_that_discovery_does_not_name_is_refused() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |_| {}).await;
    let client = front.client();
    let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    let config_maps = client.dynamic(&mapper.resource("cm").await.unwrap()).namespace("default");
    let before = front.requests().len();
    let options = ApplyOptions::new("me");
    let configuration = Unstructured::new("autoscaling/v1", "Scale", "web");
    for error in [
        config_maps.scale("web").await.map(drop).unwrap_err(),
        config_maps.get_subresource::<Unstructured>("web", "scale").await.unwrap_err(),
        config_maps.apply_scale(&configuration, &options).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Request);
        assert_eq!(
            error.to_string(),
            r#"scale configmaps: not sent: the server does not offer the subresource "scale" for this resource"#
        );
    }
    assert_eq!(front.requests().len(), before);
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
    let bound = pods.bind("web", &binding).await.unwrap();
    assert_eq!(bound.status.as_deref(), Some("Success"));
    assert_eq!(pods.get("web").await.unwrap().spec.node_name.as_deref(), Some("n1"));
    let twice = pods.create_subresource::<_, Status>("web", "binding", &binding).await.unwrap_err();
    assert!(twice.is_conflict(), "{twice:?}");
}

/// A front that gives one answer in JSON.
async fn answering(status: &str, body: &serde_json::Value) -> Front {
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
    Front::saying(&[&format!("{head}\r\n\r\n{body}")]).await
}

#[tokio::test]
async fn a_pod_is_evicted() {
    let success = json!({"apiVersion": "v1", "kind": "Status", "status": "Success", "code": 201});
    let front = answering("201 Created", &success).await;
    let pods = front.client().api::<Pod>().namespace("shop");
    let eviction = Eviction { metadata: named("web-0"), ..Default::default() };
    let evicted = pods.evict("web-0", &eviction).await.unwrap();
    assert_eq!(evicted.status.as_deref(), Some("Success"));
    assert_eq!(front.requests(), ["POST /api/v1/namespaces/shop/pods/web-0/eviction HTTP/1.1"]);

    let budget = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "TooManyRequests", "code": 429,
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
    });
    let front = answering("429 Too Many Requests", &budget).await;
    let pods = front.client().api::<Pod>().namespace("shop");
    let refused = pods.evict("web-0", &eviction).await.unwrap_err();
    assert!(refused.is_too_many_requests(), "{refused}");
}

#[tokio::test]
async fn a_service_account_is_given_a_token() {
    let given = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": ["vault"], "expirationSeconds": 3600},
        "status": {"token": "abc", "expirationTimestamp": "2030-01-01T00:00:00Z"},
    });
    let front = answering("201 Created", &given).await;
    let accounts = front.client().api::<ServiceAccount>().namespace("shop");
    let spec = TokenRequestSpec { audiences: vec!["vault".into()], ..Default::default() };
    let request = TokenRequest { spec, ..Default::default() };
    let given = accounts.create_token("robot", &request).await.unwrap();
    assert_eq!((given.status.token.as_deref(), given.spec.expiration_seconds), (Some("abc"), Some(3600)));
    assert_eq!(front.requests(), ["POST /api/v1/namespaces/shop/serviceaccounts/robot/token HTTP/1.1"]);
}

#[tokio::test]
async fn logs_are_read_line_by_line() {
    let said = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\none\ntwo\n";
    let front = Front::saying(&[said]).await;
    let options = LogOptions {
        container: Some("main".to_owned()),
        previous: true,
        since: Some(Duration::from_secs(90)),
        tail_lines: Some(2),
        ..Default::default()
    };
    let pods = front.client().api::<Pod>().namespace("shop");
    let mut logs = pods.logs("web-0", &options).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = logs.line().await.unwrap() {
        lines.push(String::from_utf8(line.to_vec()).unwrap().trim_end().to_owned());
    }
    assert_eq!(lines, ["one", "two"]);
    let asked = "GET /api/v1/namespaces/shop/pods/web-0/log\
        ?container=main&previous=true&sinceSeconds=90&tailLines=2 HTTP/1.1";
    assert_eq!(front.requests(), [asked]);

    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let missing = pods.logs("web-0", &LogOptions::default()).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
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
