//! klient's ends against those of Kubernetes' own packages, client-go and cri-streaming: `cargo xtask e2e streams` builds
//! the program in `e2e/streams` and runs these tests.

use std::process::Stdio as Pipe;

use klient_streams::port_forward::{self, PortForward, Transport};
use klient_streams::remote_command::{
    ExitStatus, Process, Protocol, Stdio, Streams, Subprotocol, TerminalSize, Version, serve,
};
use klient_streams::websocket::{accept_key, new_key};
use klient_streams::{BoxError, ErrorKind};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::connections::{bytes, soon};

const ALL: Streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };
const OUTPUT: Streams = Streams { stdin: false, ..ALL };
const TUNNEL: &str = port_forward::TUNNEL_PROTOCOL;

fn program() -> Command {
    let program =
        std::env::var_os("KLIENT_GO_STREAMS").expect("KLIENT_GO_STREAMS is the path of the program");
    let mut command = Command::new(program);
    command.stdin(Pipe::piped()).stdout(Pipe::piped()).stderr(Pipe::piped()).kill_on_drop(true);
    command
}

/// The first line that a program prints.
async fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    soon("the first line", BufReader::new(stdout).read_line(&mut line)).await.unwrap();
    line.trim().to_owned()
}

/// Go's server, and its address.
async fn go_server() -> (Child, String) {
    let mut server = program().arg("server").spawn().unwrap();
    let address = first_line(&mut server).await;
    (server, address)
}

/// A connection that Go's server has switched to a protocol.
async fn switched(address: &str, path: &str, protocol: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let upgrade = match protocol {
        spdy if !spdy.starts_with("ws ") => {
            format!("POST {path} HTTP/1.1\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: {spdy}\r\n")
        }
        websocket => format!(
            "GET {path} HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\
             Origin: http://{address}\r\nSec-WebSocket-Protocol: {}\r\n",
            new_key(),
            &websocket[3..]
        ),
    };
    let request = format!("{upgrade}Host: {address}\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    stream
}

/// The head of a request or response; what follows stays in the connection.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("a head", stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// The protocols of Go's server, each with its header.
fn protocols() -> Vec<(Protocol, String)> {
    let spdy = Version::ALL.into_iter().filter(|version| *version < Version::V5);
    let spdy = spdy.map(|version| (Protocol::Spdy(version), version.to_string()));
    let websocket = [
        (Version::V5, false),
        (Version::V4, false),
        (Version::V4, true),
        (Version::V1, false),
        (Version::V1, true),
    ];
    let websocket = websocket.map(|(version, base64)| {
        let subprotocol = Subprotocol { version, base64 };
        (Protocol::WebSocket(subprotocol), format!("ws {subprotocol}"))
    });
    spdy.chain(websocket).collect()
}

async fn process(address: &str, query: &str, header: &str, protocol: Protocol, streams: Streams) -> Process {
    let flags = [
        (streams.stdin, "input"),
        (streams.stdout, "output"),
        (streams.stderr, "error"),
        (streams.tty, "tty"),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| format!("&{name}=1"));
    let path = format!("/exec?{query}{}", flags.collect::<String>());
    let connection = switched(address, &path, header).await;
    let started = soon("the streams", Process::start(connection, protocol, streams)).await;
    started.unwrap_or_else(|error| panic!("{path}, {header}: {error}"))
}

#[tokio::test]
#[ignore = "needs a program in Go: cargo xtask e2e streams"]
async fn a_client_of_klient_runs_commands_on_a_server_in_go() {
    let (_server, address) = go_server().await;
    for (protocol, header) in protocols() {
        for code in [0, 7] {
            let query = format!("command=exit&command={code}");
            let mut process = process(&address, &query, &header, protocol, OUTPUT).await;
            let status = soon(&header, process.wait()).await;
            if protocol.version() >= Version::V4 {
                assert_eq!(status.unwrap().code(), code, "{header}");
            } else if protocol.version() > Version::V1 || matches!(protocol, Protocol::WebSocket(_)) {
                assert_eq!(status.is_ok(), code == 0, "{header}: {status:?}");
            }
        }
        let mut failed = process(&address, "command=none", &header, protocol, OUTPUT).await;
        let outcome = soon(&header, failed.wait()).await;
        if protocol.version() >= Version::V4 {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert!(error.to_string().ends_with("no such command"), "{error}");
        }
        // More than every buffer on the way.
        let flood = 3 * 1024 * 1024;
        let flooded =
            process(&address, &format!("command=flood&command={flood}"), &header, protocol, OUTPUT).await;
        let output = soon(&header, flooded.wait_with_output()).await.unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (flood, flood), "{header}");
        // Standard input goes both ways where it can end.
        if protocol.has_half_close() {
            for length in [0, 1, 64 * 1024, 10 * 1024 * 1024] {
                let mut cat = process(&address, "command=cat", &header, protocol, ALL).await;
                let sent = bytes(length);
                let mut stdin = cat.stdin.take().unwrap();
                let write = async {
                    stdin.write_all(&sent).await.unwrap();
                    drop(stdin);
                };
                let ((), output) = soon(&header, async { tokio::join!(write, cat.wait_with_output()) }).await;
                assert!(output.unwrap().stdout == sent, "{length} bytes, {header}");
            }
        }
        if protocol.version() >= Version::V3 {
            let streams = Streams { stdout: true, tty: true, ..Default::default() };
            let mut sized = process(&address, "command=size", &header, protocol, streams).await;
            sized.resize(TerminalSize { width: 80, height: 24 }).await.unwrap();
            assert_eq!(soon(&header, sized.wait_with_output()).await.unwrap().stdout, b"80x24");
        }
    }
}

