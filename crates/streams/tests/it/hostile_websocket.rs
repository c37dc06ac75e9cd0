//! Channels and tunnels over WebSocket against peers that send messages of their own.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use klient_streams::remote_command::{
    ExitStatus, Process, Protocol, Stdio, Streams, Subprotocol, Version, serve,
};
use klient_streams::websocket::Tunnel;
use klient_streams::{Connection, Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use crate::connections::{Carrier, bytes, pair, soon};
use crate::raw_spdy::RawPeer;

type Peer = WebSocketStream<Box<dyn Connection>>;

const STREAMS: Streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };

async fn peer(connection: Box<dyn Connection>, role: Role) -> Peer {
    WebSocketStream::from_raw_socket(connection, role, None).await
}

/// A client's process, and a server that sends single messages.
async fn client(protocol: Protocol) -> (Process, Peer) {
    let (near, far) = pair(Carrier::Memory).await;
    (Process::start(near, protocol, STREAMS).await.unwrap(), peer(far, Role::Server).await)
}

fn binary(bytes: impl Into<Cow<'static, [u8]>>) -> Message {
    Message::Binary(bytes.into().into_owned().into())
}

const SUCCESS: &[u8] = b"\x03{\"metadata\":{},\"status\":\"Success\"}";

#[tokio::test]
async fn messages_of_a_server_in_go_are_understood() {
    let (process, mut server) = client(Protocol::WEBSOCKET_V5).await;
    let messages: [&[u8]; 7] = [
        b"\x01",
        b"\x01out",
        b"\x02err",
        // Unknown channels, an empty message and one for the client's own channel are dropped.
        b"\x09nobody",
        b"",
        b"\x00back",
        SUCCESS,
    ];
    for message in messages {
        server.send(binary(message)).await.unwrap();
    }
    let close = CloseFrame { code: 1000.into(), reason: "".into() };
    server.send(Message::Close(Some(close))).await.unwrap();
    let output = soon("the output", process.wait_with_output()).await.unwrap();
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out"[..], &b"err"[..]));
    assert!(output.status.success());
}

#[tokio::test]
async fn faults_of_a_server_are_told_apart() {
    let close = |code: u16| Message::Close(Some(CloseFrame { code: code.into(), reason: "going".into() }));
    let status = |status: &str| binary(format!("\x03{status}").into_bytes());
    let no_code = r#"{"status":"Failure","reason":"NonZeroExitCode","message":"x"}"#;
    let huge_code = r#"{"status":"Failure","reason":"NonZeroExitCode","message":"x",
        "details":{"causes":[{"reason":"ExitCode","message":"256"}]}}"#;
    let cases: Vec<(Vec<Message>, ErrorKind, &str)> = vec![
        (vec![Message::Text("hello".into())], ErrorKind::Protocol, "the peer sent a text message"),
        (vec![binary(vec![1; 5 * 1024 * 1024])], ErrorKind::Protocol, "a message is too large"),
        (
            vec![close(1000)],
            ErrorKind::Connection,
            "the connection was closed before the command's exit status",
        ),
        (vec![close(1011)], ErrorKind::Connection, "the peer closed the WebSocket with code 1011: going"),
        (vec![], ErrorKind::Connection, "the connection broke: unexpected EOF"),
        (vec![status("{"), close(1000)], ErrorKind::Protocol, "the command's exit status cannot be read"),
        (vec![status("{")], ErrorKind::Connection, "the connection broke: unexpected EOF"),
        (
            vec![status(no_code), close(1000)],
            ErrorKind::Protocol,
            "the command's exit status has no exit code",
        ),
        (
            vec![status(huge_code), close(1000)],
            ErrorKind::Protocol,
            "the command's exit status has no exit code",
        ),
        (vec![status("{}"), close(1000)], ErrorKind::Protocol, "the command's exit status says neither"),
        (
            vec![status(r#"{"status":"Failure","message":"no","code":500}"#), close(1000)],
            ErrorKind::Refused,
            "no",
        ),
        (vec![binary(&b"\xff\x01\x02"[..])], ErrorKind::Protocol, "the end of a channel has 2 bytes"),
    ];
    for (messages, kind, fault) in cases {
        let (mut process, mut server) = client(Protocol::WEBSOCKET_V5).await;
        let send = async {
            for message in messages {
                let _ = server.send(message).await;
            }
            drop(server);
        };
        let (outcome, ()) = soon(fault, async { tokio::join!(process.wait(), send) }).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(fault), "{error}");
    }
}

