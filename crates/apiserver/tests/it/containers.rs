//! Containers that the program stands in for: commands, ports and logs.

mod channels;
mod refusals;
mod scripts;

use std::sync::{Arc, Mutex};

use klient_apimachinery::MicroTime;
use klient_apiserver::{ContainerCommand, ContainerLog, Containers, LogStream, Options, PodPort, Server};
use klient_streams::remote_command::{ExitStatus, Protocol, Stdio, Streams, Subprotocol, Version};
use klient_streams::{BoxError, port_forward};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{Client, soon};
use crate::objects::{PODS, pod};
use crate::upgrades::{port_forward, process, process_as};

/// All protocols of commands.
fn protocols() -> Vec<Protocol> {
    let websocket = |version, base64| Protocol::WebSocket(Subprotocol { version, base64 });
    vec![
        websocket(Version::V5, false),
        websocket(Version::V4, false),
        websocket(Version::V4, true),
        websocket(Version::V1, false),
        websocket(Version::V1, true),
        Protocol::Spdy(Version::V4),
        Protocol::Spdy(Version::V1),
    ]
}

const ALL: Streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };
const OUT: Streams = Streams { stdin: false, stdout: true, stderr: false, tty: false };

/// Reads one line, writes it to both outputs, and exits with the last argument.
async fn answer(command: ContainerCommand, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let mut line = [0; 5];
    if let Some(stdin) = &mut stdio.stdin {
        stdin.read_exact(&mut line).await?;
    }
    if let Some(stdout) = &mut stdio.stdout {
        stdout.write_all(&line).await?;
    }
    if let Some(stderr) = &mut stdio.stderr {
        stderr.write_all(command.args.join(" ").as_bytes()).await?;
    }
    let code = command.args.last().and_then(|code| code.parse::<u8>().ok());
    Ok(ExitStatus::from(code.unwrap_or_default()))
}

async fn server(containers: Containers) -> (Server, Client) {
    let options = Options { containers: Some(containers), ..Options::default() };
    let server = Server::start(options).await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("web")).await.expect(201);
    (server, client)
}

#[tokio::test]
async fn commands_and_main_processes_run_over_every_protocol() {
    let seen = Arc::<Mutex<Vec<ContainerCommand>>>::default();
    let attached = seen.clone();
    let containers = Containers::new(answer).attach(move |command, stdio| {
        attached.lock().unwrap().push(command.clone());
        answer(command, stdio)
    });
    let (server, _) = server(containers).await;
    for protocol in protocols() {
        for what in ["exec?command=a%20b&command=7&", "attach?"] {
            let path = format!("{PODS}/web/{what}stdin=true&stdout=true&stderr=true&container=c");
            let mut process = process(&server, &path, protocol, ALL).await.unwrap();
            let mut stdin = process.stdin.take().unwrap();
            stdin.write_all(b"hello").await.unwrap();
            let is_exec = what.starts_with("exec");
            let output = soon("the end", process.wait_with_output()).await;
            if protocol.version() < Version::V4 && is_exec {
                // Exit codes are words then.
                let error = output.unwrap_err().to_string();
                assert!(error.contains("exit code"), "{protocol}: {error}");
                continue;
            }
            let output = output.unwrap_or_else(|error| panic!("{protocol}, {what}: {error}"));
            assert_eq!(output.stdout, b"hello", "{protocol}, {what}");
            let (stderr, code) = if is_exec { (&b"a b 7"[..], 7) } else { (&b""[..], 0) };
            assert_eq!((&output.stderr[..], output.status.code()), (stderr, code), "{protocol}, {what}");
            drop(stdin);
        }
    }
    let seen = seen.lock().unwrap();
    let first = &seen[0];
    assert_eq!((first.namespace.as_str(), first.pod.as_str()), ("default", "web"));
    assert_eq!((first.container.as_str(), first.args.len(), first.tty), ("c", 0, false));
}

