//! Logs of several containers, which the embedded server has of the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use klient_api::core::v1::Pod;
use klient_apiserver::{ContainerLog, Containers, Server};
use klient_client::{
    BoxError, Change, Client, ListOptions, LogLine, LogOptions, Patch, PodLogs, PodLogsOptions, RequestBody,
    ResponseBody, Transport,
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::cluster::soon;
use crate::containers::{config_of, pods, running_pod, server_of};

/// The logs by pod and container.
type Logs = Arc<Mutex<BTreeMap<String, ContainerLog>>>;

async fn server() -> (Server, Client, Logs) {
    let logs = Logs::default();
    let kept = logs.clone();
    let containers = Containers::default().log(move |request| {
        kept.lock().unwrap().get(&format!("{}/{}", request.pod, request.container)).cloned()
    });
    let (server, client) = server_of(containers).await;
    (server, client, logs)
}

/// Sets a log, which replaces that of an earlier run.
fn log(logs: &Logs, name: &str) -> ContainerLog {
    let log = ContainerLog::default();
    logs.lock().unwrap().insert(name.to_owned(), log.clone());
    log
}

fn two() -> serde_json::Value {
    json!([{"name": "web", "image": "nginx"}, {"name": "proxy", "image": "envoy"}])
}

/// Sets the state of the container `web`.
async fn set_state(client: &Client, pod: &str, restarts: u32, state: serde_json::Value) {
    let status = json!({"name": "web", "restartCount": restarts, "state": state, "image": "nginx", "imageID": "", "ready": true});
    let patch = Patch::Merge(json!({"status": {"containerStatuses": [status]}}));
    pods(client).patch_status(pod, &patch).await.unwrap();
}

async fn next(logs: &mut PodLogs) -> LogLine {
    soon("a line", logs.next()).await.expect("the logs go on").unwrap()
}

#[tokio::test]
async fn logs_of_many_pods_come_with_prefixes_and_any_bytes() {
    let (_server, client, logs) = server().await;
    for pod in ["a", "b"] {
        running_pod(&client, pod, two()).await;
        for container in ["web", "proxy"] {
            let log = log(&logs, &format!("{pod}/{container}"));
            log.stdout("first");
            log.stdout(b"\xff\xfe last");
            log.close();
        }
    }
    let tail = LogOptions { tail_lines: Some(1), ..Default::default() };
    let options = PodLogsOptions { all_containers: true, log: tail, ..Default::default() };
    let mut read = pods(&client).pod_logs("app=web", &options);
    let mut lines = Vec::new();
    while let Some(line) = soon("a line", read.next()).await {
        let line = line.unwrap();
        assert_eq!(&line.line[..], b"\xff\xfe last");
        lines.push(line.prefix());
    }
    lines.sort();
    assert_eq!(lines, ["[pod/a/proxy] ", "[pod/a/web] ", "[pod/b/proxy] ", "[pod/b/web] "]);
    // Without a name it is the first container, and a log that is not there is no end of the others.
    logs.lock().unwrap().remove("a/web");
    let mut read = pods(&client).pod_logs("app=web", &PodLogsOptions::default());
    let (mut lines, mut errors) = (0, Vec::new());
    while let Some(line) = soon("a line", read.next()).await {
        match line {
            Ok(line) => lines += usize::from(line.container == "web" && line.pod == "b"),
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert_eq!((lines, errors.len()), (2, 1), "{errors:?}");
    let mut none = pods(&client).pod_logs("app=none", &PodLogsOptions::default());
    assert!(soon("the end", none.next()).await.is_none());
}

#[tokio::test]
async fn logs_are_followed_over_restarts_and_to_pods_that_come_later() {
    let (_server, client, logs) = server().await;
    let web = json!([{"name": "web", "image": "nginx"}]);
    let running = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    running_pod(&client, "a", web.clone()).await;
    set_state(&client, "a", 0, running.clone()).await;
    let first = log(&logs, "a/web");
    first.stdout("one");
    let options = PodLogsOptions { follow_restarts: true, ..Default::default() };
    let mut read = pods(&client).pod_logs("app=web", &options);
    assert_eq!(&next(&mut read).await.line[..], b"one");
    first.stdout("two words");
    assert_eq!(&next(&mut read).await.line[..], b"two words");
    let second = log(&logs, "a/web");
    second.stdout("again");
    set_state(&client, "a", 1, json!({"waiting": {"reason": "CrashLoopBackOff"}})).await;
    first.close();
    set_state(&client, "a", 1, running.clone()).await;
    assert_eq!(&next(&mut read).await.line[..], b"again");
    let other = log(&logs, "b/web");
    other.stdout("of another");
    running_pod(&client, "b", web).await;
    let line = next(&mut read).await;
    assert_eq!((line.pod.as_str(), &line.line[..]), ("b", &b"of another"[..]));
    second.stdout("still here");
    assert_eq!(&next(&mut read).await.line[..], b"still here");
}

/// The lines of runs of a container of which none is open when the reader sees its state.
#[tokio::test]
async fn runs_that_end_at_once_are_there_once_each() {
    let (_server, client) = server_of(Containers::built_in()).await;
    let crash = |name: &str| {
        let script = "echo begun; echo failed >&2; exit 1";
        serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "busybox", "command": ["sh", "-c", script]}]},
        }))
        .unwrap()
    };
    pods(&client).create(&crash("before")).await.unwrap();
    restarted(&client, "before").await;
    let options = PodLogsOptions { follow_restarts: true, ..Default::default() };
    let mut read = pods(&client).pod_logs("app=web", &options);
    // The last run of a container in back-off.
    let mut lines = [next(&mut read).await, next(&mut read).await].map(|line| line.line);
    lines.sort();
    assert_eq!(lines, ["begun", "failed"]);
    // Both runs of a container that began later.
    pods(&client).create(&crash("later")).await.unwrap();
    for _ in 0..2 {
        let mut lines = Vec::new();
        for _ in 0..2 {
            let line = next(&mut read).await;
            assert_eq!(line.pod, "later");
            lines.push(line.line);
        }
        lines.sort();
        assert_eq!(lines, ["begun", "failed"]);
    }
    assert_eq!(pods(&client).get("before").await.unwrap().status.container_statuses[0].restart_count, 1);
}

