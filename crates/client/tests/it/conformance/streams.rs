//! Commands in containers and ports of pods, whose kubelet is in the test, or cannot be reached.

use std::fmt::Write as _;

use expect_test::expect;
use http::Method;
use http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};
use klient_api::core::v1::{Node, Pod};
use klient_apiserver::{ContainerCommand, Containers, Options};
use klient_client::{Client, Config, Error, ExecOptions, Patch, PortForwardOptions};
use klient_streams::port_forward::{Forwarded, TUNNEL_PROTOCOL};
use klient_streams::remote_command::{
    ExitStatus, Process, Protocol, Stdio, Streams, Subprotocol, TerminalSize, Version,
};
use klient_streams::websocket::new_key;
use klient_streams::{BoxError, ErrorKind};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::kubelet::Kubelet;
use super::test_cluster::{TestCluster, object};
use crate::cluster::soon;

/// The function of all containers.
pub(super) async fn run(args: Vec<String>, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        // Attached to.
        [] => stdio.stdout.as_mut().ok_or("no output")?.write_all(b"main").await?,
        ["cat"] => {
            let (stdin, stdout) = (stdio.stdin.as_mut(), stdio.stdout.as_mut());
            tokio::io::copy(stdin.ok_or("no input")?, stdout.ok_or("no output")?).await?;
            stdio.stderr.as_mut().ok_or("no errors")?.write_all(b"errors").await?;
        }
        ["exit", code] => return Ok(ExitStatus::from(code.parse::<u8>()?)),
        ["size"] => {
            let size = stdio.resizes.as_mut().ok_or("no sizes")?.next().await.ok_or("no size")?;
            let size = format!("{}x{}", size.width, size.height);
            stdio.stdout.as_mut().ok_or("no output")?.write_all(size.as_bytes()).await?;
        }
        _ => return Err("no such command".into()),
    }
    Ok(ExitStatus::SUCCESS)
}

/// The function of all ports.
pub(super) async fn forward(port: u16, mut connection: Forwarded) -> Result<(), BoxError> {
    if port == 1 {
        return Err("connection refused".into());
    }
    let (mut reader, mut writer) = tokio::io::split(&mut connection);
    tokio::io::copy(&mut reader, &mut writer).await?;
    Ok(())
}

/// Creates a node with an address, and a port of its kubelet.
async fn create_node(cluster: &TestCluster, name: &str, port: Option<u16>, features: &[&str]) {
    let nodes = cluster.client().api::<Node>();
    nodes.create(&object(json!({"metadata": {"name": name}}))).await.unwrap();
    let Some(port) = port else { return };
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "declaredFeatures": features,
    }});
    nodes.patch_status(name, &Patch::Merge(status)).await.unwrap();
}

/// Creates a pod that runs on a node.
async fn create_pod(cluster: &TestCluster, name: &str, node: Option<&str>, containers: &[&str]) {
    let containers: Vec<_> =
        containers.iter().map(|name| json!({"name": name, "image": "nginx:1"})).collect();
    let mut pod = json!({"metadata": {"name": name}, "spec": {"containers": containers}});
    if let Some(node) = node {
        pod["spec"]["nodeName"] = node.into();
    }
    let pods = cluster.client().api::<Pod>().namespace(&cluster.namespace);
    pods.create(&object(pod)).await.unwrap();
    let status = json!({"status": {"phase": "Running"}});
    pods.patch_status(name, &Patch::Merge(status)).await.unwrap();
}

/// The protocols over which the cases of a kubelet run.
#[derive(Clone, Copy, Debug)]
enum Over {
    /// Version 5, and ports in a tunnel, which the server translates to SPDY.
    WebSocket,
    Spdy,
}

