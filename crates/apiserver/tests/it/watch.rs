//! Watches: their start, their events, their end.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::events::{Events, brief};
use crate::objects::{CONFIG_MAPS, labelled, named, pod, text, version};

/// Makes four changes to config maps and gives the events they are, and the version before them.
async fn some_history(server: &TestServer, client: &Client) -> (u64, Vec<String>) {
    let before = server.resource_version();
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    client.post(CONFIG_MAPS, &named("b")).await.expect(201);
    client.patch(&format!("{CONFIG_MAPS}/a"), "merge", &json!({"data": {"k": "v"}})).await.expect(200);
    client.delete(&format!("{CONFIG_MAPS}/b")).await.expect(200);
    let changes = ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"];
    let numbered = changes.iter().zip(before + 1..);
    (before, numbered.map(|(change, version)| format!("{change}@{version}")).collect())
}

async fn briefs(events: &mut Events, count: usize) -> Vec<String> {
    let mut briefs = Vec::new();
    for _ in 0..count {
        briefs.push(events.brief().await);
    }
    briefs
}

fn is_initial_events_end(event: &Value) -> bool {
    event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"
}

#[tokio::test]
async fn a_watch_goes_on_from_any_version_in_history() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let (before, history) = some_history(&server, &client).await;
    for (seen, from) in (before..=before + 4).enumerate() {
        let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}")).await;
        assert_eq!(briefs(&mut events, 4 - seen).await, history[seen..]);
        assert!(events.is_silent().await);
    }
}

#[tokio::test]
async fn a_watch_from_a_version_to_come_tells_what_comes_behind_it() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let to_come = server.resource_version() + 1;
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={to_come}")).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let second = version(&client.post(CONFIG_MAPS, &named("b")).await.expect(201));
    assert_eq!(events.brief().await, format!("ADDED b@{second}"));
}

#[tokio::test]
async fn a_watch_from_nowhere_begins_with_what_is_there() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let (before, _) = some_history(&server, &client).await;
    let streaming = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    for (query, has_end) in [
        ("".to_owned(), false),
        ("&resourceVersion=0".to_owned(), false),
        (format!("{streaming}&allowWatchBookmarks=true"), true),
        (format!("{streaming}&allowWatchBookmarks=true&resourceVersion={}", before + 2), true),
        ("&allowWatchBookmarks=true".to_owned(), true),
    ] {
        let name = "&fieldSelector=metadata.name=a";
        let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1{name}{query}")).await;
        assert_eq!(events.brief().await, format!("ADDED a@{}", before + 3), "{query}");
        if has_end {
            let end = events.next().await.unwrap();
            assert!(is_initial_events_end(&end), "{query}: {end}");
            assert_eq!(brief(&end), format!("BOOKMARK @{}", before + 4), "{query}");
            assert_eq!([&end["object"]["kind"], &end["object"]["apiVersion"]], ["ConfigMap", "v1"]);
        }
        assert!(events.is_silent().await, "{query}");
    }
}

#[tokio::test]
async fn a_watch_without_initial_events_begins_now() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    some_history(&server, &client).await;
    let query = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    let mut events = client.watch(&format!("{CONFIG_MAPS}?{query}")).await;
    let new = version(&client.post(CONFIG_MAPS, &named("c")).await.expect(201));
    assert_eq!(events.brief().await, format!("ADDED c@{new}"));
}

#[tokio::test]
async fn a_forgotten_version_is_an_error_event_and_the_end() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let (before, _) = some_history(&server, &client).await;
    server.compact();
    let now = server.resource_version();
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={before}")).await;
    let error = events.next().await.unwrap();
    assert_eq!(brief(&error), format!("ERROR 410 too old resource version: {before} ({now})"));
    assert_eq!(error["object"]["reason"], "Expired");
    assert_eq!(events.brief().await, "the end");
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={now}")).await;
    let next = version(&client.post(CONFIG_MAPS, &named("c")).await.expect(201));
    assert_eq!(events.brief().await, format!("ADDED c@{next}"));
}

#[tokio::test]
async fn compaction_does_not_touch_a_watch_that_has_seen_everything() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let (before, history) = some_history(&server, &client).await;
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={before}")).await;
    assert_eq!(briefs(&mut events, 4).await, history);
    server.compact();
    let next = version(&client.post(CONFIG_MAPS, &named("c")).await.expect(201));
    assert_eq!(events.brief().await, format!("ADDED c@{next}"));
}