/// Waits until a container of a pod waits for its second restart.
async fn restarted(client: &Client, pod: &str) {
    let selection = ListOptions::fields(format!("metadata.name={pod}"));
    let mut changes = client.api::<Pod>().namespace("shop").changes(&selection);
    loop {
        let pods = match soon("a change", changes.next()).await.unwrap() {
            Change::Listed(list) => list.items,
            Change::Applied(pod) => vec![pod],
            Change::Deleted(_) => panic!("the pod is deleted"),
        };
        let statuses = pods.iter().flat_map(|pod| &pod.status.container_statuses);
        if statuses.last().is_some_and(|status| status.restart_count == 1 && !status.ready) {
            return;
        }
    }
}

/// A client with answers of the test, if there is one for the path and query of a request.
fn client_with(
    server: &Server,
    answer: impl FnMut(&str) -> Option<(u16, &'static str)> + Send + 'static,
) -> Client {
    let answer = Arc::new(Mutex::new(answer));
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let answer = answer.clone();
        tower::service_fn(move |request: Request<RequestBody>| {
            let (answer, transport) = (answer.clone(), transport.clone());
            async move {
                let target = request.uri().path_and_query().unwrap().as_str().to_owned();
                let given = (*answer.lock().unwrap())(&target);
                let Some((status, text)) = given else { return transport.oneshot(request).await };
                let body = ResponseBody::new(Full::new(Bytes::from(text)));
                Response::builder().status(status).body(body).map_err(BoxError::from)
            }
        })
    });
    Client::with_layer(config_of(server), layer).unwrap()
}

