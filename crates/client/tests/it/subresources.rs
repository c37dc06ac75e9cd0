//! Subresources.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use futures_core::Stream as _;
use klient_api::apps::v1::{Deployment, DeploymentSpec};
use klient_api::authentication::v1::{TokenRequest, TokenRequestSpec};
use klient_api::autoscaling::v1::Scale;
use klient_api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use klient_api::core::v1::{
    Binding, ConfigMap, Namespace, Node, ObjectReference, Pod, PodTemplateSpec, Service, ServiceAccount,
};
use klient_api::policy::v1::{Eviction, PodDisruptionBudget, PodDisruptionBudgetSpec};
use klient_apimachinery::meta::v1::{LabelSelector, Status};
use klient_apimachinery::{ByteString, IntOrString, ResourceInfo, Unstructured};
use klient_apiserver::{Options, Server};
use klient_client::{
    ApplyOptions, Client, Config, DeferredRestMapper, DeleteOptions, ErrorKind, LogOptions, LogStream, Patch,
    ProxyOptions,
};
use rcgen::{CertificateParams, DnType, KeyPair};
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
async fn an_eviction_respects_the_budget_of_a_pod() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("web-0", "web")).await.unwrap();
    let running =
        json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    pods.patch_status("web-0", &Patch::Merge(running)).await.unwrap();
    let selector = LabelSelector { match_labels: [("app", "web")].into(), ..Default::default() };
    let budget = PodDisruptionBudget {
        metadata: named("web"),
        spec: PodDisruptionBudgetSpec {
            min_available: Some(IntOrString::Int(1)),
            selector: Some(Box::new(selector)),
            ..Default::default()
        },
        ..Default::default()
    };
    let budgets = client.api::<PodDisruptionBudget>().namespace("default");
    budgets.create(&budget).await.unwrap();
    assert_eq!(budgets.get("web").await.unwrap().status.current_healthy, Some(1));
    let eviction = Eviction { metadata: named("web-0"), ..Default::default() };
    let refused = pods.evict("web-0", &eviction).await.unwrap_err();
    assert!(refused.is_too_many_requests(), "{refused}");
    budgets.patch("web", &Patch::Merge(json!({"spec": {"minAvailable": 0}}))).await.unwrap();
    pods.evict("web-0", &eviction).await.unwrap();
    assert!(pods.get_opt("web-0").await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_of_a_service_account_authenticates() {
    let (server, client) = cluster().await;
    let accounts = client.api::<ServiceAccount>().namespace("default");
    accounts.create(&ServiceAccount { metadata: named("robot"), ..Default::default() }).await.unwrap();
    let given = accounts.create_token("robot", &TokenRequest::default()).await.unwrap();
    let token = given.status.token.unwrap();
    let robot = Client::new(Config::from_kubeconfig(&server.kubeconfig_for(&token)).unwrap()).unwrap();
    let refused = robot.api::<ConfigMap>().namespace("default").get("c").await.unwrap_err();
    assert!(refused.is_forbidden(), "{refused}");
    assert!(refused.to_string().contains("system:serviceaccount:default:robot"), "{refused}");
}

#[tokio::test]
async fn a_certificate_signing_request_is_approved_or_denied() {
    let (_server, client) = cluster().await;
    let requests = client.api::<CertificateSigningRequest>();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "ann");
    let key = KeyPair::generate().unwrap();
    let pem = params.serialize_request(&key).unwrap().pem().unwrap();
    for name in ["a", "b"] {
        let spec = CertificateSigningRequestSpec {
            request: ByteString(pem.clone().into_bytes()),
            signer_name: "kubernetes.io/kube-apiserver-client".into(),
            usages: vec!["client auth".into()],
            ..Default::default()
        };
        let request = CertificateSigningRequest { metadata: named(name), spec, ..Default::default() };
        requests.create(&request).await.unwrap();
    }
    let approved = requests.approve("a", "OnTheTeam", "Ann is on the team.").await.unwrap();
    let condition = &approved.status.conditions[0];
    assert_eq!((&*condition.type_, condition.reason.as_deref()), ("Approved", Some("OnTheTeam")));
    assert_eq!(condition.message.as_deref(), Some("Ann is on the team."));
    let signed = requests.get("a").await.unwrap();
    assert!(signed.status.certificate.is_some());
    let version = signed.metadata.resource_version.clone();
    let again = requests.approve("a", "Again", "").await.unwrap();
    assert_eq!(again.metadata.resource_version, version, "it is approved already");
    let contrary = requests.deny("a", "Mistake", "").await.unwrap_err();
    let problem = r#"certificate signing request "a" is already Approved"#;
    assert!(contrary.to_string().contains(problem), "{contrary}");
    let denied = requests.deny("b", "NotOnTheTeam", "Ann has left.").await.unwrap();
    assert_eq!(&*denied.status.conditions[0].type_, "Denied");
    assert!(requests.approve("c", "Any", "").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_running_pod_is_resized_and_gets_an_ephemeral_container() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let mut web = pod("web", "web");
    let name = web.spec.containers[0].name.clone();
    let with = |cpu: &str| {
        let resources = json!({"requests": {"cpu": cpu}});
        Patch::Strategic(json!({"spec": {"containers": [{"name": name.as_str(), "resources": resources}]}}))
    };
    let mut resources = klient_api::core::v1::ResourceRequirements::default();
    resources.requests.insert("cpu", "100m".into());
    web.spec.containers[0].resources = Some(Box::new(resources));
    pods.create(&web).await.unwrap();
    let mut resized = pods.patch_resize("web", &with("200m")).await.unwrap();
    let cpu = |pod: &Pod| pod.spec.containers[0].resources.as_ref().unwrap().requests["cpu"].to_string();
    assert_eq!(cpu(&resized), "200m");
    resized.spec.containers[0].resources.as_mut().unwrap().requests.insert("cpu", "300m".into());
    assert_eq!(cpu(&pods.update_resize(&resized).await.unwrap()), "300m");

    let container = json!({"name": "debug", "image": "busybox", "targetContainerName": name.as_str()});
    let patch = Patch::Strategic(json!({"spec": {"ephemeralContainers": [container]}}));
    let mut debugged = pods.patch_ephemeral_containers("web", &patch).await.unwrap();
    assert_eq!(debugged.spec.ephemeral_containers.len(), 1);
    let mut second = debugged.spec.ephemeral_containers[0].clone();
    second.name = "second".into();
    debugged.spec.ephemeral_containers.push(second);
    let debugged = pods.update_ephemeral_containers(&debugged).await.unwrap();
    assert_eq!(debugged.spec.ephemeral_containers.len(), 2);
}

#[tokio::test]
async fn a_namespace_is_finalized() {
    let server = Server::start(Options { controller_manager: false, ..Default::default() }).await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    let namespaces = client.api::<Namespace>();
    namespaces.create(&Namespace { metadata: named("shop"), ..Default::default() }).await.unwrap();
    namespaces.delete("shop", &Default::default()).await.unwrap();
    let mut shop = namespaces.get("shop").await.unwrap();
    shop.spec.finalizers.clear();
    namespaces.finalize(&shop).await.unwrap();
    assert!(namespaces.get_opt("shop").await.unwrap().is_none());
}

#[tokio::test]
async fn requests_are_sent_through_the_api_server() {
    let said = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nup 1\n";
    for (options, path) in [
        (ProxyOptions::default(), "web/proxy/metrics/all"),
        (ProxyOptions { port: Some("http".to_owned()), ..Default::default() }, "web:http/proxy/metrics/all"),
        (
            ProxyOptions {
                scheme: Some("https".to_owned()),
                port: Some("8443".to_owned()),
                parameters: vec![("format".to_owned(), "a b".to_owned())],
            },
            "https:web:8443/proxy/metrics/all?format=a%20b",
        ),
    ] {
        let front = Front::saying(&[said]).await;
        let services = front.client().api::<Service>().namespace("shop");
        let mut metrics = services.proxy_get("web", "/metrics/all", &options).await.unwrap();
        assert_eq!(metrics.line().await.unwrap().as_deref(), Some(&b"up 1"[..]));
        assert_eq!(front.requests(), [format!("GET /api/v1/namespaces/shop/services/{path} HTTP/1.1")]);
    }
}

#[tokio::test]
async fn a_scale_of_an_old_version_is_converted() {
    let scale = json!({
        "kind": "Scale", "apiVersion": "apps/v1beta2", "metadata": {"name": "web"}, "spec": {"replicas": 3},
        "status": {"replicas": 1, "selector": {"app": "web"}, "targetSelector": "app=web"},
    });
    let said =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{scale}");
    let front = Front::saying(&[&said]).await;
    let old = ResourceInfo::from_static("apps", "v1beta2", "Deployment", "deployments", true);
    let client = front.client();
    let deployments = client.dynamic(old).namespace("default");
    let read = deployments.scale("web").await.unwrap();
    assert_eq!((read.spec.replicas, read.status.selector.as_deref()), (Some(3), Some("app=web")));
    let written = deployments.update_scale("web", &read).await.unwrap();
    let patched =
        deployments.patch_scale("web", &Patch::Merge(json!({"spec": {"replicas": 3}}))).await.unwrap();
    assert_eq!([&written, &patched], [&read, &read]);
    let path = "/apis/apps/v1beta2/namespaces/default/deployments/web/scale HTTP/1.1";
    assert_eq!(front.requests(), ["GET", "PUT", "PATCH"].map(|method| format!("{method} {path}")));
}

#[tokio::test]
async fn logs_are_read_line_by_line() {
    let said = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\none\ntwo";
    let front = Front::saying(&[said]).await;
    let options = LogOptions {
        container: Some("main".to_owned()),
        previous: true,
        since: Some(Duration::from_millis(89_001)),
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
    let mut stream = pin!(pods.logs("web-0", &LogOptions::default()).await.unwrap().lines());
    let mut next = async || poll_fn(|context| stream.as_mut().poll_next(context)).await.transpose().unwrap();
    assert_eq!([next().await, next().await, next().await], [Some("one".into()), Some("two".into()), None]);
    let asked = "GET /api/v1/namespaces/shop/pods/web-0/log\
        ?container=main&previous=true&sinceSeconds=90&tailLines=2 HTTP/1.1";
    assert_eq!(front.requests(), [asked, "GET /api/v1/namespaces/shop/pods/web-0/log HTTP/1.1"]);

    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let missing = pods.logs("web-0", &LogOptions::default()).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");

    pods.create(&pod("web-0", "web")).await.unwrap();
    for stream in [LogStream::All, LogStream::Stdout, LogStream::Stderr] {
        let options = LogOptions { stream: Some(stream), ..Default::default() };
        // The feature gate is off by default.
        let refused = pods.logs("web-0", &options).await.unwrap_err();
        assert!(refused.is_invalid(), "{refused}");
        let expected = r#"PodLogOptions "web-0" is invalid: stream: Forbidden: may not be specified"#;
        assert!(refused.to_string().ends_with(expected), "{refused}");
        let front = Front::saying(&[said]).await;
        front.client().api::<Pod>().namespace("shop").logs("web-0", &options).await.unwrap();
        let asked = format!("GET /api/v1/namespaces/shop/pods/web-0/log?stream={} HTTP/1.1", stream.as_str());
        assert_eq!(front.requests(), [asked]);
    }
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
