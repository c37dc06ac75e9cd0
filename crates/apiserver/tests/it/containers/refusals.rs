//! Refusals of commands, before the connection is switched and after it, in the words of a kube-apiserver and a kubelet.

use futures_util::StreamExt as _;
use http::Method;
use hyper_util::rt::TokioIo;
use klient_apiserver::{Containers, ExitStatus, Server};
use klient_streams::remote_command::{Protocol, Streams, Subprotocol, Version};
use klient_streams::websocket::new_key;
use klient_streams::{BoxError, ErrorKind};
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::client::{Client, soon};
use crate::objects::PODS;
use crate::upgrades::{process, upgrade, websocket};

const OUT: Streams = Streams { stdin: false, stdout: true, stderr: false, tty: false };
const V4: Protocol = Protocol::WebSocket(Subprotocol { version: Version::V4, base64: false });

async fn server() -> (Server, Client) {
    let fails = |what: &'static str| async move { Err(BoxError::from(what)) };
    let containers =
        Containers::new(move |_, _| fails("no such file")).attach(move |_, _| fails("it has no terminal"));
    super::server(containers).await
}

/// The answer to a request for a process: the code and text of an HTTP response, or the `Status` that came after the
/// connection was switched.
async fn refusal(server: &Server, request: &str, protocol: Protocol, streams: Streams) -> String {
    match process(server, &format!("{PODS}/web/{request}"), protocol, streams).await {
        Err(answer) if answer.header("content-type").starts_with("text/plain") => {
            format!("{} text: {}", answer.status.as_u16(), answer.text())
        }
        Err(answer) => answer.refusal(),
        Ok(mut process) => {
            let error = soon("the refusal", process.wait()).await.expect_err("it is refused");
            assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
            let status = error.as_status().expect("versions 4 and 5 have one");
            let (reason, message) =
                (status.reason.as_deref().expect("a reason"), status.message.as_deref().expect("a message"));
            assert_eq!((status.status.as_deref(), reason), (Some("Failure"), "InternalError"));
            let cause = status.causes()[0].message.as_deref().expect("a cause");
            assert_eq!(message, format!("Internal error occurred: {cause}"));
            format!("{} status: {message}", status.code.expect("a code"))
        }
    }
}

