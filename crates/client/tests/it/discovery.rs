//! Discovery, aggregated and group by group.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::ACCEPT;
use klient_apiserver::TestServer;
use klient_client::{
    ApiGroup, ApiResource, Client, DeferredRestMapper, DiskCache, GroupVersionError, RestMapper, Served,
};

use crate::cluster::{cluster, create_gadgets, soon};
use crate::front::Front;

/// Everything of a resource in one line.
fn lines(served: &Served) -> Vec<String> {
    let mut lines: Vec<String> = served.resources.iter().map(|resource| format!("{resource:?}")).collect();
    lines.sort();
    lines
}

/// The subresources with the kinds of their objects.
fn subresources(resource: &ApiResource) -> Vec<String> {
    let subresources = resource.subresources.iter();
    subresources.map(|subresource| format!("{}: {}", subresource.name, subresource.kind)).collect()
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
    assert_eq!(
        subresources(deployments),
        ["scale: autoscaling/v1, Kind=Scale", "status: apps/v1, Kind=Deployment"]
    );
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
        assert_eq!(served.failed.groups.keys().collect::<Vec<_>>(), ["apps/v1"], "{instead}");
        assert!(matches!(served.failed.groups["apps/v1"], GroupVersionError::Request(_)));
        assert!(served.resources.iter().any(|resource| resource.info.plural == "pods"));
        assert!(!served.resources.iter().any(|resource| resource.info.plural == "deployments"));
    }
}

#[tokio::test]
async fn a_group_that_fails_once_is_asked_for_again() {
    let (server, _) = cluster().await;
    let front = async || {
        let has_failed = AtomicBool::new(false);
        Front::proxy(&server, move |request| {
            request.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
            if request.uri().path() == "/apis/apps/v1" && !has_failed.swap(true, Ordering::Relaxed) {
                *request.uri_mut() = "/apis/apps/v0".parse().unwrap();
            }
        })
        .await
    };
    let served = front().await.client().discovery().resources().await.unwrap();
    assert!(served.failed.is_empty(), "{:?}", served.failed);
    assert!(served.resources.iter().any(|resource| resource.info.plural == "deployments"));

    let folder = tempfile::TempDir::new().unwrap();
    for on_disk in [false, true] {
        let front = front().await;
        let client = front.client();
        let discovery = match on_disk {
            true => client.discovery().disk_cached(DiskCache::below(folder.path(), &client.config().url)),
            false => client.discovery().memory_cached(),
        };
        let mapper = DeferredRestMapper::new(discovery);
        // Another name needs no second attempt.
        mapper.resource("pods").await.unwrap();
        let requests = front.requests().len();
        mapper.resource("pods").await.unwrap();
        assert_eq!(front.requests().len(), requests);
        assert_eq!(mapper.resource("deployments").await.unwrap().info.kind, "Deployment");
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
        served.failed.clone().into_result().unwrap_err().to_string(),
        "unable to retrieve the complete list of server APIs: shop.example/v2: stale GroupVersion discovery: \
         shop.example/v2"
    );
    let kinds: Vec<_> = served.resources.iter().map(|resource| resource.info.kind.as_ref()).collect();
    assert_eq!(front.requests().len(), 4, "the groups are asked for once more");
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
async fn a_limit_of_ones_own_stands_before_that_of_discovery() {
    let front = Front::hanging().await;
    let mut config = front.client().config().clone();
    config.timeouts.whole = Some(Duration::from_millis(100));
    let discovery = Client::new(config).unwrap().discovery();
    for error in [discovery.version().await.unwrap_err(), discovery.resources().await.unwrap_err()] {
        assert!(error.is_timeout() && error.subject().ends_with("?timeout=100ms"), "{error:?}");
    }
}

#[tokio::test]
async fn servers_before_1_30_tell_it_in_the_beta_form() {
    let legacy = r#"{"kind":"APIVersions","versions":["v1"],"groups":null}"#;
    let beta = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2beta1","items":[{"metadata":null,
        "versions":[{"version":"v1","resources":[{"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced",
            "verbs":["get"],"shortNames":null}]}]}]}"#;
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    let front = Front::saying(&[&answer(legacy), &answer(legacy), &answer(beta)]).await;
    let served = front.client().discovery().resources().await.unwrap();
    assert_eq!(front.requests().len(), 4, "each of the two is asked for in the older form");
    assert_eq!(format!("{:?}", served.resources[0].info), "v1/pods");
}

#[tokio::test]
async fn groups_and_group_versions_are_told_alone() {
    let (server, client) = cluster().await;
    let discovery = client.discovery();
    let groups = discovery.groups().await.unwrap();
    let autoscaling = groups.iter().find(|group| group.name == "autoscaling").unwrap();
    assert_eq!(
        (&autoscaling.versions[..], &*autoscaling.preferred_version),
        (&["v2".into(), "v1".into()][..], "v2")
    );
    assert_eq!(groups[0].group_versions().collect::<Vec<_>>(), ["v1"]);
    assert_eq!(discovery.resources().await.unwrap().groups, groups);

    let apps = discovery.group_version("apps/v1").await.unwrap();
    assert!(apps.iter().any(|resource| resource.info.plural == "deployments"));
    assert!(discovery.group_version("v1").await.unwrap().iter().any(|resource| resource.info.kind == "Pod"));
    assert!(discovery.group_version("apps/v9").await.unwrap_err().is_not_found());

    // A group whose preferred version is not its first.
    let front = Front::proxy(&server, |request| {
        request.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
    })
    .await;
    let legacy: Vec<ApiGroup> = front.client().discovery().groups().await.unwrap();
    assert_eq!(legacy, groups);
}

#[tokio::test]
async fn a_resource_is_preferred_in_the_version_that_its_group_prefers() {
    let groups = r#"{"kind":"APIGroupList","groups":[{"name":"shop.example","versions":[
        {"groupVersion":"shop.example/v2","version":"v2"},{"groupVersion":"shop.example/v1","version":"v1"}],
        "preferredVersion":{"groupVersion":"shop.example/v1","version":"v1"}}]}"#;
    let list =
        |names: &str| format!(r#"{{"kind":"APIResourceList","groupVersion":"","resources":[{names}]}}"#);
    let gadget = r#"{"name":"gadgets","kind":"Gadget","namespaced":true,"verbs":["get"]}"#;
    let toy = r#"{"name":"toys","kind":"Toy","namespaced":false,"verbs":null}"#;
    let front = Front::routing(&[
        ("/apis?", groups),
        ("/apis/shop.example/v2?", &list(&[gadget, toy].join(","))),
        ("/apis/shop.example/v1?", &list(gadget)),
    ])
    .await;
    let served = front.client().discovery().resources().await.unwrap();
    let preferred: Vec<String> = served.preferred().map(|resource| format!("{:?}", resource.info)).collect();
    assert_eq!(preferred, ["shop.example/v1/gadgets", "shop.example/v2/toys"]);
    assert_eq!(RestMapper::new(served).resource("toy").unwrap().singular, "toy");
}
