//! Discovery, aggregated and group by group, and resources by each of their names.

use std::time::Duration;

use http::header::ACCEPT;
use klient_apimachinery::ResourceInfo;
use klient_apiserver::TestServer;
use klient_client::{ApiResource, Client, NoMatch, RestMapper, Served};

use crate::cluster::{cluster, create_gadgets, soon};
use crate::front::Front;

/// Everything of a resource in one line.
fn lines(served: &Served) -> Vec<String> {
    let mut lines: Vec<String> = served.resources.iter().map(|resource| format!("{resource:?}")).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn everything_is_told_in_two_requests() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |_| {}).await;
    let served = front.client().discovery().resources().await.unwrap();
    let mut requests = front.requests();
    requests.sort();
    assert_eq!(requests, ["GET /api?timeout=32s", "GET /apis?timeout=32s"]);
    assert!(served.failed.is_empty());
    let deployments = served.resources.iter().find(|resource| resource.info.plural == "deployments").unwrap();
    assert_eq!(deployments.info.api_version(), "apps/v1");
    assert_eq!(deployments.short_names, ["deploy"]);
    assert_eq!(deployments.categories, ["all"]);
    assert_eq!(deployments.subresources, ["scale", "status"]);
    assert!(deployments.has_verb("deletecollection") && !deployments.has_verb("proxy"));
    let version = front.client().discovery().version().await.unwrap();
    assert_eq!((version.major.as_str(), version.git_version.get(..2)), ("1", Some("v1")));
}

#[tokio::test]
async fn servers_that_know_no_aggregated_discovery_are_asked_group_by_group() {
    let (server, client) = cluster().await;
    create_gadgets(&client).await;
    let aggregated = client.discovery().resources().await.unwrap();
    let front = Front::proxy(&server, |request| {
        request.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
    })
    .await;
    let legacy = front.client().discovery().resources().await.unwrap();
    assert_eq!(lines(&legacy), lines(&aggregated));
    let requests = front.requests();
    assert!(requests.contains(&"GET /apis/shop.example/v1?timeout=32s".to_owned()), "{requests:?}");
    assert!(requests.contains(&"GET /api/v1?timeout=32s".to_owned()), "{requests:?}");

    let not_acceptable = Front::saying(&["HTTP/1.1 406 Not Acceptable\r\n\r\n"]).await;
    let error = not_acceptable.client().discovery().resources().await.unwrap_err();
    assert!(error.is_not_acceptable());
    assert_eq!(not_acceptable.requests().len(), 4, "each of the two is asked for in plain JSON too");

    // The preferred version of a group stands before others.
    let mapper = RestMapper::new(legacy);
    assert_eq!(mapper.resource("hpa").unwrap().info.version, "v2");
}

