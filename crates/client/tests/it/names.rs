//! Names that cannot stand in a path are refused before anything is sent.

use http::Method;
use klient_api::core::v1::{ConfigMap, Node};
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{Resource as _, Unstructured};
use klient_client::{Error, ErrorKind, ListOptions, Patch, WatchOptions};
use serde_json::json;

use crate::cluster::config_map;
use crate::front::Front;

/// Names, and what is wrong with them.
const NO_NAMES: [(&str, &str); 6] = [
    ("", "may not be empty"),
    (".", "may not be '.'"),
    ("..", "may not be '..'"),
    ("a/b", "may not contain '/'"),
    ("../../secrets/a", "may not contain '/'"),
    ("a%2Fb", "may not contain '%'"),
];

#[track_caller]
fn check(error: Error, problem: &str) {
    assert_eq!(error.kind(), ErrorKind::Request, "{error:?}");
    assert!(format!("{error:?}").contains(problem), "{error:?}");
}

#[tokio::test]
async fn in_handles() {
    let front = Front::saying(&["HTTP/1.1 200 OK\r\n\r\n{}"]).await;
    let client = front.client();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let untyped = client.dynamic(ConfigMap::INFO).namespace("default");
    for (name, problem) in NO_NAMES {
        let options = DeleteOptions::default();
        let patch = Patch::Merge(json!({}));
        check(config_maps.get(name).await.unwrap_err(), problem);
        check(config_maps.update(&config_map(name, "red")).await.unwrap_err(), problem);
        check(config_maps.patch(name, &patch).await.unwrap_err(), problem);
        check(config_maps.delete(name, &options).await.unwrap_err(), problem);
        check(client.api::<Node>().get(name).await.unwrap_err(), problem);
        check(client.api::<Node>().patch_status(name, &patch).await.unwrap_err(), problem);
        check(untyped.get(name).await.unwrap_err(), problem);
        check(untyped.update(&Unstructured::new("v1", "ConfigMap", name)).await.unwrap_err(), problem);
        check(untyped.get_subresource::<Unstructured>("a", name).await.unwrap_err(), problem);

        let elsewhere = client.api::<ConfigMap>().namespace(name);
        check(elsewhere.get("a").await.unwrap_err(), problem);
        check(elsewhere.create(&config_map("a", "red")).await.unwrap_err(), problem);
        check(elsewhere.list(&ListOptions::default()).await.unwrap_err(), problem);
        check(elsewhere.watch(&WatchOptions::default()).await.unwrap_err(), problem);
        let all = ListOptions::default();
        check(elsewhere.delete_collection(&options, &all).await.unwrap_err(), problem);
        check(client.dynamic(ConfigMap::INFO).namespace(name).list(&all).await.unwrap_err(), problem);
    }
    assert_eq!(front.requests(), [""; 0]);
}

#[tokio::test]
async fn in_requests() {
    let front = Front::saying(&["HTTP/1.1 200 OK\r\n\r\n{}"]).await;
    let request = || front.client().request(Method::GET);
    for (name, problem) in NO_NAMES {
        check(request().group_version("apps", name).resource("pods").send().await.unwrap_err(), problem);
        check(request().group_version("", "v1").resource(name).send().await.unwrap_err(), problem);
        check(
            request().group_version("", "v1").resource("pods").name(name).send().await.unwrap_err(),
            problem,
        );
        check(
            request().group_version("", "v1").resource("pods").name(name).stream().await.unwrap_err(),
            problem,
        );
    }
    for path in ["/api/../metrics", "..", "/api/v1/.."] {
        check(request().absolute_path(path).send().await.unwrap_err(), "may not contain '..'");
    }
    check(request().send().await.unwrap_err(), "names no resource");
    let twice = request().group_version("", "v1").resource("pods").name("a").name("b");
    check(twice.send().await.unwrap_err(), "already set to \"a\"");
    check(request().request_uri("/version%").send().await.unwrap_err(), "invalid URL escape");
    let header = request().absolute_path("/version").header(http::header::ACCEPT, "a\r\nx: y");
    check(header.send().await.unwrap_err(), "header accept cannot hold its value");
    assert_eq!(front.requests(), [""; 0]);
}

#[tokio::test]
async fn what_is_unusual_but_allowed_is_encoded() {
    let front = Front::saying(&["HTTP/1.1 404 Not Found\r\n\r\n"]).await;
    let client = front.client();
    client.api::<Node>().get("system:node a?b#c").await.unwrap_err();
    let options = ListOptions { label_selector: Some("a in (b,c),d!=é".into()), ..Default::default() };
    client.api::<Node>().list(&options).await.unwrap_err();
    assert_eq!(
        front.requests(),
        [
            "GET /api/v1/nodes/system:node%20a%3Fb%23c HTTP/1.1",
            "GET /api/v1/nodes?labelSelector=a%20in%20%28b%2Cc%29%2Cd%21%3D%C3%A9 HTTP/1.1",
        ]
    );
}