#[tokio::test]
#[ignore = "needs a program in Go: cargo xtask e2e streams"]
async fn a_client_of_klient_that_reads_late_gets_everything_from_a_server_in_go() {
    let (_server, address) = go_server().await;
    let flood = 3 * 1024 * 1024;
    let query = format!("command=flood&command={flood}");
    let (protocol, header) = (Protocol::Spdy(Version::V4), "v4.channel.k8s.io");
    let mut process = process(&address, &query, header, protocol, OUTPUT).await;
    let (mut stdout, mut stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    // Go heeds no windows: the unread stream stops the connection, and reading it lets it go on.
    let (mut out, mut err) = (vec![0; 200 * 1024], Vec::new());
    soon("the output", stdout.read_exact(&mut out)).await.unwrap();
    let (read, rest) =
        soon("all", async { tokio::join!(stderr.read_to_end(&mut err), stdout.read_to_end(&mut out)) }).await;
    assert_eq!((read.unwrap(), rest.unwrap()), (flood, flood - 200 * 1024));
    assert!(soon("the end", process.wait()).await.unwrap().success());
}

#[tokio::test]
#[ignore = "needs a program in Go: cargo xtask e2e streams"]
async fn a_client_of_klient_forwards_ports_of_a_server_in_go() {
    let (_server, address) = go_server().await;
    let tunnel = format!("ws {TUNNEL}");
    for (transport, header) in
        [(Transport::Spdy, port_forward::PROTOCOL), (Transport::WebSocket, tunnel.as_str())]
    {
        let connection = switched(&address, "/portforward", header).await;
        let client = PortForward::start(connection, transport);
        for length in [0, 1, 64 * 1024, 3 * 1024 * 1024] {
            let connection = soon("connecting", client.connect(7)).await.unwrap();
            let (mut reader, mut writer) = tokio::io::split(connection);
            let sent = bytes(length);
            let write = async {
                writer.write_all(&sent).await.unwrap();
                writer.shutdown().await.unwrap();
            };
            let mut received = Vec::new();
            let read = reader.read_to_end(&mut received);
            let ((), read) = soon("the echo", async { tokio::join!(write, read) }).await;
            read.unwrap();
            assert!(received == sent, "{length} bytes, {header}");
            let mut refused = soon("connecting", client.connect(1)).await.unwrap();
            let error = soon("the refusal", refused.read_u8()).await.unwrap_err();
            assert!(error.to_string().ends_with("connection refused"), "{error}");
        }
    }
}

/// Answers one upgrade of a client in Go, and returns the connection and the header of its protocol.
async fn accept(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = soon("the client", listener.accept()).await.unwrap();
    let request = head(&mut stream).await;
    let header = |name: &str| {
        let values = request.lines().filter_map(|line| line.split_once(": "));
        values.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let (protocol, answer) = match header("Sec-WebSocket-Key") {
        Some(key) => {
            let protocol = header("Sec-WebSocket-Protocol").unwrap();
            let accept = accept_key(&key);
            let answer =
                format!("websocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}");
            (protocol, answer)
        }
        None => {
            let protocol = header("X-Stream-Protocol-Version").unwrap();
            let answer = format!("SPDY/3.1\r\nX-Stream-Protocol-Version: {protocol}");
            (protocol, answer)
        }
    };
    let answer =
        format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {answer}\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    (stream, protocol)
}

/// The command of klient's server: an echo that also writes errors, and ends with the exit code 5.
async fn echo(mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    if let Some(resizes) = &mut stdio.resizes {
        let size = resizes.next().await.ok_or("no size")?;
        let text = format!("{}x{}", size.width, size.height);
        stdio.stdout.as_mut().unwrap().write_all(text.as_bytes()).await?;
        return Ok(ExitStatus::SUCCESS);
    }
    stdio.stderr.as_mut().unwrap().write_all(b"errors").await?;
    tokio::io::copy(stdio.stdin.as_mut().unwrap(), stdio.stdout.as_mut().unwrap()).await?;
    Ok(ExitStatus::from(5))
}

#[tokio::test]
#[ignore = "needs a program in Go: cargo xtask e2e streams"]
async fn a_client_in_go_runs_commands_on_a_server_of_klient() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/exec", listener.local_addr().unwrap());
    for transport in ["websocket", "spdy"] {
        for (length, tty) in
            [(0, false), (1, false), (64 * 1024, false), (10 * 1024 * 1024, false), (0, true)]
        {
            let mut command = program();
            command.args(["exec", transport, &url]).args(tty.then_some("tty"));
            let mut child = command.spawn().unwrap();
            let (connection, chosen) = accept(&listener).await;
            let version = Version::parse(&chosen).unwrap_or_else(|| panic!("{chosen}"));
            let protocol = match transport {
                "websocket" => Protocol::WebSocket(Subprotocol { version, base64: false }),
                _ => Protocol::Spdy(version),
            };
            let streams = if tty { Streams { stdout: true, tty, ..Default::default() } } else { ALL };
            let served = tokio::spawn(serve(connection, protocol, streams, echo));
            let sent = bytes(length);
            let mut stdin = child.stdin.take().unwrap();
            let write = async {
                stdin.write_all(&sent).await.unwrap();
                drop(stdin);
            };
            let ((), output) =
                soon("the client", async { tokio::join!(write, child.wait_with_output()) }).await;
            let output = output.unwrap();
            let expected = if tty { (&b"80x24"[..], &b""[..], 0) } else { (&sent[..], &b"errors"[..], 5) };
            assert!(output.stdout == expected.0, "{transport}, {length} bytes");
            assert_eq!(
                (&output.stderr[..], output.status.code()),
                (expected.1, Some(expected.2)),
                "{transport}"
            );
            soon("the server", served).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
#[ignore = "needs a program in Go: cargo xtask e2e streams"]
async fn a_client_in_go_forwards_ports_of_a_server_of_klient() {
    for transport in ["websocket", "spdy"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/portforward", listener.local_addr().unwrap());
        let mut child = program().args(["forward", transport, &url, "7"]).spawn().unwrap();
        let (connection, chosen) = accept(&listener).await;
        let carrier = if chosen == TUNNEL { Transport::WebSocket } else { Transport::Spdy };
        assert_eq!(carrier == Transport::WebSocket, transport == "websocket");
        let served = tokio::spawn(port_forward::serve(
            connection,
            carrier,
            |port, mut forwarded: port_forward::Forwarded| async move {
                assert_eq!(port, 7);
                let (mut reader, mut writer) = tokio::io::split(&mut forwarded);
                tokio::io::copy(&mut reader, &mut writer).await?;
                Ok(())
            },
        ));
        let port: u16 = first_line(&mut child).await.parse().unwrap();
        for length in [0, 1, 64 * 1024, 3 * 1024 * 1024] {
            let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (mut reader, mut writer) = connection.split();
            let sent = bytes(length);
            let write = async {
                writer.write_all(&sent).await.unwrap();
                writer.shutdown().await.unwrap();
            };
            let mut received = Vec::new();
            let read = reader.read_to_end(&mut received);
            let ((), read) = soon("the echo", async { tokio::join!(write, read) }).await;
            read.unwrap();
            assert!(received == sent, "{length} bytes, {transport}");
        }
        drop(child.stdin.take());
        let _ = soon("the end", served).await.unwrap();
    }
}