impl Over {
    fn client(self, cluster: &TestCluster) -> Client {
        let spdy_only = matches!(self, Over::Spdy);
        Client::new(Config { spdy_only, ..cluster.config() }).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_ports_are_those_of_the_kubelet() {
    let containers = Containers::new(|command: ContainerCommand, stdio| run(command.args, stdio))
        .attach(|_, stdio| run(Vec::new(), stdio))
        .port_forward(|port, connection| forward(port.port, connection));
    let cluster =
        TestCluster::start_with(Options { containers: Some(containers), ..Options::default() }).await;
    let kubelet = Kubelet::start().await;
    let port = Some(kubelet.address.port());
    let [translating, own] = ["translating", "own"].map(|name| cluster.unique(name));
    create_node(&cluster, &translating, port, &[]).await;
    create_node(&cluster, &own, port, &["ExtendWebSocketsToKubelet"]).await;
    create_pod(&cluster, "web", Some(&translating), &["c"]).await;
    create_pod(&cluster, "own", Some(&own), &["c"]).await;
    for (over, pod) in [(Over::WebSocket, "web"), (Over::WebSocket, "own"), (Over::Spdy, "web")] {
        let what = format!("{over:?}, {pod}");
        let client = over.client(&cluster);
        let pods = client.api::<Pod>().namespace(&cluster.namespace);
        for code in [0, 7] {
            let command = ["exit".to_owned(), code.to_string()];
            let mut process = pods.exec(pod, command, &ExecOptions::default()).await.unwrap();
            assert_eq!(soon(&what, process.wait()).await.unwrap().code(), code, "{what}");
        }
        let with_input = ExecOptions { stdin: true, ..Default::default() };
        let mut process = pods.exec(pod, ["cat"], &with_input).await.unwrap();
        let (mut stdin, sent) = (process.stdin.take().unwrap(), vec![7; 300_000]);
        let writing = async {
            stdin.write_all(&sent).await.unwrap();
            drop(stdin);
        };
        let ((), output) = soon(&what, async { tokio::join!(writing, process.wait_with_output()) }).await;
        let output = output.unwrap();
        assert!(output.stdout == sent && output.stderr == b"errors", "{what}");
        let with_terminal = ExecOptions { tty: true, ..Default::default() };
        let mut process = pods.exec(pod, ["size"], &with_terminal).await.unwrap();
        process.resize(TerminalSize { width: 80, height: 24 }).await.unwrap();
        assert_eq!(soon(&what, process.wait_with_output()).await.unwrap().stdout, b"80x24", "{what}");
        let mut failed = pods.exec(pod, ["none"], &ExecOptions::default()).await.unwrap();
        let error = soon(&what, failed.wait()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{what}");
        assert!(error.to_string().ends_with("no such command"), "{what}: {error}");
        let attached = pods.attach(pod, &ExecOptions::default()).await.unwrap();
        assert_eq!(soon(&what, attached.wait_with_output()).await.unwrap().stdout, b"main", "{what}");

        let forwarder = pods.port_forward(pod, &PortForwardOptions::default()).await.unwrap();
        let (mut reader, mut writer) = tokio::io::split(forwarder.connect(80).await.unwrap());
        let writing = async {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let reading = reader.read_to_end(&mut received);
        soon(&what, async { tokio::join!(writing, reading) }).await.1.unwrap();
        assert!(received == sent, "{what}");
        let mut refused = forwarder.connect(1).await.unwrap();
        let error = soon(&what, refused.read_u8()).await.unwrap_err();
        assert!(error.to_string().ends_with("connection refused"), "{what}: {error}");
        if cluster.embedded().is_none() {
            let requests = kubelet.requests();
            let protocol = if pod == "own" { "v5.channel.k8s.io" } else { "SPDY/3.1" };
            let exec = format!(
                "/exec/{}/{pod}/c?command=exit&command=7&error=1&output=1 {protocol}",
                cluster.namespace
            );
            assert!(requests.iter().any(|line| line.contains(&exec)), "{requests:#?}");
        }
    }
}

/// A way to ask for a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// Without a switch.
    Get,
    Post,
    Spdy,
    /// SPDY without a version.
    BareSpdy,
    V4,
    V5,
    /// A version that nobody has.
    V9,
    Tunnel,
    Http2,
}

use Ask::{BareSpdy, Get, Http2, Post, Spdy, Tunnel, V4, V5, V9};

/// The answer to a request: what refuses it, or the end of a command behind the switch.
async fn answer(client: &Client, uri: &str, ask: Ask) -> String {
    let method = if matches!(ask, Post | Spdy | BareSpdy) { Method::POST } else { Method::GET };
    let request = client.request(method).request_uri(uri);
    let websocket = |protocol: &str| {
        let request = client.request(Method::GET).request_uri(uri);
        let request = request.header(SEC_WEBSOCKET_KEY, &new_key()).header(SEC_WEBSOCKET_VERSION, "13");
        request.header(SEC_WEBSOCKET_PROTOCOL, protocol).upgrade("websocket")
    };
    let version = http::HeaderName::from_static("x-stream-protocol-version");
    let upgraded = match ask {
        Get | Post => match request.send().await {
            Ok(response) => return format!("{} {}", response.status().as_u16(), response.text()),
            Err(error) => Err(error),
        },
        Spdy if uri.contains("/portforward") => {
            request.header(version, "portforward.k8s.io").upgrade("SPDY/3.1").await
        }
        Spdy => request.header(version, "v4.channel.k8s.io").upgrade("SPDY/3.1").await,
        BareSpdy => request.upgrade("SPDY/3.1").await,
        V4 => websocket("v4.channel.k8s.io").await,
        V5 => websocket("v5.channel.k8s.io").await,
        V9 => websocket("v9.channel.k8s.io").await,
        Tunnel => websocket(TUNNEL_PROTOCOL).await,
        Http2 => request.upgrade("h2c").await,
    };
    let connection = match upgraded {
        Ok(connection) => connection,
        Err(error) => return refusal(&error),
    };
    let protocol = match ask {
        V5 => Protocol::WEBSOCKET_V5,
        _ => Protocol::WebSocket(Subprotocol { version: Version::V4, base64: false }),
    };
    let streams = Streams { stdin: false, stdout: true, stderr: false, tty: false };
    let mut process = Process::start(connection, protocol, streams).await.unwrap();
    match soon("the end of the command", process.wait()).await {
        Ok(status) => format!("switched, exit code {}", status.code()),
        Err(error) => match error.as_status() {
            Some(status) => format!(
                "switched, {} {}: {}",
                status.code.unwrap_or_default(),
                status.reason.as_deref().unwrap_or_default(),
                status.message.as_deref().unwrap_or_default()
            ),
            None => format!("switched, {error}"),
        },
    }
}

fn refusal(error: &Error) -> String {
    match error.as_status() {
        Some(status) => format!(
            "{} {}: {}",
            status.code.unwrap_or_default(),
            status.reason.as_deref().unwrap_or_default(),
            status.message.as_deref().unwrap_or_default()
        ),
        None => format!("no status: {error}"),
    }
}

#[tokio::test]
async fn refusals_have_the_words_of_the_server() {
    let cluster = TestCluster::start().await;
    // Nobody listens at a port that was just given.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let [far, bare, nowhere] = ["far", "bare", "nowhere"].map(|name| cluster.unique(name));
    create_node(&cluster, &far, Some(port), &[]).await;
    create_node(&cluster, &bare, None, &[]).await;
    create_pod(&cluster, "pending", None, &["c"]).await;
    create_pod(&cluster, "placed", Some(&far), &["c"]).await;
    create_pod(&cluster, "two", Some(&far), &["c", "d"]).await;
    create_pod(&cluster, "bare", Some(&bare), &["c"]).await;
    create_pod(&cluster, "lost", Some(&nowhere), &["c"]).await;
    let client = cluster.client();
    let mut answers = String::new();
    let exec = "exec?command=ls&stdout=true";
    let attach = "attach?stdout=true";
    let forward = "portforward?ports=80";
    let all = [Get, Post, Spdy, BareSpdy, V4, V5, V9, Tunnel, Http2];
    let cases: Vec<(&str, &str, &[Ask])> = vec![
        ("none", exec, &[Get, Spdy, V5]),
        ("none", attach, &[Spdy, V5]),
        ("none", forward, &[Spdy, Tunnel]),
        ("pending", exec, &[Get, Spdy, V5]),
        ("pending", attach, &[V5]),
        ("pending", forward, &[Spdy, Tunnel]),
        ("lost", exec, &[Get, Spdy, V5]),
        ("lost", forward, &[Spdy, Tunnel]),
        ("bare", exec, &[Get, V5]),
        ("bare", forward, &[Tunnel]),
        ("placed", exec, &all),
        ("placed", attach, &all),
        ("placed", forward, &all),
        ("placed", "exec?command=ls&stdout=true&container=x", &[Get, Spdy, V5]),
        ("placed", "attach?stdout=true&container=x", &[V5]),
        ("two", exec, &[Get, Spdy, V5]),
        ("two", attach, &[V5]),
        ("two", "exec?command=ls&stdout=true&container=d", &[V5]),
        ("placed", "exec?stdout=true", &[Get, Spdy, V4, V5]),
        ("placed", "exec?command=ls", &[Get, Spdy, V4, V5]),
        ("placed", "exec?command=a%20b&command=%2F&stdout=true&stderr=true&tty=true&stdin=true", &[V5]),
        ("placed", "exec?command=ls&stdout=maybe", &[V5]),
        ("placed", "exec?command=ls&stdout=0", &[V5]),
        ("placed", "exec?command=ls&stdout=true&dryRun=All", &[Get, V5]),
        ("placed", "portforward", &[Spdy, V4, Tunnel]),
        ("placed", "portforward?ports=0", &[Spdy, V4, Tunnel]),
        ("placed", "portforward?ports=x", &[Spdy, V4, Tunnel]),
        ("placed", "portforward?ports=70000", &[Spdy, Tunnel]),
        ("placed", "portforward?ports=-1", &[Tunnel]),
        ("placed", "portforward?ports=80,81", &[Tunnel]),
    ];
    for (pod, request, asks) in cases {
        for ask in asks {
            let uri = format!("/api/v1/namespaces/{}/pods/{pod}/{request}", cluster.namespace);
            let answer = answer(&client, &uri, *ask).await;
            let answer = answer.replace(&port.to_string(), "PORT").replace(&cluster.namespace, "NAMESPACE");
            writeln!(answers, "{pod}/{request} {ask:?}: {}", answer.trim_end()).unwrap();
        }
    }
    expect![[r#"
        none/exec?command=ls&stdout=true Get: 404 NotFound: pods "none" not found
        none/exec?command=ls&stdout=true Spdy: 404 NotFound: pods "none" not found
        none/exec?command=ls&stdout=true V5: 404 NotFound: pods "none" not found
        none/attach?stdout=true Spdy: 404 NotFound: pods "none" not found
        none/attach?stdout=true V5: 404 NotFound: pods "none" not found
        none/portforward?ports=80 Spdy: 404 NotFound: pods "none" not found
        none/portforward?ports=80 Tunnel: 404 NotFound: pods "none" not found
        pending/exec?command=ls&stdout=true Get: 400 BadRequest: pod pending does not have a host assigned
        pending/exec?command=ls&stdout=true Spdy: 400 BadRequest: pod pending does not have a host assigned
        pending/exec?command=ls&stdout=true V5: 400 BadRequest: pod pending does not have a host assigned
        pending/attach?stdout=true V5: 400 BadRequest: pod pending does not have a host assigned
        pending/portforward?ports=80 Spdy: 400 BadRequest: pod pending does not have a host assigned
        pending/portforward?ports=80 Tunnel: 400 BadRequest: pod pending does not have a host assigned
        lost/exec?command=ls&stdout=true Get: 404 NotFound: pods "nowhere-NAMESPACE" not found
        lost/exec?command=ls&stdout=true Spdy: 404 NotFound: pods "nowhere-NAMESPACE" not found
        lost/exec?command=ls&stdout=true V5: 404 NotFound: pods "nowhere-NAMESPACE" not found
        lost/portforward?ports=80 Spdy: 404 NotFound: pods "nowhere-NAMESPACE" not found
        lost/portforward?ports=80 Tunnel: 404 NotFound: pods "nowhere-NAMESPACE" not found
        bare/exec?command=ls&stdout=true Get: 500 : no preferred addresses found; known addresses: []
        bare/exec?command=ls&stdout=true V5: 500 : no preferred addresses found; known addresses: []
        bare/portforward?ports=80 Tunnel: 500 : no preferred addresses found; known addresses: []
        placed/exec?command=ls&stdout=true Get: 400 BadRequest: Upgrade request required
        placed/exec?command=ls&stdout=true Post: 400 BadRequest: Upgrade request required
        placed/exec?command=ls&stdout=true Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true BareSpdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/placed/c?command=ls&output=1": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true V9: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true Tunnel: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true Http2: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true Get: 400 BadRequest: Upgrade request required
        placed/attach?stdout=true Post: 400 BadRequest: Upgrade request required
        placed/attach?stdout=true Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true BareSpdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/attach/NAMESPACE/placed/c?output=1": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true V9: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true Tunnel: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/attach?stdout=true Http2: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 Get: 400 BadRequest: Upgrade request required
        placed/portforward?ports=80 Post: 400 BadRequest: Upgrade request required
        placed/portforward?ports=80 Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 BareSpdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 V5: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 V9: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 Tunnel: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=80 Http2: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true&container=x Get: 400 BadRequest: container x is not valid for pod placed
        placed/exec?command=ls&stdout=true&container=x Spdy: 400 BadRequest: container x is not valid for pod placed
        placed/exec?command=ls&stdout=true&container=x V5: 400 BadRequest: container x is not valid for pod placed
        placed/attach?stdout=true&container=x V5: 400 BadRequest: container x is not valid for pod placed
        two/exec?command=ls&stdout=true Get: 400 BadRequest: a container name must be specified for pod two, choose one of: [c d]
        two/exec?command=ls&stdout=true Spdy: 400 BadRequest: a container name must be specified for pod two, choose one of: [c d]
        two/exec?command=ls&stdout=true V5: 400 BadRequest: a container name must be specified for pod two, choose one of: [c d]
        two/attach?stdout=true V5: 400 BadRequest: a container name must be specified for pod two, choose one of: [c d]
        two/exec?command=ls&stdout=true&container=d V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/two/d?command=ls&output=1": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?stdout=true Get: 400 BadRequest: Upgrade request required
        placed/exec?stdout=true Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?stdout=true V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?stdout=true V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/placed/c?output=1": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls Get: 400 BadRequest: Upgrade request required
        placed/exec?command=ls Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/placed/c?command=ls": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=a%20b&command=%2F&stdout=true&stderr=true&tty=true&stdin=true V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/placed/c?command=a+b&command=%2F&error=1&input=1&output=1&tty=1": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=maybe V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/placed/c?command=ls&output=1": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=0 V5: switched, 500 InternalError: Internal error occurred: error sending request: Post "https://127.0.0.1:PORT/exec/NAMESPACE/placed/c?command=ls": dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/exec?command=ls&stdout=true&dryRun=All Get: 400 BadRequest: dryRun is not supported
        placed/exec?command=ls&stdout=true&dryRun=All V5: 400 BadRequest: dryRun is not supported
        placed/portforward Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward Tunnel: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=0 Spdy: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=0 V4: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=0 Tunnel: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
        placed/portforward?ports=x Spdy: 400 BadRequest: cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax
        placed/portforward?ports=x V4: 400 BadRequest: cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax
        placed/portforward?ports=x Tunnel: 400 BadRequest: cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax
        placed/portforward?ports=70000 Spdy: 400 BadRequest: cannot convert to []int32: strconv.ParseUint: parsing "70000": value out of range
        placed/portforward?ports=70000 Tunnel: 400 BadRequest: cannot convert to []int32: strconv.ParseUint: parsing "70000": value out of range
        placed/portforward?ports=-1 Tunnel: 400 BadRequest: cannot convert to []int32: strconv.ParseUint: parsing "-1": invalid syntax
        placed/portforward?ports=80,81 Tunnel: 500 : error dialing backend: dial tcp 127.0.0.1:PORT: connect: connection refused
    "#]].assert_eq(&answers);
}

#[tokio::test]
async fn a_switch_is_a_creation() {
    let cluster = TestCluster::start().await;
    create_pod(&cluster, "pending", None, &["c"]).await;
    let uri = format!("/api/v1/namespaces/{}/pods/pending/exec?command=ls&stdout=true", cluster.namespace);
    let mut answers = String::new();
    for verb in ["get", "create"] {
        let user = cluster.unique(verb);
        let client = cluster.user(&user, &[]).await;
        let rules = json!([{"apiGroups": [""], "resources": ["pods/exec"], "verbs": [verb]}]);
        cluster.grant(&user, rules).await;
        for ask in [Get, Post, Spdy, V5] {
            let answer = answer(&client, &uri, ask).await.replace(&cluster.namespace, "NAMESPACE");
            writeln!(answers, "{verb} {ask:?}: {answer}").unwrap();
        }
    }
    expect![[r#"
        get Get: 403 Forbidden: pods "pending" is forbidden: 
        get Post: 403 Forbidden: pods "pending" is forbidden: User "get-NAMESPACE" cannot create resource "pods/exec" in API group "" in the namespace "NAMESPACE"
        get Spdy: 403 Forbidden: pods "pending" is forbidden: User "get-NAMESPACE" cannot create resource "pods/exec" in API group "" in the namespace "NAMESPACE"
        get V5: 403 Forbidden: pods "pending" is forbidden: 
        create Get: 403 Forbidden: pods "pending" is forbidden: User "create-NAMESPACE" cannot get resource "pods/exec" in API group "" in the namespace "NAMESPACE"
        create Post: 400 BadRequest: pod pending does not have a host assigned
        create Spdy: 400 BadRequest: pod pending does not have a host assigned
        create V5: 403 Forbidden: pods "pending" is forbidden: User "create-NAMESPACE" cannot get resource "pods/exec" in API group "" in the namespace "NAMESPACE"
    "#]].assert_eq(&answers);
}