#[tokio::test]
async fn a_container_that_does_not_run_is_refused_before_the_switch_but_for_version_5() {
    let (server, client) = server().await;
    let ended = json!({"status": {"containerStatuses": [{
        "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 1}},
    }]}});
    let failed = json!({"status": {"phase": "Failed"}});
    for status in [ended, failed] {
        client.patch(&format!("{PODS}/web/status"), "merge", &status).await.expect(200);
        for (request, text) in [
            ("exec?command=a&stdout=true", "container not found (\"c\")"),
            ("attach?stdout=true", "container c not found in pod web_default"),
        ] {
            for protocol in [V4, Protocol::Spdy(Version::V4)] {
                assert_eq!(refusal(&server, request, protocol, OUT).await, format!("500 text: {text}"));
            }
            let switched =
                format!("500 status: Internal error occurred: unable to upgrade connection: {text}");
            assert_eq!(refusal(&server, request, Protocol::WEBSOCKET_V5, OUT).await, switched);
        }
    }
    // A node whose kubelet takes version 5 itself refuses before.
    client.post("/api/v1/nodes", &json!({"metadata": {"name": "n1"}})).await.expect(201);
    let declared = json!({"status": {"declaredFeatures": ["ExtendWebSocketsToKubelet"]}});
    client.patch("/api/v1/nodes/n1/status", "merge", &declared).await.expect(200);
    let binding = json!({"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "n1"}});
    client
        .patch(&format!("{PODS}/web/status"), "merge", &json!({"status": {"phase": "Pending"}}))
        .await
        .expect(200);
    client.post(&format!("{PODS}/web/binding"), &binding).await.expect(201);
    let refused = refusal(&server, "exec?command=a&stdout=true", Protocol::WEBSOCKET_V5, OUT).await;
    assert_eq!(refused, "500 text: container not found (\"c\")");
}

#[tokio::test]
async fn a_request_without_streams_is_refused_by_the_kubelet() {
    let (server, _) = server().await;
    let text = "you must specify at least 1 of stdin, stdout, stderr";
    for request in
        ["exec?command=a", "exec?command=a&tty=true", "exec?command=a&tty=true&stderr=true", "attach?"]
    {
        for protocol in [V4, Protocol::Spdy(Version::V4)] {
            let refused = refusal(&server, request, protocol, Streams::default()).await;
            assert_eq!(refused, format!("400 text: {text}"), "{request}");
        }
        let refused = refusal(&server, request, Protocol::WEBSOCKET_V5, Streams::default()).await;
        let switched = format!("500 status: Internal error occurred: unable to upgrade connection: {text}");
        assert_eq!(refused, switched, "{request}");
    }
}

#[tokio::test]
async fn commands_that_cannot_be_run_are_refused_after_the_switch() {
    let (server, _) = server().await;
    for protocol in [V4, Protocol::WEBSOCKET_V5, Protocol::Spdy(Version::V4)] {
        for (request, text) in [
            ("exec?command=a&stdout=true", "error executing command in container: no such file"),
            // Without a command it is the runtime that refuses.
            ("exec?stdout=true", "error executing command in container: no such file"),
            ("attach?stdout=true", "error attaching to container: it has no terminal"),
        ] {
            let refused = refusal(&server, request, protocol, OUT).await;
            // The message of the kubelet is that of an internal error once more where it is translated.
            let twice = if protocol == Protocol::WEBSOCKET_V5 { "Internal error occurred: " } else { "" };
            assert_eq!(refused, format!("500 status: {twice}Internal error occurred: {text}"), "{protocol}");
        }
    }
}

#[tokio::test]
async fn exit_codes_have_the_words_of_their_translation() {
    let containers = Containers::new(|_, _| async { Ok(ExitStatus::from(3)) });
    let (server, _) = super::server(containers).await;
    for (protocol, words) in
        [(Protocol::WEBSOCKET_V5, "command terminated with exit code 3"), (V4, "exit status 3")]
    {
        let path = format!("{PODS}/web/exec?command=a&stdout=true");
        let mut peer = raw(&server, &path, protocol).await;
        let status = loop {
            let message = soon("the status", peer.next()).await.unwrap().unwrap().into_data();
            if message.first() == Some(&3) && message.len() > 1 {
                break serde_json::from_slice::<serde_json::Value>(&message[1..]).unwrap();
            }
        };
        assert_eq!(status["message"], format!("command terminated with non-zero exit code: {words}"));
        assert_eq!(status["details"], json!({"causes": [{"reason": "ExitCode", "message": "3"}]}));
        assert_eq!(status["reason"], "NonZeroExitCode");
    }
}

/// The messages of a server's process.
async fn raw(
    server: &Server,
    path: &str,
    protocol: Protocol,
) -> WebSocketStream<TokioIo<hyper::upgrade::Upgraded>> {
    let key = new_key();
    let name = protocol.version().as_str();
    let headers = websocket(&key, name);
    let connection = upgrade(server, server.admin_token(), Method::GET, path, &headers).await;
    let connection = connection.expect("the server switches it");
    WebSocketStream::from_raw_socket(connection, Role::Client, None).await
}

#[tokio::test]
async fn a_kubelet_that_cannot_be_reached_is_told_behind_the_switch_to_version_5() {
    let (server, client) = super::server(Containers::default()).await;
    client.post("/api/v1/nodes", &json!({"metadata": {"name": "n1"}})).await.expect(201);
    let addresses = json!({"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}});
    client.patch("/api/v1/nodes/n1/status", "merge", &addresses).await.expect(200);
    let binding = json!({"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "n1"}});
    client.post(&format!("{PODS}/web/binding"), &binding).await.expect(201);
    let refused = "dial tcp 127.0.0.1:10250: connect: connection refused";
    for (request, query) in [
        ("exec?command=a%20b&command=%2F&stdout=true", "command=a+b&command=%2F&output=1"),
        ("attach?stdout=true", "output=1"),
    ] {
        let subresource = request.split('?').next().unwrap();
        for protocol in [V4, Protocol::Spdy(Version::V4)] {
            let told = refusal(&server, request, protocol, OUT).await;
            assert_eq!(told, format!("500 error dialing backend: {refused}"));
        }
        let url = format!("https://127.0.0.1:10250/{subresource}/default/web/c?{query}");
        let sent = format!("error sending request: Post \"{url}\": {refused}");
        let told = refusal(&server, request, Protocol::WEBSOCKET_V5, OUT).await;
        assert_eq!(told, format!("500 status: Internal error occurred: {sent}"));
    }
}

#[tokio::test]
async fn what_the_api_server_refuses_by_itself_is_a_status() {
    let (server, client) = server().await;
    for (request, text) in [
        ("exec?command=a&stdout=true&container=x", "400 container x is not valid for pod web"),
        ("attach?stdout=true&container=x", "400 container x is not valid for pod web"),
        ("exec?command=a&stdout=true&dryRun=All", "400 dryRun is not supported"),
    ] {
        for protocol in [V4, Protocol::WEBSOCKET_V5, Protocol::Spdy(Version::V4)] {
            assert_eq!(refusal(&server, request, protocol, OUT).await, text, "{protocol}");
        }
    }
    for request in ["exec?command=a&stdout=true", "exec?command=a", "attach?"] {
        let answer = client.get(&format!("{PODS}/web/{request}")).await;
        assert_eq!(answer.refusal(), "400 Upgrade request required", "{request}");
    }
}

#[tokio::test]
async fn handshakes_that_do_not_agree_are_refused() {
    let (server, _) = server().await;
    let spdy = ("upgrade", "SPDY/3.1");
    let (websocket, key) = (("upgrade", "websocket"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="));
    let thirteen = ("sec-websocket-version", "13");
    let accepts = "server accepts [v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]\n";
    for (headers, code, text) in [
        (
            &[spdy][..],
            400,
            "unable to upgrade: header X-Stream-Protocol-Version does not exist in request with 4 headers\n"
                .to_owned(),
        ),
        (
            &[spdy, ("x-stream-protocol-version", "v6.channel.k8s.io, v5.channel.k8s.io")],
            403,
            format!(
                "unable to upgrade: unable to negotiate protocol: client supports [v6.channel.k8s.io \
                 v5.channel.k8s.io], {accepts}"
            ),
        ),
        (
            &[("upgrade", "h2c"), ("x-stream-protocol-version", "v4.channel.k8s.io")],
            400,
            "unable to upgrade: missing upgrade headers in request\n".to_owned(),
        ),
        (&[websocket, key], 400, "missing or bad WebSocket Version".to_owned()),
        (
            &[websocket, key, ("sec-websocket-version", "12")],
            400,
            "missing or bad WebSocket Version".to_owned(),
        ),
        (&[websocket, thirteen], 400, "mismatch challenge/response".to_owned()),
        (
            &[websocket, thirteen, key, ("sec-websocket-protocol", "v6.channel.k8s.io, x")],
            403,
            "requested protocol(s) are not supported: [v6.channel.k8s.io x]".to_owned(),
        ),
    ] {
        let path = format!("{PODS}/web/exec?command=a&stdout=true");
        let answer = upgrade(&server, server.admin_token(), Method::GET, &path, headers).await;
        let answer = answer.expect_err("it is refused");
        assert_eq!((answer.status.as_u16(), answer.text()), (code, &*text));
        let accepted = answer.headers.get_all("x-accepted-stream-protocol-versions").iter().count();
        assert_eq!(accepted, if text.contains("client supports") { 4 } else { 0 });
    }
}

#[tokio::test]
async fn version_5_over_spdy_is_version_4() {
    let (server, _) = server().await;
    let headers =
        [("upgrade", "SPDY/3.1"), ("x-stream-protocol-version", "v5.channel.k8s.io, v4.channel.k8s.io")];
    let path = format!("{PODS}/web/exec?command=a&stdout=true");
    upgrade(&server, server.admin_token(), Method::POST, &path, &headers).await.expect("both have version 4");
}