#[tokio::test]
async fn objects_come_into_and_leave_a_label_selector() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&labelSelector=app%3Dx")).await;
    let path = format!("{CONFIG_MAPS}/a");
    let created = client.post(CONFIG_MAPS, &labelled("a", "x")).await.expect(201);
    assert_eq!(events.brief().await, format!("ADDED a@{}", version(&created)));
    let left = client.put(&path, &labelled("a", "y")).await.expect(200);
    let event = events.next().await.unwrap();
    assert_eq!(brief(&event), format!("DELETED a@{}", version(&left)));
    assert_eq!(event["object"]["metadata"]["labels"]["app"], "x", "it is shown as it last was selected");
    client.patch(&path, "merge", &json!({"data": {"k": "unseen"}})).await.expect(200);
    let back = client.put(&path, &labelled("a", "x")).await.expect(200);
    assert_eq!(events.brief().await, format!("ADDED a@{}", version(&back)));
    client.delete(&path).await.expect(200);
    let gone = server.resource_version();
    assert_eq!(events.brief().await, format!("DELETED a@{gone}"), "a deletion has a version of its own");
}

#[tokio::test]
async fn objects_come_into_and_leave_a_field_selector() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut events = client.watch("/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn1").await;
    let pods = "/api/v1/namespaces/default/pods";
    client.post(pods, &pod("p")).await.expect(201);
    let binding = json!({"metadata": {"name": "p"}, "target": {"name": "n1"}});
    client.post(&format!("{pods}/p/binding"), &binding).await.expect(201);
    assert_eq!(events.brief().await, format!("ADDED p@{}", server.resource_version()));
}

#[tokio::test]
async fn a_watch_sees_only_its_namespace_or_its_object() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let elsewhere = "/api/v1/namespaces/kube-public/configmaps";
    let mut one = client.watch("/api/v1/watch/namespaces/default/configmaps/b").await;
    let mut own = client
        .watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={}", server.resource_version()))
        .await;
    let from = server.resource_version();
    let mut all = client.watch(&format!("/api/v1/configmaps?watch=true&resourceVersion={from}")).await;
    let mut said = Vec::new();
    for (path, name) in [(elsewhere, "x"), (CONFIG_MAPS, "a"), (CONFIG_MAPS, "b")] {
        let object = client.post(path, &named(name)).await.expect(201);
        said.push(format!("ADDED {name}@{}", version(&object)));
    }
    assert_eq!(briefs(&mut all, 3).await, said);
    assert_eq!(briefs(&mut own, 2).await, said[1..]);
    assert_eq!(one.brief().await, said[2]);
}

#[tokio::test]
async fn a_watch_ends_in_time_and_says_where_it_stood() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let from = server.resource_version();
    let elsewhere =
        version(&client.post("/api/v1/namespaces/default/secrets", &named("s")).await.expect(201));
    let query = format!("watch=1&resourceVersion={from}&allowWatchBookmarks=true&timeoutSeconds=1");
    let mut events = client.watch(&format!("{CONFIG_MAPS}?{query}")).await;
    let bookmark = events.next().await.unwrap();
    assert_eq!(brief(&bookmark), format!("BOOKMARK @{elsewhere}"), "others' changes count");
    assert!(!is_initial_events_end(&bookmark));
    assert_eq!(events.brief().await, "the end");
}

#[tokio::test]
async fn a_bookmark_knows_of_changes_to_others() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let from = server.resource_version();
    let query = format!("watch=1&resourceVersion={from}&allowWatchBookmarks=true&timeoutSeconds=3");
    let mut events = client.watch(&format!("{CONFIG_MAPS}?{query}")).await;
    let elsewhere =
        version(&client.post("/api/v1/namespaces/default/secrets", &named("s")).await.expect(201));
    assert_eq!(events.brief().await, format!("BOOKMARK @{elsewhere}"));
}

#[tokio::test]
async fn a_watch_may_be_asked_to_last_for_ever() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&timeoutSeconds={}", i64::MAX)).await;
    let created = version(&client.post(CONFIG_MAPS, &named("a")).await.expect(201));
    assert_eq!(events.brief().await, format!("ADDED a@{created}"));
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_not_told() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let created = client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let mut events =
        client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", version(&created))).await;
    assert_eq!(version(&client.put(&path, &created).await.expect(200)), version(&created));
    assert_eq!(version(&client.patch(&path, "merge", &json!({})).await.expect(200)), version(&created));
    let changed = client.patch(&path, "merge", &json!({"data": {"k": "v"}})).await.expect(200);
    assert_eq!(events.brief().await, format!("MODIFIED a@{}", version(&changed)));
}

