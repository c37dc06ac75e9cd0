//! Lists, whole and in parts, and what they are told to leave out.

use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::Object as _;
use klient_client::{Api, Client, InNamespace, List, ListOptions, VersionMatch};

use crate::cluster::{cluster, config_map, pod};
use crate::front::Front;

type Pods = Api<Pod, InNamespace>;

async fn pods(client: &Client, pods: &[(&str, &str)]) -> Pods {
    let handle = client.api::<Pod>().namespace("default");
    for (name, app) in pods {
        handle.create(&pod(name, app)).await.unwrap();
    }
    handle
}

fn names(list: &List<Pod>) -> Vec<&str> {
    list.items.iter().map(|pod| pod.name()).collect()
}

#[tokio::test]
async fn selectors_leave_out_what_does_not_match() {
    let (_server, client) = cluster().await;
    let pods = pods(&client, &[("a", "web"), ("b", "db"), ("c", "web")]).await;
    for (labels, fields, expected) in [
        ("", "", &["a", "b", "c"][..]),
        ("app=web", "", &["a", "c"]),
        ("app in (db,cache)", "", &["b"]),
        ("!app", "", &[]),
        ("", "metadata.name=b", &["b"]),
        ("app=web", "metadata.name!=a", &["c"]),
    ] {
        let options = ListOptions {
            label_selector: Some(labels.into()),
            field_selector: Some(fields.into()),
            ..Default::default()
        };
        assert_eq!(names(&pods.list(&options).await.unwrap()), expected, "{labels} {fields}");
    }
    let nonsense = ListOptions { label_selector: Some("app in".into()), ..Default::default() };
    assert!(pods.list(&nonsense).await.unwrap_err().is_bad_request());
}

#[tokio::test]
async fn a_long_list_comes_in_chunks_of_one_version() {
    let (_server, client) = cluster().await;
    let pods = pods(&client, &[("a", "web"), ("b", "web"), ("c", "web"), ("d", "web"), ("e", "web")]).await;
    let mut options = ListOptions { limit: Some(2), ..Default::default() };
    let mut chunks = Vec::new();
    let mut version = None;
    loop {
        let chunk = pods.list(&options).await.unwrap();
        assert_eq!(
            *version.get_or_insert_with(|| chunk.resource_version().to_owned()),
            chunk.resource_version()
        );
        chunks.push(names(&chunk).join(" "));
        // What is created meanwhile is not of this version.
        if chunks.len() == 1 {
            pods.create(&pod("aa", "web")).await.unwrap();
            assert_eq!(chunk.metadata.remaining_item_count, Some(3));
        }
        match chunk.continue_token() {
            Some(token) => options.continue_token = Some(token.into()),
            None => break,
        }
    }
    assert_eq!(chunks, ["a b", "c d", "e"]);
}

#[tokio::test]
async fn a_list_can_be_of_one_version_or_not_older_than_it() {
    let (_server, client) = cluster().await;
    let pods = pods(&client, &[("a", "web")]).await;
    let version = pods.list(&ListOptions::default()).await.unwrap().resource_version().to_owned();
    pods.create(&pod("b", "web")).await.unwrap();
    let at = |matching| ListOptions {
        resource_version: Some(version.as_str().into()),
        resource_version_match: Some(matching),
        ..Default::default()
    };
    assert_eq!(names(&pods.list(&at(VersionMatch::Exact)).await.unwrap()), ["a"]);
    assert_eq!(names(&pods.list(&at(VersionMatch::NotOlderThan)).await.unwrap()), ["a", "b"]);
}

