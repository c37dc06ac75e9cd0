//! Watches in protobuf.

use klient_apimachinery::codec::protobuf::Event;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::{PROTOBUF, decode};
use crate::client::Client;
use crate::definition::defined;
use crate::events::{Events, brief};
use crate::objects::{CONFIG_MAPS, GADGETS, anything, gadget, gadgets, labelled, named, text};

async fn watch(client: &Client, path: &str, accept: &str) -> Events {
    let (status, events) = client.stream(path, &[("accept", accept)]).await;
    assert_eq!(
        (status.as_u16(), events.header("content-type")),
        (200, "application/vnd.kubernetes.protobuf;stream=watch")
    );
    events
}

async fn next(events: &mut Events) -> Value {
    let frame = events.frame().await.expect("the watch goes on");
    let event = Event::parse(&frame).expect("the server writes events");
    json!({"type": event.kind, "object": decode(event.object)})
}

#[tokio::test]
async fn events_are_frames() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &labelled("a", "x")).await.expect(201);
    let path = format!(
        "{CONFIG_MAPS}?watch=1&labelSelector=app%3Dx&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    );
    let stream = format!("{PROTOBUF};stream=watch");
    let mut many = Vec::new();
    for accept in [PROTOBUF, &stream, &format!("{stream},application/json")] {
        many.push(watch(&client, &path, accept).await);
    }
    let from = server.resource_version();
    for events in &mut many {
        let added = next(events).await;
        assert_eq!(brief(&added), format!("ADDED a@{from}"));
        assert_eq!(added["object"]["kind"], "ConfigMap");
        let end = next(events).await;
        assert_eq!(end["type"], "BOOKMARK");
        assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    }
    let change = |patch: Value| {
        let client = client.share();
        async move { client.patch(&format!("{CONFIG_MAPS}/a"), "merge", &patch).await.expect(200) }
    };
    change(json!({"data": {"k": "v"}})).await;
    // It is selected no more, and shown as it was.
    change(json!({"metadata": {"labels": {"app": "y"}}})).await;
    for events in &mut many {
        let modified = next(events).await;
        assert_eq!(brief(&modified), format!("MODIFIED a@{}", from + 1));
        assert_eq!(modified["object"]["data"]["k"], "v");
        let deleted = next(events).await;
        assert_eq!(brief(&deleted), format!("DELETED a@{}", from + 2));
        assert_eq!(deleted["object"]["metadata"]["labels"]["app"], "x");
    }
}

#[tokio::test]
async fn metadata_is_watched_in_protobuf_even_that_of_custom_resources() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let accept = format!("{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    client.post(GADGETS, &gadget("a", json!({}))).await.expect(201);
    for path in [CONFIG_MAPS, GADGETS] {
        let mut events = watch(&client, &format!("{path}?watch=1"), &accept).await;
        let added = next(&mut events).await;
        assert_eq!(
            (&added["object"]["kind"], &added["object"]["metadata"]["name"]),
            (&"PartialObjectMetadata".into(), &"a".into())
        );
    }
}

#[tokio::test]
async fn a_watch_that_fails_says_so_in_its_form() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let to_come = server.resource_version() + 1000;
    let query =
        format!("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion={to_come}");
    let mut events = watch(&client, &format!("{CONFIG_MAPS}?{query}"), PROTOBUF).await;
    let error = next(&mut events).await;
    assert_eq!((&error["type"], &error["object"]["kind"]), (&"ERROR".into(), &"Status".into()));
    assert_eq!(error["object"]["code"], 504);
    assert!(events.frame().await.is_none());
}

#[tokio::test]
async fn yaml_is_no_stream() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let refused = client.get_as(&format!("{CONFIG_MAPS}?watch=1"), "application/yaml").await;
    let words = "only the following media types are accepted: \
                 application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
    assert_eq!(refused.status, 406);
    let status = klient_apimachinery::yaml::from_str(refused.text()).expect("it is YAML");
    assert!(text(&status, "/message").contains(words), "{}", refused.text());
}