#[tokio::test]
async fn events_take_the_form_that_was_asked_for() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let as_form = |form: &str| format!("application/json;as={form};g=meta.k8s.io;v=v1");
    let path = format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", server.resource_version());
    let (_, mut tables) = client.stream(&path, &[("accept", &as_form("Table"))]).await;
    let (_, mut partials) = client.stream(&path, &[("accept", &as_form("PartialObjectMetadata"))]).await;
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await.expect(201);
    client.post(CONFIG_MAPS, &named("b")).await.expect(201);
    let first = tables.next().await.unwrap();
    assert_eq!(first["object"]["columnDefinitions"][1]["name"], "Data");
    assert_eq!(first["object"]["rows"][0]["cells"].as_array().unwrap()[..2], [json!("a"), json!(1)]);
    let second = tables.next().await.unwrap();
    assert_eq!(second["object"]["columnDefinitions"], Value::Null, "columns are defined once");
    let partial = partials.next().await.unwrap();
    assert_eq!(partial["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(text(&partial["object"], "/metadata/name"), "a");
    assert_eq!(partial["object"]["data"], Value::Null);
}

#[tokio::test]
async fn all_watches_tell_the_same_in_the_same_order() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let from = server.resource_version();
    let (tasks, rounds) = (4, 25);
    let path = format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}");
    let mut before = client.watch(&path).await;
    let writers = (0..tasks).map(|task| {
        let (client, name) = (client.share(), format!("w{task}"));
        tokio::spawn(async move {
            client.post(CONFIG_MAPS, &named(&name)).await.expect(201);
            for round in 1..rounds {
                let patch = json!({"data": {"round": round.to_string()}});
                client.patch(&format!("{CONFIG_MAPS}/{name}"), "merge", &patch).await.expect(200);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let told = briefs(&mut before, tasks * rounds).await;
    let mut behind = client.watch(&path).await;
    assert_eq!(briefs(&mut behind, tasks * rounds).await, told);
    let versions = told.iter().map(|told| told.rsplit_once('@').unwrap().1.parse::<u64>().unwrap());
    assert!(versions.eq(from + 1..=from + (tasks * rounds) as u64), "each version once, in order: {told:?}");
}

/// The write that takes the last finalizer away is not stored.
#[tokio::test]
async fn an_object_that_loses_its_last_finalizer_is_deleted_as_it_was_stored() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let mut held = labelled("a", "x");
    held["metadata"]["finalizers"] = json!(["a.example/hold"]);
    client.post(CONFIG_MAPS, &held).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let going = client.delete(&path).await.expect(200);
    let from = server.resource_version();
    let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}")).await;
    let patch = json!({"metadata": {"finalizers": null, "labels": {"app": "y"}}});
    let answer = client.patch(&path, "merge", &patch).await.expect(200);
    assert_eq!(
        [&answer["metadata"]["finalizers"], &answer["metadata"]["labels"]["app"]],
        [&json!(null), &json!("y")]
    );
    assert_eq!(version(&answer), version(&going));
    let event = events.next().await.expect("it is deleted");
    assert_eq!(event["type"], "DELETED");
    let (gone, last) = (&event["object"]["metadata"], &going["metadata"]);
    assert_eq!([&gone["finalizers"], &gone["labels"]], [&last["finalizers"], &last["labels"]]);
    assert!(version(&event["object"]) > version(&going));
}

#[tokio::test]
async fn bookmarks_of_workloads_show_what_upstream_converts() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    for (plural, spec, annotations) in [
        ("deployments", r#"{"replicas":0,"selector":null,"template":"#, ""),
        ("replicasets", r#"{"replicas":0,"selector":null,"template":"#, ""),
        ("statefulsets", r#"{"replicas":0,"selector":null,"template":"#, ""),
        (
            "daemonsets",
            r#"{"selector":null,"template":"#,
            r#""deprecated.daemonset.template.generation":"0","#,
        ),
    ] {
        let line = client.watch(&format!("/apis/apps/v1/{plural}?{query}")).await.line().await.unwrap();
        let annotations = format!(r#""annotations":{{{annotations}"k8s.io/initial-events-end":"true"}}}}"#);
        assert!(line.contains(&format!(r#"{annotations},"spec":{spec}"#)), "{line}");
    }
}