#[tokio::test]
async fn a_command_that_never_reads_holds_nobody_up() {
    let containers = Containers::new(|command, stdio| async move {
        match command.args[0].as_str() {
            "deaf" => std::future::pending().await,
            _ => answer(command, stdio).await,
        }
    });
    let (server, client) = server(containers).await;
    for protocol in [Protocol::WEBSOCKET_V5, Protocol::Spdy(Version::V4)] {
        let deaf = format!("{PODS}/web/exec?command=deaf&stdin=true&stdout=true&stderr=true");
        let mut deaf = process(&server, &deaf, protocol, ALL).await.unwrap();
        let mut stdin = deaf.stdin.take().unwrap();
        let flood = tokio::spawn(async move {
            let part = vec![0; 64 * 1024];
            while stdin.write_all(&part).await.is_ok() {}
        });
        let other = format!("{PODS}/web/exec?command=3&stdout=true");
        let other = process(&server, &other, protocol, OUT).await.unwrap();
        assert_eq!(other.wait_with_output().await.unwrap().status.code(), 3);
        client.get(&format!("{PODS}/web")).await.expect(200);
        // Both keep the connection.
        drop(deaf);
        flood.abort();
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_all_streams() {
    let log = ContainerLog::default();
    log.stdout("first");
    let containers = Containers::new(|_, _| std::future::pending())
        .port_forward(|_, _| std::future::pending())
        .log(move |_| Some(log.clone()));
    let (server, client) = server(containers).await;
    let exec = format!("{PODS}/web/exec?command=sleep&stdout=true");
    let mut process = process(&server, &exec, Protocol::WEBSOCKET_V5, OUT).await.unwrap();
    let forward = port_forward(&server, &format!("{PODS}/web"), port_forward::Transport::Spdy).await.unwrap();
    let (_, mut lines) = client.stream(&format!("{PODS}/web/log?follow=true"), &[]).await;
    assert_eq!(lines.line().await.unwrap(), "first\n");
    soon("the end of the server", server.stop()).await;
    assert!(soon("the end of the command", process.wait()).await.is_err());
    assert!(lines.line().await.is_none());
    // Whether in order or not, it ends.
    let _ = soon("the end of the connections", forward.ended()).await;
}

#[tokio::test]
async fn ports_answer_and_refuse_each_connection_by_itself() {
    let containers = Containers::default().port_forward(|port: PodPort, mut connection| async move {
        if port.port != 80 {
            return Err(BoxError::from(format!("nobody listens in {}/{}", port.namespace, port.pod)));
        }
        let mut text = String::new();
        connection.read_to_string(&mut text).await?;
        connection.write_all(text.to_uppercase().as_bytes()).await?;
        Ok(())
    });
    let (server, _) = server(containers).await;
    for transport in [port_forward::Transport::Spdy, port_forward::Transport::WebSocket] {
        let forward = port_forward(&server, &format!("{PODS}/web"), transport).await.unwrap();
        let mut good = forward.connect(80).await.unwrap();
        let mut bad = forward.connect(81).await.unwrap();
        let mut text = String::new();
        let error = soon("the refusal", bad.read_to_string(&mut text)).await.unwrap_err().to_string();
        assert!(error.contains("nobody listens in default/web"), "{transport:?}: {error}");
        good.write_all(b"hello").await.unwrap();
        good.shutdown().await.unwrap();
        soon("the answer", good.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "HELLO", "{transport:?}");
    }
}

/// A log of five lines, one per second, whose third is on standard error.
fn log() -> ContainerLog {
    let log = ContainerLog::default();
    for (index, text) in [&b"one"[..], b"two", b"three", b"\xff\xfe", b""].into_iter().enumerate() {
        let stream = if index == 2 { LogStream::Stderr } else { LogStream::Stdout };
        let time = MicroTime::from_unix_micros(
            1_800_000_000_000_000 + i64::try_from(index).expect("there are five") * 1_000_000 + 5,
        );
        log.push(stream, time, text);
    }
    log
}

#[tokio::test]
async fn the_options_of_a_log_select_its_lines() {
    let log = log();
    let containers = Containers::default().log(move |request| (!request.previous).then(|| log.clone()));
    let (_server, client) = server(containers).await;
    for (query, expected) in [
        ("", &b"one\ntwo\nthree\n\xff\xfe\n\n"[..]),
        ("container=c&tailLines=2", b"\xff\xfe\n\n"),
        ("tailLines=0", b""),
        ("tailLines=99&limitBytes=5", b"one\nt"),
        ("limitBytes=1", b"o"),
        ("stream=Stderr", b"three\n"),
        ("stream=Stdout&limitBytes=8", b"one\ntwo\n"),
        ("stream=All&tailLines=1", b"\n"),
        ("sinceTime=2027-01-15T08:00:02Z", b"three\n\xff\xfe\n\n"),
        ("sinceTime=2027-01-15T10:00:04%2B02:00", b"\n"),
        ("sinceSeconds=9000000000", b"one\ntwo\nthree\n\xff\xfe\n\n"),
        (
            "timestamps=true&limitBytes=69",
            b"2027-01-15T08:00:00.000005000Z one\n2027-01-15T08:00:01.000005000Z two\n"[..69].as_ref(),
        ),
    ] {
        let answer = client.get(&format!("{PODS}/web/log?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(answer.body, expected, "{query}: {:?}", answer.body);
        assert_eq!(answer.header("content-type"), "text/plain");
    }
    for (query, expected) in [
        ("previous=true", r#"400 previous terminated container "c" in pod "web" not found"#),
        (
            "stream=Both",
            r#"422 PodLogOptions "web" is invalid: stream: Unsupported value: "Both": supported values: "All", "Stderr", "Stdout""#,
        ),
        (
            "stream=Stdout&tailLines=1",
            "422 PodLogOptions \"web\" is invalid: []: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now",
        ),
    ] {
        assert_eq!(client.get(&format!("{PODS}/web/log?{query}")).await.refusal(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_followed_log_grows_until_it_is_closed() {
    let log = log();
    let read = log.clone();
    let (_server, client) = server(Containers::default().log(move |_| Some(read.clone()))).await;
    let (status, mut lines) = client.stream(&format!("{PODS}/web/log?follow=true&tailLines=1"), &[]).await;
    assert_eq!((status.as_u16(), lines.line().await.as_deref()), (200, Some("\n")));
    for text in ["a", "b"] {
        log.stdout(text);
        assert_eq!(lines.line().await.unwrap(), format!("{text}\n"));
    }
    let (_, limited) =
        client.stream(&format!("{PODS}/web/log?follow=true&tailLines=0&limitBytes=3"), &[]).await;
    log.stderr("limit");
    assert_eq!(limited.rest().await, b"lim");
    log.close();
    assert_eq!(lines.line().await.unwrap(), "limit\n");
    assert!(lines.line().await.is_none());
}

#[tokio::test]
async fn a_reader_that_is_slow_holds_nobody_up_and_gets_what_is_left() {
    let log = ContainerLog::default();
    let read = log.clone();
    let (_server, client) = server(Containers::default().log(move |_| Some(read.clone()))).await;
    let (_, slow) = client.stream(&format!("{PODS}/web/log?follow=true"), &[]).await;
    let line = "x".repeat(1023);
    // Twice as much as is kept, and far more than the connection holds.
    for _ in 0..20 * 1024 {
        log.stdout(&line);
    }
    log.stdout("last");
    log.close();
    let whole = client.again().await.get(&format!("{PODS}/web/log")).await;
    assert!(whole.body.len() < 10 * 1024 * 1024, "the oldest lines are dropped");
    assert!(whole.body.ends_with(b"x\nlast\n"));
    let rest = slow.rest().await;
    assert!(rest.len() < 15 * 1024 * 1024, "lines that were dropped meanwhile are missed");
    assert!(rest.ends_with(b"x\nlast\n"));
}

#[tokio::test]
async fn containers_that_do_not_run_are_refused_as_by_a_kubelet() {
    let log = log();
    let containers =
        Containers::new(answer).port_forward(|_, _| async { Ok(()) }).log(move |_| Some(log.clone()));
    let (server, client) = server(containers).await;
    let status = async |status: Value| {
        client.patch(&format!("{PODS}/web/status"), "merge", &json!({"status": status})).await.expect(200);
    };
    let exec = format!("{PODS}/web/exec?command=a&stdout=true");
    let refused = async || match process(&server, &exec, Protocol::Spdy(Version::V4), OUT).await {
        Ok(_) => "it runs".to_owned(),
        Err(answer) => format!("{} {}", answer.status.as_u16(), answer.text()),
    };
    let log = async |query: &str| {
        let answer = client.get(&format!("{PODS}/web/log?{query}")).await;
        if answer.status == 200 { "lines".to_owned() } else { answer.refusal() }
    };
    assert_eq!((refused().await.as_str(), log("").await.as_str()), ("it runs", "lines"));
    let container = |state: Value, last: Value| {
        json!({"containerStatuses": [{
            "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": state, "lastState": last,
        }]})
    };
    let ended = json!({"terminated": {"exitCode": 1, "containerID": "x://1"}});
    for (now, last, expected, previous) in [
        (
            json!({"waiting": {"reason": "ImagePullBackOff"}}),
            json!({}),
            "container \"c\" in pod \"web\" is waiting to start: trying and failing to pull image",
            false,
        ),
        (
            json!({"waiting": {"reason": "PodInitializing"}}),
            json!({}),
            "container \"c\" in pod \"web\" is waiting to start: PodInitializing",
            false,
        ),
        (
            json!({"terminated": {"exitCode": 1}}),
            json!({}),
            "container \"c\" in pod \"web\" is terminated",
            false,
        ),
        (ended.clone(), json!({}), "lines", false),
        (json!({"waiting": {"reason": "CrashLoopBackOff"}}), ended, "lines", true),
    ] {
        status(container(now, last)).await;
        assert_eq!(refused().await, "500 container not found (\"c\")");
        assert_eq!(log("").await.trim_start_matches("400 "), expected);
        let missing = "400 previous terminated container \"c\" in pod \"web\" not found";
        assert_eq!(log("previous=true").await, if previous { "lines" } else { missing });
    }
    status(json!({"phase": "Failed"})).await;
    let forward = port_forward(&server, &format!("{PODS}/web"), port_forward::Transport::WebSocket).await;
    let answer = forward.unwrap_err();
    assert_eq!((answer.status.as_u16(), answer.text()), (500, "pod not found (\"web_default\")"));
}

#[tokio::test]
async fn commands_need_the_verb_create_and_logs_the_verb_get() {
    let log = log();
    let (server, client) = server(Containers::new(answer).log(move |_| Some(log.clone()))).await;
    let role = |name: &str, verbs: &[&str]| {
        json!({"metadata": {"name": name}, "rules": [
            {"apiGroups": [""], "resources": ["pods/exec", "pods/log"], "verbs": verbs},
        ]})
    };
    for (user, verbs) in [("reader", ["get"]), ("runner", ["create"])] {
        let base = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
        client.post(&format!("{base}/roles"), &role(user, &verbs)).await.expect(201);
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}],
        });
        client.post(&format!("{base}/rolebindings"), &binding).await.expect(201);
    }
    let exec = format!("{PODS}/web/exec?command=a&stdout=true");
    for (user, protocol, allowed) in [
        ("reader", Protocol::WEBSOCKET_V5, false),
        ("reader", Protocol::Spdy(Version::V4), false),
        ("runner", Protocol::Spdy(Version::V4), true),
        // The request is a GET.
        ("runner", Protocol::WEBSOCKET_V5, false),
    ] {
        let started = process_as(&server, &server.token(user, &[]), &exec, protocol, OUT).await;
        let refusal = started.map(drop).map_err(|answer| answer.status.as_u16());
        assert_eq!(refusal, if allowed { Ok(()) } else { Err(403) }, "{user} over {protocol}");
    }
    let log = format!("{PODS}/web/log");
    for (user, code) in [("reader", 200), ("runner", 403)] {
        let identity = crate::client::Identity::Token(server.token(user, &[]));
        let client = Client::connect(&server, crate::client::Protocol::Http2, identity).await;
        assert_eq!(client.get(&log).await.status.as_u16(), code, "{user}");
    }
}

#[tokio::test]
async fn requests_that_do_not_agree_on_a_protocol_are_refused() {
    let (server, client) = server(Containers::new(answer)).await;
    let exec = format!("{PODS}/web/exec?command=a");
    let refusal = client.get(&exec).await.refusal();
    assert_eq!(refusal, "400 Upgrade request required");
    // There is no function for it.
    let forward = port_forward(&server, &format!("{PODS}/web"), port_forward::Transport::Spdy).await;
    assert_eq!(forward.unwrap_err().refusal(), "400 pod web does not have a host assigned");
}