/// A server says it together with a `Retry-After`, and is asked again for long; here it does without.
#[tokio::test]
async fn a_version_that_is_yet_to_come_is_told_from_other_timeouts() {
    let status = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Timeout: Too large resource version: 999999, current: 191","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1},"code":504}"#;
    let front = Front::saying(&[&format!("HTTP/1.1 504 Gateway Timeout\r\n\r\n{status}")]).await;
    let error = front.client().api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
    assert!(error.is_too_large_resource_version() && error.is_timeout(), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn what_the_server_has_forgotten_is_expired() {
    let (server, client) = cluster().await;
    let pods = pods(&client, &[("a", "web"), ("b", "web"), ("c", "web")]).await;
    let first = pods.list(&ListOptions { limit: Some(1), ..Default::default() }).await.unwrap();
    pods.create(&pod("d", "web")).await.unwrap();
    server.compact();

    let exact = ListOptions {
        resource_version: Some(first.resource_version().into()),
        resource_version_match: Some(VersionMatch::Exact),
        ..Default::default()
    };
    let error = pods.list(&exact).await.unwrap_err();
    assert!(error.is_expired() && error.code() == Some(410), "{error:?}");

    let next = ListOptions { continue_token: first.continue_token().map(Into::into), ..Default::default() };
    let error = pods.list(&next).await.unwrap_err();
    assert!(error.is_expired(), "{error:?}");
    // The token in the error goes on from there, at the version of now.
    let token = error.as_status().unwrap().metadata.continue_.clone();
    let rest = pods.list(&ListOptions { continue_token: token, ..Default::default() }).await.unwrap();
    assert_eq!(names(&rest), ["b", "c", "d"]);
}

#[tokio::test]
async fn all_namespaces_are_listed_at_once() {
    let (_server, client) = cluster().await;
    for namespace in ["default", "kube-system"] {
        client.api::<ConfigMap>().namespace(namespace).create(&config_map("sky", "blue")).await.unwrap();
    }
    let named = ListOptions { field_selector: Some("metadata.name=sky".into()), ..Default::default() };
    let found = client.api::<ConfigMap>().list(&named).await.unwrap();
    let places: Vec<_> = found.items.iter().filter_map(|found| found.namespace()).collect();
    assert_eq!(places, ["default", "kube-system"]);
}

#[tokio::test]
async fn a_list_in_pages_is_one_list() {
    let (_server, client) = cluster().await;
    let pods = pods(&client, &[("a", "web"), ("b", "web"), ("c", "db"), ("d", "web"), ("e", "web")]).await;
    let options = ListOptions { limit: Some(2), ..ListOptions::labels("app=web") };
    let all = pods.list_all(&options).await.unwrap();
    assert_eq!(names(&all), ["a", "b", "d", "e"]);
    assert_eq!((all.metadata.continue_, all.metadata.remaining_item_count), (None, None));
}

#[tokio::test]
async fn a_list_whose_version_is_forgotten_between_pages_is_listed_at_once() {
    let page = |items: &str, token: &str| {
        format!(
            r#"HTTP/1.1 200 OK

{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"7","continue":"{token}"}},"items":[{items}]}}"#
        )
        .replace('\n', "\r\n")
    };
    let expired = "HTTP/1.1 410 Gone\r\n\r\n{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"Expired\",\"code\":410}";
    let (a, b) = (r#"{"metadata":{"name":"a"}}"#, r#"{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}"#);
    let front = Front::saying(&[&page(a, "next"), expired, &page(b, "")]).await;
    let all = front.client().api::<Pod>().list_all(&ListOptions::default()).await.unwrap();
    assert_eq!(names(&all), ["a", "b"]);
    let requests = front.requests();
    assert!(requests[0].contains("limit=500") && requests[1].contains("continue=next"), "{requests:?}");
    assert!(!requests[2].contains("limit"), "{requests:?}");

    let front = Front::saying(&[&page(a, "next"), expired]).await;
    let options = ListOptions { continue_token: Some("begun".into()), ..Default::default() };
    let error = front.client().api::<Pod>().list_all(&options).await.unwrap_err();
    assert!(error.is_expired(), "what came before the token is not known here: {error}");
}

#[tokio::test]
async fn the_namespace_of_the_configuration_is_the_default_one() {
    let (_server, client) = cluster().await;
    let mut config = client.config().clone();
    config.namespace = "kube-public".to_owned();
    let pods = Client::new(config).unwrap().api::<Pod>().default_namespace();
    pods.create(&pod("a", "web")).await.unwrap();
    assert_eq!(pods.get("a").await.unwrap().namespace(), Some("kube-public"));
}
