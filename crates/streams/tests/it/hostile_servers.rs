//! Servers that are hostile to a client of ports or of a command: memory is bounded, the client gets one clear error, what is
//! not concerned goes on, and no task remains.

use std::time::Duration;

use klient_streams::port_forward::{PortConnection, PortForward, Transport};
use klient_streams::remote_command::{ExitStatus, Process, Protocol, Stdio, Streams, Version, serve};
use klient_streams::{Connection, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connections::{Carrier, no_tasks_remain, pair, soon};
use crate::raw_spdy::{
    GOAWAY, PING, RST_STREAM, RawPeer, SETTINGS, SYN_REPLY, SYN_STREAM, WINDOW_UPDATE, control,
};

const HEADERS: u16 = 8;
const STREAMS: Streams = Streams { stdin: true, stdout: true, stderr: true, tty: false };

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn data(id: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&numbers(&[id, u32::from(flags) << 24 | length]), data].concat()
}

/// A client with two connections to ports, whose data is on the streams 3 and 7, and its server, which begins with some bytes.
async fn forwarded(greeting: &[u8]) -> (PortForward, [PortConnection; 2], RawPeer) {
    let (near, far) = pair(Carrier::Memory).await;
    let (client, mut server) = (PortForward::start(near, Transport::Spdy), RawPeer::new(far));
    server.send(greeting).await;
    let connect = async {
        let first = client.connect(80).await.unwrap();
        let second = client.connect(81).await.unwrap();
        [first, second]
    };
    let accept = async {
        for id in [1, 3, 5, 7] {
            assert_eq!(server.read_control(SYN_STREAM).await[..4], u32::to_be_bytes(id));
            server.syn_reply(id).await;
        }
    };
    let (connections, ()) = soon("two connections", async { tokio::join!(connect, accept) }).await;
    (client, connections, server)
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Reads a connection to its end, and returns its error, if it has one.
async fn outcome(connection: &mut PortConnection) -> String {
    let mut read = Vec::new();
    match soon("the end of a connection", connection.read_to_end(&mut read)).await {
        Ok(_) => format!("{} bytes", read.len()),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_concern_one_connection_leave_the_other() {
    let end = data(3, 1, b"");
    let wide = control(WINDOW_UPDATE, 0, &numbers(&[3, 0x7fff_ffff])).repeat(3);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("data for unknown streams", [data(9, 0, b"a"), data(2, 1, b"a"), end.clone()].concat(), "0 bytes"),
        (
            "resets of unknown streams",
            [control(RST_STREAM, 0, &numbers(&[99, 1])), end.clone()].concat(),
            "0 bytes",
        ),
        (
            "a flood of resets",
            control(RST_STREAM, 0, &numbers(&[3, 5])).repeat(10_000),
            "the stream was reset: cancelled",
        ),
        ("a flood of empty data", [data(3, 0, b"").repeat(100_000), end.clone()].concat(), "0 bytes"),
        ("data behind the end", [end.clone(), data(3, 0, b"more").repeat(100)].concat(), "0 bytes"),
        ("windows of a server that has none", [wide, end.clone()].concat(), "0 bytes"),
        (
            "a window of unknown streams",
            [control(WINDOW_UPDATE, 0, &numbers(&[98, 1])), end.clone()].concat(),
            "0 bytes",
        ),
        ("a frame of an unknown kind", [control(77, 0, b"what"), end.clone()].concat(), "0 bytes"),
        (
            "settings again and again",
            [control(SETTINGS, 0, &numbers(&[1, 7, 65536])).repeat(1000), end.clone()].concat(),
            "0 bytes",
        ),
    ];
    for (what, attack, expected) in cases {
        let before = tasks();
        let (client, [mut first, mut second], mut server) = forwarded(&[]).await;
        let serving = async {
            server.send(&attack).await;
            server.send(&data(7, 1, b"hello")).await;
            // Answers are read until the client is gone.
            while server.read().await.is_some() {}
        };
        let using = async {
            let ended = outcome(&mut first).await;
            let other = outcome(&mut second).await;
            drop((client, first, second));
            (ended, other)
        };
        let (ended, ()) = soon(what, async { tokio::join!(using, serving) }).await;
        assert_eq!(ended, (expected.to_owned(), "5 bytes".to_owned()), "{what}");
        no_tasks_remain(before).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_overflows_resets_its_stream() {
    let before = tasks();
    let settings = control(SETTINGS, 0, &numbers(&[1, 7, 65536]));
    let (client, [mut first, mut second], mut server) = forwarded(&settings).await;
    server.send(&control(WINDOW_UPDATE, 0, &numbers(&[3, 0x7fff_ffff])).repeat(3)).await;
    server.send(&data(7, 1, b"hello")).await;
    assert_eq!(outcome(&mut first).await, "the stream was reset: more data than its window");
    assert_eq!(outcome(&mut second).await, "5 bytes");
    drop((client, first, second));
    no_tasks_remain(before).await;
}

#[tokio::test]
async fn violations_are_one_error_of_all_connections() {
    type Attack = fn(&mut RawPeer) -> Vec<u8>;
    let cases: [(&str, Attack, &str); 10] = [
        (
            "garbage for a header block",
            |_| headers(3, b"\xff\xff\xff\xff"),
            "a header block cannot be decompressed",
        ),
        (
            "half a header block",
            |server| {
                let block = server.block(&[("port", "80")]);
                headers(3, &block[..block.len() / 2])
            },
            "a header block ends within a header",
        ),
        (
            "a compression bomb",
            |server| headers(3, &server.compressed(&vec![0; 16 * 1024 * 1024])),
            "a header block is larger than 65536 bytes",
        ),
        (
            "a control frame without end",
            |_| control(SETTINGS, 0, &vec![0; 200_000]),
            "a control frame is larger than 66560 bytes",
        ),
        (
            "a stream with a number of the client",
            |server| syn(9, &server.block(&[])),
            "the peer opens the stream 9 after 0",
        ),
        (
            "streams that go backwards",
            |server| [syn(4, &server.block(&[])), syn(2, &server.block(&[]))].concat(),
            "the peer opens the stream 2 after 4",
        ),
        (
            "a cut within a frame",
            |_| data(3, 0, b"abc")[..9].to_vec(),
            "the connection was closed within a frame",
        ),
        (
            "another protocol",
            |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "the connection was closed within a frame",
        ),
        (
            "a goodbye",
            |_| control(GOAWAY, 0, &numbers(&[0, 0])),
            "the connection was closed before the stream ended",
        ),
        ("a ping that is too short", |_| control(PING, 0, b"a"), "a control frame is too short"),
    ];
    for (what, attack, expected) in cases {
        let before = tasks();
        let (client, [mut first, mut second], mut server) = forwarded(&[]).await;
        let attack = attack(&mut server);
        let serving = async {
            // The client may end the connection within it.
            let _ = server.try_send(&attack).await;
            drop(server);
        };
        let using = async {
            let ended = [outcome(&mut first).await, outcome(&mut second).await];
            let late = client.connect(82).await.unwrap_err();
            drop((client, first, second));
            (ended, late)
        };
        let ((ended, late), ()) = soon(what, async { tokio::join!(using, serving) }).await;
        assert_eq!(ended, [expected, expected], "{what}");
        let late_words = if what == "a goodbye" { "the connection is closed" } else { expected };
        assert_eq!(late.to_string(), late_words, "{what}");
        no_tasks_remain(before).await;
    }
}

fn headers(id: u32, block: &[u8]) -> Vec<u8> {
    control(HEADERS, 0, &[&numbers(&[id]), block].concat())
}

fn syn(id: u32, block: &[u8]) -> Vec<u8> {
    control(SYN_STREAM, 0, &[&numbers(&[id, 0]), &[0, 0][..], block].concat())
}

#[tokio::test]
async fn a_flood_that_nobody_reads_is_bounded() {
    let before = tasks();
    let (client, [first, second], mut server) = forwarded(&[]).await;
    let mut taken = 0_usize;
    let part = data(3, 0, &[0; 4096]);
    let flood = async {
        loop {
            server.send(&part).await;
            taken += part.len();
        }
    };
    // Bytes that are not taken after so many turns wait for a reader.
    let settled = async {
        for _ in 0..100_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = flood => {}
        () = settled => {}
    }
    // A buffer of 256 KiB, and what is under way.
    assert!((200_000..700_000).contains(&taken), "{taken} bytes");
    drop((client, first, second));
    no_tasks_remain(before).await;
}

/// Sends bytes one by one, one per second.
async fn trickle(connection: &mut (impl tokio::io::AsyncWrite + Unpin), bytes: &[u8]) {
    for byte in bytes {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if connection.write_all(&[*byte]).await.is_err() {
            return;
        }
    }
}

/// A server frame of WebSocket with a message.
fn message(bytes: &[u8]) -> Vec<u8> {
    [&[0x82, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

#[tokio::test(start_paused = true)]
async fn a_server_of_one_byte_per_second_is_understood() {
    let before = tasks();
    let (near, mut far) = pair(Carrier::Memory).await;
    let process = Process::start(near, Protocol::WEBSOCKET_V5, STREAMS).await.unwrap();
    let status = b"\x03{\"status\":\"Success\"}";
    let bytes = [message(b"\x01out"), message(status), vec![0x88, 2, 3, 0xe8]].concat();
    let output = tokio::time::timeout(Duration::from_secs(3600), async {
        tokio::join!(process.wait_with_output(), trickle(&mut far, &bytes)).0
    });
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success() && output.stdout == b"out");
    drop(far);
    no_tasks_remain(before).await;

    let (near, mut far) = pair(Carrier::Memory).await;
    let client = PortForward::start(near, Transport::Spdy);
    let mut helper = RawPeer::new(Box::new(tokio::io::duplex(1).0));
    let reply = |id: u32, block: &[u8]| control(SYN_REPLY, 0, &[&numbers(&[id]), block].concat());
    let (one, two) = (helper.block(&[]), helper.block(&[]));
    far.write_all(&[reply(1, &one), reply(3, &two)].concat()).await.unwrap();
    let mut connection = client.connect(80).await.unwrap();
    let bytes = [data(3, 0, b"hello"), data(3, 1, b"")].concat();
    let (ended, ()) = tokio::join!(outcome(&mut connection), trickle(&mut far, &bytes));
    assert_eq!(ended, "5 bytes");
    // A stream that is not accepted within half a minute is an error, whatever trickles.
    let pings = control(PING, 0, &numbers(&[2])).repeat(100);
    let error = tokio::select! {
        opened = client.connect(81) => opened.unwrap_err(),
        () = trickle(&mut far, &pings) => panic!("it waits for ever"),
    };
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    drop((client, connection, far));
    no_tasks_remain(before).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_of_one_byte_per_second_is_understood() {
    let before = tasks();
    for protocol in [Protocol::WEBSOCKET_V5, Protocol::Spdy(Version::V4)] {
        let (mut near, far) = pair(Carrier::Memory).await;
        let streams = Streams { stdin: true, stdout: true, ..Streams::default() };
        let command = |mut stdio: Stdio| async move {
            let mut input = String::new();
            stdio.stdin.as_mut().unwrap().read_to_string(&mut input).await?;
            Ok(ExitStatus::from(u8::try_from(input.len())?))
        };
        let bytes = if protocol == Protocol::WEBSOCKET_V5 {
            // Masked with zeros.
            let masked = |bytes: &[u8]| {
                [&[0x82, 0x80 | u8::try_from(bytes.len()).unwrap(), 0, 0, 0, 0], bytes].concat()
            };
            [masked(b"\x00hello"), masked(b"\xff\x00")].concat()
        } else {
            let mut helper = RawPeer::new(Box::new(tokio::io::duplex(1).0));
            let mut opening = Vec::new();
            for (id, name) in [(1_u32, "error"), (3, "stdin"), (5, "stdout")] {
                let block = helper.block(&[("streamtype", name)]);
                opening.extend(control(SYN_STREAM, 0, &[&numbers(&[id, 0]), &[0, 0][..], &block].concat()));
            }
            near.write_all(&opening).await.unwrap();
            [data(3, 0, b"hello"), data(3, 1, b"")].concat()
        };
        let served = serve(far, protocol, streams, command);
        let (mut reader, mut writer) = tokio::io::split(near);
        let client = async {
            trickle(&mut writer, &bytes).await;
            let mut rest = Vec::new();
            let closing = tokio::time::timeout(Duration::from_secs(60), reader.read_to_end(&mut rest));
            let _ = closing.await;
            drop(reader);
        };
        let hour = Duration::from_secs(3600);
        let (status, ()) = tokio::time::timeout(hour, async { tokio::join!(served, client) }).await.unwrap();
        assert_eq!(status.unwrap().code(), 5, "{protocol}");
    }
    no_tasks_remain(before).await;
}

#[tokio::test]
async fn frames_that_are_no_websocket_are_one_error() {
    let oversize = [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a fragment of a ping", vec![0x09, 1, b'a'], "Fragmented control frame"),
        ("a ping that is too long", [&[0x89, 126, 0, 200][..], &[0; 200]].concat(), "Control frame too big"),
        ("reserved bits", vec![0xf2, 1, 1], "Reserved bits are non-zero"),
        ("a reserved kind", vec![0x83, 1, 1], "Encountered invalid opcode: 3"),
        ("a continuation of nothing", vec![0x80, 1, 1], "Continue frame but nothing to continue"),
        (
            "a beginning within a message",
            [vec![0x02, 1, 1], vec![0x82, 1, 1]].concat(),
            "While waiting for more fragments received",
        ),
        ("a masked message", vec![0x82, 0x81, 0, 0, 0, 0, 1], "Received a masked frame from server"),
        ("a message without end", oversize, "a message is too large"),
        ("a text", [&[0x81, 2][..], b"hi"].concat(), "the peer sent a text message"),
        ("a text that is no text", vec![0x81, 1, 0xff], "invalid utf-8 sequence"),
        ("another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n".repeat(9), "Reserved bits are non-zero"),
        (
            "fragments without end",
            [
                [&[0x02, 126, 0xff, 0xff][..], &[1; 65535]].concat(),
                [&[0x00, 126, 0xff, 0xff][..], &[1; 65535]].concat().repeat(80),
            ]
            .concat(),
            "a message is too large",
        ),
    ];
    for (what, attack, expected) in cases {
        for is_tunnel in [false, true] {
            let before = tasks();
            let (near, far) = pair(Carrier::Memory).await;
            let attacking = attack_with(far, &attack);
            let error = if is_tunnel {
                let client = PortForward::start(near, Transport::WebSocket);
                let (error, ()) = soon(what, async { tokio::join!(client.connect(80), attacking) }).await;
                error.unwrap_err()
            } else {
                let mut process = Process::start(near, Protocol::WEBSOCKET_V5, STREAMS).await.unwrap();
                let (ended, ()) = soon(what, async { tokio::join!(process.wait(), attacking) }).await;
                ended.unwrap_err()
            };
            assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error}");
            assert!(error.to_string().contains(expected), "{what}: {error}");
            no_tasks_remain(before).await;
        }
    }
}

/// Sends bytes, and reads what comes until the client is gone.
async fn attack_with(connection: Box<dyn Connection>, bytes: &[u8]) {
    let (mut reader, mut writer) = tokio::io::split(connection);
    // The client may be gone before it has all.
    let _ = writer.write_all(bytes).await;
    let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
}

#[tokio::test]
async fn a_server_that_sends_pings_and_reads_no_pongs_takes_no_memory() {
    let before = tasks();
    let (near, far) = pair(Carrier::Memory).await;
    let process = Process::start(near, Protocol::WEBSOCKET_V5, STREAMS).await.unwrap();
    let (reader, mut writer) = tokio::io::split(far);
    // Of the pings that are not answered yet, the client keeps one.
    let pings = [0x89, 1, b'a'].repeat(1000);
    soon("the pings", async {
        for _ in 0..100 {
            writer.write_all(&pings).await.unwrap();
        }
        writer.write_all(&message(b"\x03{\"status\":\"Success\"}")).await.unwrap();
    })
    .await;
    let mut process = process;
    assert!(soon("the status", process.wait()).await.unwrap().success());
    drop((process, reader, writer));
    no_tasks_remain(before).await;
}