#[tokio::test]
async fn a_status_counts_even_if_the_connection_then_breaks() {
    let (mut process, mut server) = client(Protocol::WEBSOCKET_V5).await;
    server.send(binary(SUCCESS)).await.unwrap();
    drop(server);
    assert!(soon("the status", process.wait()).await.unwrap().success());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_closes_the_connection_holds_up_nobody() {
    let frame = |data: &[u8]| [&[0x82, u8::try_from(data.len()).unwrap()], data].concat();
    for takes_input in [true, false] {
        let (near, far) = pair(Carrier::Memory).await;
        let mut process = Process::start(near, Protocol::WEBSOCKET_V5, STREAMS).await.unwrap();
        let mut stdin = process.stdin.take().unwrap();
        let (mut reader, mut writer) = tokio::io::split(far);
        // It answers no closing handshake, and is alive by its pings.
        let server = tokio::spawn(async move {
            writer.write_all(&[frame(b"\x01out"), frame(SUCCESS)].concat()).await.unwrap();
            let pings = async {
                while writer.write_all(b"\x89\x00").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            };
            let reading = async {
                if takes_input {
                    let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
                }
            };
            tokio::join!(pings, reading);
        });
        let flood = tokio::spawn(async move { while stdin.write_all(&[0; 10_000]).await.is_ok() {} });
        assert!(soon("the status", process.wait()).await.unwrap().success());
        drop(process);
        soon("the end of the input", flood).await.unwrap();
        soon("the end of the connection", server).await.unwrap();
    }
}

#[tokio::test]
async fn an_exit_status_of_any_size_lets_output_be_read_first() {
    for (length, is_refused) in [(300 * 1024, false), (2 * 1024 * 1024, true)] {
        let (mut process, mut server) = client(Protocol::WEBSOCKET_V5).await;
        let sending = tokio::spawn(async move {
            let status = format!("{{\"status\":\"Success\",\"message\":\"{}", "a".repeat(length));
            let parts = status.as_bytes().chunks(64 * 1024).map(|part| [b"\x03", part].concat());
            let ends = [b"\x03\"}".to_vec(), b"\x01late".to_vec()];
            for part in parts {
                server.feed(binary(part)).await?;
            }
            for end in ends {
                server.feed(binary(end)).await?;
            }
            server.close(None).await
        });
        let mut stdout = process.stdout.take().unwrap();
        let mut output = Vec::new();
        let read = soon("the end of the output", stdout.read_to_end(&mut output)).await;
        let status = soon("the status", process.wait()).await;
        if is_refused {
            let error = status.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            assert_eq!(Error::of(&read.unwrap_err()).unwrap().to_string(), error.to_string());
        } else {
            assert_eq!((read.unwrap(), &output[..]), (4, &b"late"[..]));
            assert!(status.unwrap().success());
        }
        // Its connection may be closed before it has sent everything.
        let _ = soon("the server", sending).await.unwrap();
    }
}

#[tokio::test]
async fn an_exit_status_in_very_many_parts_ends_with_the_connection() {
    let (mut process, mut server) = client(Protocol::WEBSOCKET_V5).await;
    let sending = async {
        let braces = std::iter::repeat_n(&b"\x03}"[..], 5000);
        let begin = &b"\x03{\"message\":\""[..];
        for part in [begin].into_iter().chain(braces).chain([&b"\x03\",\"status\":\"Success\"}"[..]]) {
            server.send(binary(part)).await.unwrap();
            // Each part is read by itself.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        server.close(None).await.unwrap();
    };
    let (status, ()) = soon("the status", async { tokio::join!(process.wait(), sending) }).await;
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn data_on_channels_that_the_other_end_only_writes_holds_up_nothing() {
    let (process, mut server) = client(Protocol::WEBSOCKET_V5).await;
    let part = [&b"\x00"[..], &[b'a'; 64 * 1024]].concat();
    let sending = tokio::spawn(async move {
        for _ in 0..10 {
            server.send(binary(part.clone())).await.unwrap();
        }
        server.send(binary(b"\x01out")).await.unwrap();
        server.send(binary(SUCCESS)).await.unwrap();
        server
    });
    let mut process = process;
    let _stdin = process.stdin.take();
    let mut out = [0; 3];
    soon("the output", process.stdout.as_mut().unwrap().read_exact(&mut out)).await.unwrap();
    assert_eq!(&out, b"out");
    drop(soon("the server", sending).await.unwrap());
}

/// Tells when it is dropped.
struct Dropped(Option<tokio::sync::oneshot::Sender<()>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.take().expect("it is dropped once").send(());
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_read_ends_soon_after_its_client() {
    let spdy = Protocol::Spdy(Version::V4);
    for protocol in [Protocol::WEBSOCKET_V5, spdy] {
        let (near, far) = pair(Carrier::Memory).await;
        let (sender, dropped) = tokio::sync::oneshot::channel();
        let guard = Dropped(Some(sender));
        let served = tokio::spawn(serve(far, protocol, STREAMS, move |stdio| async move {
            let _kept = (guard, stdio);
            std::future::pending().await
        }));
        let flood = tokio::spawn(async move {
            let part = [&b"\x00"[..], &[b'a'; 32 * 1024]].concat();
            if protocol == spdy {
                let mut client = RawPeer::new(near);
                for (id, name) in [(1, "error"), (3, "stdin"), (5, "stdout"), (7, "stderr")] {
                    client.syn_stream(id, &[("streamtype", name)]).await;
                }
                loop {
                    client.data(3, 0, &part).await;
                }
            }
            let mut client = peer(near, Role::Client).await;
            loop {
                client.send(binary(part.clone())).await.unwrap();
            }
        });
        // The time goes on when all wait: the client for the server, and that for the command.
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!served.is_finished() && !flood.is_finished(), "{protocol}");
        flood.abort();
        let ended = tokio::time::timeout(Duration::from_secs(3), dropped).await;
        ended.unwrap_or_else(|_| panic!("the command runs on over {protocol}")).unwrap();
        assert_eq!(served.await.unwrap().unwrap_err().kind(), ErrorKind::Connection, "{protocol}");
    }
}

#[tokio::test]
async fn a_client_of_version_5_ends_standard_input_with_a_message_and_others_cannot() {
    for (version, last) in [(Version::V5, Some(binary(&b"\xff\x00"[..]))), (Version::V4, None)] {
        let protocol = Protocol::WebSocket(Subprotocol { version, base64: false });
        let (mut process, mut server) = client(protocol).await;
        let mut stdin = process.stdin.take().unwrap();
        stdin.write_all(b"in").await.unwrap();
        drop(stdin);
        assert_eq!(soon("the input", server.next()).await.unwrap().unwrap(), binary(&b"\x00in"[..]));
        if let Some(last) = last {
            assert_eq!(soon("the end", server.next()).await.unwrap().unwrap(), last);
        }
        server.send(Message::Ping("hi".into())).await.unwrap();
        // Pongs come although nobody reads the streams.
        let answer = soon("the pong", server.next()).await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong("hi".into()), "{protocol}");
    }
}

/// The outcome of a server whose client sends single messages.
async fn served(protocol: Protocol, messages: Vec<Message>) -> (Result<ExitStatus, Error>, Vec<Message>) {
    let (near, far) = pair(Carrier::Memory).await;
    let mut client = peer(near, Role::Client).await;
    let command = |mut stdio: Stdio| async move {
        let mut input = String::new();
        stdio.stdin.as_mut().unwrap().read_to_string(&mut input).await?;
        stdio.stdout.as_mut().unwrap().write_all(input.as_bytes()).await?;
        Ok(ExitStatus::from(2))
    };
    let talk = async {
        for message in messages {
            let _ = client.send(message).await;
        }
        let mut answers = Vec::new();
        while let Some(Ok(message)) = client.next().await {
            answers.push(message);
        }
        answers
    };
    soon("the server", async { tokio::join!(serve(far, protocol, STREAMS, command), talk) }).await
}

#[tokio::test]
async fn a_server_sends_what_clients_in_go_expect() {
    let input = vec![binary(&b"\x00hi"[..]), binary(&b"\x09nobody"[..]), binary(&b"\xff\x00"[..])];
    let (status, answers) = served(Protocol::WEBSOCKET_V5, input).await;
    assert_eq!(status.unwrap().code(), 2);
    let [greeting, output, status, close] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((greeting, output), (&binary(&b"\x01"[..]), &binary(&b"\x01hi"[..])));
    let status = status.clone().into_data();
    assert_eq!(status[0], 3);
    let status: serde_json::Value = serde_json::from_slice(&status[1..]).unwrap();
    assert_eq!((&status["status"], &status["reason"]), (&"Failure".into(), &"NonZeroExitCode".into()));
    let causes = serde_json::json!([{"reason": "ExitCode", "message": "2"}]);
    assert_eq!(status["details"]["causes"], causes);
    let Message::Close(Some(close)) = close else { panic!("{close:?}") };
    assert_eq!(u16::from(close.code), 1000);
}

#[tokio::test]
async fn faults_of_a_client_end_the_command() {
    let base64 = Protocol::WebSocket(Subprotocol { version: Version::V4, base64: true });
    let cases = [
        (Protocol::WEBSOCKET_V5, Message::Text("0hi".into()), "the peer sent a text message"),
        (Protocol::WEBSOCKET_V5, binary(&b"\xff"[..]), "the end of a channel has 0 bytes in place of one"),
        (base64, Message::Text("0~".into()), "a message is no base64"),
        (Protocol::WEBSOCKET_V5, Message::Close(None), "the client closed the connection before"),
    ];
    for (protocol, message, fault) in cases {
        let (outcome, _) = served(protocol, vec![message]).await;
        let error = outcome.unwrap_err();
        assert!(error.to_string().starts_with(fault), "{error}");
    }
}

#[tokio::test]
async fn a_tunnel_takes_messages_of_any_division_and_refuses_text() {
    let (near, far) = pair(Carrier::Memory).await;
    let (mut tunnel, mut server) = (Tunnel::client(near), peer(far, Role::Server).await);
    let send = async {
        for part in [&b"a"[..], b"", b"bcd", b"ef"] {
            server.send(binary(part)).await.unwrap();
        }
        server.send(Message::Ping("".into())).await.unwrap();
        server.send(binary(bytes(100_000))).await.unwrap();
        server.close(None).await.unwrap();
    };
    let mut received = Vec::new();
    let ((), read) = soon("the bytes", async { tokio::join!(send, tunnel.read_to_end(&mut received)) }).await;
    read.unwrap();
    assert!(received[..6] == *b"abcdef" && received[6..] == bytes(100_000));

    let (near, far) = pair(Carrier::Memory).await;
    let (mut tunnel, mut server) = (Tunnel::client(near), peer(far, Role::Server).await);
    server.send(Message::Text("hi".into())).await.unwrap();
    let error = soon("the error", tunnel.read_u8()).await.unwrap_err();
    assert_eq!(error.to_string(), "the peer sent a text message in a tunnel");
}