/// A front that asks for plain JSON, and for something else in place of apps/v1.
async fn front_without_apps(server: &TestServer, instead: &'static str) -> Front {
    Front::proxy(server, move |request| {
        request.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
        if request.uri().path() == "/apis/apps/v1" {
            *request.uri_mut() = instead.parse().unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn a_group_that_cannot_tell_is_named_and_the_others_are_there() {
    let (server, _) = cluster().await;
    // One that is not there, one that says nonsense, and one that takes too long.
    for instead in ["/apis/apps/v0", "/healthz", "/api/v1/pods?watch=true"] {
        let front = front_without_apps(&server, instead).await;
        let mut config = front.client().config().clone();
        config.timeouts.whole = Some(Duration::from_secs(2));
        let served = Client::new(config).unwrap().discovery().resources().await.unwrap();
        assert_eq!(served.failed.keys().collect::<Vec<_>>(), ["apps/v1"], "{instead}");
        assert!(served.resources.iter().any(|resource| resource.info.plural == "pods"));
        assert!(!served.resources.iter().any(|resource| resource.info.plural == "deployments"));
    }
}

#[tokio::test]
async fn discovery_that_is_given_up_asks_no_more() {
    let (server, _) = cluster().await;
    let front = front_without_apps(&server, "/api/v1/pods?watch=true").await;
    let client = front.client();
    let discovery = client.discovery();
    let all_but_one = async {
        while front.requests().len() < 10 {
            tokio::task::yield_now().await;
        }
        front.streams(1).await;
    };
    tokio::select! {
        _ = discovery.resources() => panic!("one group never answers"),
        () = soon("the answer of the others", all_but_one) => {}
    }
    soon("the end of all", front.streams(0)).await;
}

#[tokio::test]
async fn what_an_extension_cannot_tell_now_is_named_too() {
    let groups = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[{"metadata":{"name":"shop.example"},
        "versions":[{"version":"v2","freshness":"Stale"},{"version":"v1","freshness":"Current","resources":[
            {"resource":"gadgets","responseKind":{"kind":"Gadget"},"scope":"Namespaced","verbs":["get"]},
            {"resource":"kindless","scope":"Cluster","verbs":["get"],"subresources":[{"subresource":"status"}]}]}]}]}"#;
    let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{groups}")]).await;
    let served = front.client().discovery().resources().await.unwrap();
    assert_eq!(
        served.failed.get("shop.example/v2").map(String::as_str),
        Some("stale GroupVersion discovery: shop.example/v2")
    );
    let kinds: Vec<_> = served.resources.iter().map(|resource| resource.info.kind.as_ref()).collect();
    assert_eq!(kinds, ["Gadget", "Gadget"], "once for each of the two that were asked");
}

#[tokio::test]
async fn a_server_that_refuses_or_says_nonsense_is_an_error() {
    let front = Front::saying(&["HTTP/1.1 200 OK\r\n\r\n<html>log in</html>"]).await;
    let error = front.client().discovery().resources().await.unwrap_err();
    assert_eq!(error.kind(), klient_client::ErrorKind::Decode, "{error:?}");
    let front = Front::saying(&["HTTP/1.1 403 Forbidden\r\n\r\nno"]).await;
    assert!(front.client().discovery().resources().await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn a_resource_is_found_by_any_of_its_names() {
    let (_server, client) = cluster().await;
    let mapper = RestMapper::new(client.discovery().resources().await.unwrap());
    for (name, found) in [
        ("pods", "v1/pods"),
        ("pod", "v1/pods"),
        ("Pod", "v1/pods"),
        ("po", "v1/pods"),
        ("deploy", "apps/v1/deployments"),
        ("Deployments.Apps", "apps/v1/deployments"),
        ("deployments.v1.apps", "apps/v1/deployments"),
        ("pods.v1.", "v1/pods"),
        ("deploy.v9.apps", "apps/v1/deployments"),
        ("deploy.v9.app", "apps/v1/deployments"),
        ("deploy.apps.", "apps/v1/deployments"),
        ("cm.v9.", "v1/configmaps"),
        ("events", "v1/events"),
        ("events.events.k8s.io", "events.k8s.io/v1/events"),
        ("ev.events.k8s.io", "events.k8s.io/v1/events"),
        ("hpa", "autoscaling/v2/horizontalpodautoscalers"),
        ("hpa.v1.autoscaling", "autoscaling/v2/horizontalpodautoscalers"),
        ("horizontalpodautoscalers.v1.autoscaling", "autoscaling/v1/horizontalpodautoscalers"),
        ("crd", "apiextensions.k8s.io/v1/customresourcedefinitions"),
        ("endpoints", "v1/endpoints"),
        ("storageclasses.storage", "storage.k8s.io/v1/storageclasses"),
        ("sc.sto", "storage.k8s.io/v1/storageclasses"),
        ("Deployment.app", "apps/v1/deployments"),
    ] {
        let resource = mapper.resource(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("{:?}", resource.info), found, "{name}");
    }
    for name in [
        "gadgets",
        "pods.apps",
        "deployments.v2.shop.example",
        "pods.v1",
        "po.v1",
        "deployments.v9.apps",
        "",
        ".",
    ] {
        assert!(matches!(mapper.resource(name), Err(NoMatch::Resource(..))), "{name}");
    }
    assert_eq!(mapper.kind("apps", "Deployment", None).unwrap().info.plural, "deployments");
    assert_eq!(mapper.kind("autoscaling", "HorizontalPodAutoscaler", Some("v1")).unwrap().info.version, "v1");
    let error = mapper.kind("apps", "Deployment", Some("v1beta1")).unwrap_err();
    assert_eq!(error.to_string(), r#"no matches for kind "Deployment" in version "apps/v1beta1""#);
    assert!(mapper.category("all").any(|resource| resource.info.plural == "deployments"));
}

#[test]
fn the_others_of_a_short_name_are_told() {
    let resource = |group: &'static str, version: &'static str, plural: &'static str| ApiResource {
        info: ResourceInfo::from_static(group, version, "Kind", plural, true),
        singular: plural.trim_end_matches('s').to_owned(),
        short_names: vec!["x".to_owned(), "bs".to_owned()],
        categories: Vec::new(),
        verbs: Vec::new(),
        subresources: Vec::new(),
    };
    let resources = vec![
        resource("one.io", "v2", "as"),
        resource("one.io", "v1", "as"),
        resource("two.io", "v1", "bs"),
        resource("three.io", "v1", "cs"),
    ];
    let mapper = RestMapper::new(Served { resources, ..Served::default() });
    for (name, others) in [
        ("x", &["bs", "cs"][..]),
        ("x.one.io", &[]),
        ("x.two", &[]),
        // The name of a resource stands before short names.
        ("bs", &[]),
        ("b", &[]),
        ("nope", &[]),
    ] {
        let found = mapper.lower_priority(name);
        let found: Vec<&str> = found.iter().map(|resource| &*resource.info.plural).collect();
        assert_eq!(found, others, "{name}");
    }
}

#[tokio::test]
async fn a_kind_that_appears_later_is_found_by_asking_again() {
    let (_server, client) = cluster().await;
    let discovery = client.discovery();
    let before = RestMapper::new(discovery.resources().await.unwrap());
    assert!(before.resource("gadgets").is_err());
    create_gadgets(&client).await;
    let after = RestMapper::new(discovery.resources().await.unwrap());
    for name in ["gadgets", "gadget", "Gadget", "gd", "gadgets.shop.example", "gadgets.v1.shop.example"] {
        assert_eq!(after.resource(name).unwrap().subresources, ["scale", "status"], "{name}");
    }
    assert_eq!(after.category("toys").count(), 1);
    let gadgets = client.dynamic(after.resource("gd").unwrap());
    assert!(gadgets.list(&Default::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_limit_of_ones_own_stands_before_that_of_discovery() {
    let front = Front::hanging().await;
    let mut config = front.client().config().clone();
    config.timeouts.whole = Some(Duration::from_millis(100));
    let discovery = Client::new(config).unwrap().discovery();
    for error in [discovery.version().await.unwrap_err(), discovery.resources().await.unwrap_err()] {
        assert!(error.is_timeout() && error.subject().ends_with("?timeout=0.1s"), "{error:?}");
    }
}