#[tokio::test]
async fn requests_that_fail_for_a_moment_end_no_logs_that_are_followed() {
    let (server, plain, logs) = server().await;
    let web = json!([{"name": "web", "image": "nginx"}]);
    running_pod(&plain, "a", web.clone()).await;
    log(&logs, "a/web").stdout("one");
    // The first two requests of each kind but the first list fail.
    let mut counts = BTreeMap::<&str, usize>::new();
    let client = client_with(&server, move |target| {
        let kind = match target {
            _ if target.contains("watch=") => "watch",
            _ if target.contains("/log?") => "log",
            _ if target.contains("/pods/a") => "get",
            _ => "list",
        };
        let count = counts.entry(kind).or_default();
        *count += 1;
        let fails = if kind == "list" { [2, 3].contains(count) } else { *count <= 2 };
        fails.then_some((if *count == 2 { 429 } else { 500 }, "not now"))
    });
    let options = PodLogsOptions { follow_restarts: true, ..Default::default() };
    let mut read = pods(&client).pod_logs("app=web", &options);
    assert_eq!(&next(&mut read).await.line[..], b"one");
    log(&logs, "b/web").stdout("of another");
    running_pod(&plain, "b", web).await;
    assert_eq!(&next(&mut read).await.line[..], b"of another");
    // An error of the first list is told: the caller may have no rights.
    let client = client_with(&server, |_| Some((500, "not now")));
    let mut read = pods(&client).pod_logs("app=web", &options);
    soon("the error", read.next()).await.unwrap().unwrap_err();
    assert!(soon("the end", read.next()).await.is_none());
}

#[tokio::test]
async fn no_line_of_a_container_is_lost_that_ends_after_the_connection_of_its_log_broke() {
    let (server, plain, logs) = server().await;
    running_pod(&plain, "a", json!([{"name": "web", "image": "nginx"}])).await;
    let log = log(&logs, "a/web");
    let mut is_first = true;
    let client = client_with(&server, move |target| {
        let breaks = target.contains("/log?") && std::mem::take(&mut is_first);
        breaks.then_some((200, "2001-01-01T00:00:00Z one\n"))
    });
    let options = PodLogsOptions { follow_restarts: true, ..Default::default() };
    let mut read = pods(&client).pod_logs("app=web", &options);
    assert_eq!(&next(&mut read).await.line[..], b"one");
    log.stdout("two");
    log.close();
    let ended = Patch::Merge(json!({"status": {"phase": "Succeeded"}}));
    pods(&plain).patch_status("a", &ended).await.unwrap();
    assert_eq!(&next(&mut read).await.line[..], b"two");
    // Each line is there once.
    let other = self::log(&logs, "b/web");
    other.stdout("of another");
    running_pod(&plain, "b", json!([{"name": "web", "image": "nginx"}])).await;
    assert_eq!(&next(&mut read).await.line[..], b"of another");
}

#[tokio::test]
async fn lines_of_the_same_time_are_there_once_each_after_a_connection_broke() {
    let (server, plain, _logs) = server().await;
    running_pod(&plain, "a", json!([{"name": "web", "image": "nginx"}])).await;
    // The connection breaks twice among lines of a clock that is coarse.
    let mut reads = 0;
    let client = client_with(&server, move |target| {
        let text = match target.contains("/log?") {
            true => ["one\ntwo\n", "one\ntwo\nthree\n", "one\ntwo\nthree\nfour\nfive\n"].get(reads),
            false => None,
        };
        reads += usize::from(text.is_some());
        text.map(|text| {
            let lines = text.lines().map(|line| match line {
                "five" => "2001-01-01T00:00:00.6Z five\n".to_owned(),
                line => format!("2001-01-01T00:00:00.5Z {line}\n"),
            });
            (200, &*lines.collect::<String>().leak())
        })
    });
    let options = PodLogsOptions { follow_restarts: true, ..Default::default() };
    let mut read = pods(&client).pod_logs("app=web", &options);
    for line in ["one", "two", "three", "four", "five"] {
        assert_eq!(&next(&mut read).await.line[..], line.as_bytes());
    }
}
