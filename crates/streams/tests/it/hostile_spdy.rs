//! Sessions of SPDY against peers that are not klient: those of Go, which heed no windows, and hostile ones.

use klient_streams::ErrorKind;
use klient_streams::port_forward::{PortForward, Transport};
use klient_streams::remote_command::{Process, Protocol, Streams, Version, serve};
use klient_streams::spdy::{Headers, Options, Session, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connections::{Carrier, bytes, pair, soon};
use crate::raw_spdy::{
    GOAWAY, PING, RST_STREAM, RawFrame, RawPeer, SETTINGS, SYN_REPLY, SYN_STREAM, WINDOW_UPDATE, control,
};

const REFUSED_STREAM: u32 = 3;
const CANCEL: u32 = 5;

/// A server's session, and a client that sends single frames.
async fn server() -> (Session, RawPeer) {
    let (near, far) = pair(Carrier::Memory).await;
    (Session::server(far, &Options::default()), RawPeer::new(near))
}

async fn accept(server: &Session) -> Stream {
    soon("a stream", server.accept()).await.unwrap().accept()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

#[tokio::test]
async fn a_client_sends_no_data_before_its_stream_is_accepted() {
    let (near, far) = pair(Carrier::Memory).await;
    let (client, mut peer) = (Session::client(near, &Options::default()), RawPeer::new(far));
    let open = async {
        let mut stream = client.open(Headers::from_iter([("port", "80")])).await.unwrap();
        stream.write_all(b"data").await.unwrap();
        stream
    };
    let reply = async {
        assert_eq!(peer.read_control(SETTINGS).await, numbers(&[1, 7, 256 * 1024]));
        assert_eq!(peer.read_control(SYN_STREAM).await[..4], 1_u32.to_be_bytes());
        peer.control(PING, 0, &numbers(&[2])).await;
        // Only the answer to the ping is there.
        let pong = RawFrame::Control { kind: PING, flags: 0, payload: numbers(&[2]) };
        assert_eq!(peer.read().await, Some(pong));
        peer.syn_reply(1).await;
        assert_eq!(peer.read_data().await, (1, 0, b"data".to_vec()));
    };
    soon("the stream", async { tokio::join!(open, reply) }).await;
}

/// Go's servers close the connection once they have seen the end of standard input and the command has ended. What comes
/// later makes the system discard output that is on its way.
#[tokio::test]
async fn nothing_is_sent_after_the_end_of_standard_input() {
    let (near, far) = pair(Carrier::Memory).await;
    let streams = Streams { stdin: true, stdout: true, ..Default::default() };
    let mut peer = RawPeer::new(far);
    let client = async {
        let mut process = Process::start(near, Protocol::Spdy(Version::V4), streams).await.unwrap();
        process.stdin.take().unwrap().write_all(b"all").await.unwrap();
        process
    };
    let server = async {
        for id in [1, 3, 5] {
            assert_eq!(peer.read_control(SYN_STREAM).await[..4], u32::to_be_bytes(id));
            peer.syn_reply(id).await;
        }
        assert_eq!(peer.read_data().await, (3, 0, b"all".to_vec()));
        assert_eq!(peer.read_data().await, (3, 1, b"".to_vec()));
        peer.control(PING, 0, &numbers(&[2])).await;
        let pong = RawFrame::Control { kind: PING, flags: 0, payload: numbers(&[2]) };
        assert_eq!(peer.read().await, Some(pong));
    };
    soon("the end of standard input", async { tokio::join!(client, server) }).await;
}

#[tokio::test]
async fn a_peer_without_windows_gets_data_without_waiting_for_them() {
    let (server, mut peer) = server().await;
    peer.syn_stream(1, &[]).await;
    let mut stream = accept(&server).await;
    let sent = bytes(2 * 1024 * 1024);
    let expected = sent.clone();
    let write = async {
        stream.write_all(&sent).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let read = async {
        let mut received = Vec::new();
        loop {
            let (id, flags, data) = peer.read_data().await;
            assert_eq!(id, 1);
            received.extend_from_slice(&data);
            if flags == 1 {
                return received;
            }
        }
    };
    let ((), received) = soon("the data", async { tokio::join!(write, read) }).await;
    assert!(received == expected);
}

#[tokio::test]
async fn a_peer_without_windows_is_not_read_on_while_a_stream_is_full() {
    let (server, mut peer) = server().await;
    peer.syn_stream(1, &[]).await;
    peer.syn_stream(3, &[]).await;
    let (mut full, mut other) = (accept(&server).await, accept(&server).await);
    let sent = bytes(1024 * 1024);
    let expected = sent.clone();
    let send = tokio::spawn(async move {
        for part in sent.chunks(32 * 1024) {
            peer.data(1, 0, part).await;
        }
        peer.data(3, 1, b"behind").await;
        peer
    });
    let mut behind = Vec::new();
    let mut received = vec![0; expected.len()];
    {
        // The other stream gets its data when no more than a buffer of the full one is unread.
        let mut read_other = std::pin::pin!(other.read_to_end(&mut behind));
        tokio::select! {
            biased;
            read = &mut read_other => panic!("data came past a full stream: {read:?}"),
            read = full.read_exact(&mut received[..512 * 1024]) => read.map(drop).unwrap(),
        }
        full.read_exact(&mut received[512 * 1024..]).await.unwrap();
        soon("the other stream", read_other).await.unwrap();
    }
    assert!(received == expected && behind == b"behind");
    let mut peer = soon("the peer", send).await.unwrap();

    // Dropping a stream makes room as well.
    let send = tokio::spawn(async move {
        for part in bytes(1024 * 1024).chunks(32 * 1024) {
            peer.data(1, 0, part).await;
        }
        peer.syn_stream(5, &[]).await;
        peer
    });
    drop(full);
    soon("the next stream", server.accept()).await.unwrap().accept();
    soon("the peer", send).await.unwrap();
}

#[tokio::test]
async fn windows_are_heeded_and_widened_for_a_peer_that_announces_its_own() {
    let (server, mut peer) = server().await;
    peer.control(SETTINGS, 0, &numbers(&[1, 7, 1000])).await;
    peer.syn_stream(1, &[]).await;
    let mut stream = accept(&server).await;
    stream.write_all(&bytes(1500)).await.unwrap();
    assert_eq!(soon("the window", peer.read_data()).await.2.len(), 1000);
    peer.control(PING, 0, &numbers(&[1])).await;
    let pong = RawFrame::Control { kind: PING, flags: 0, payload: numbers(&[1]) };
    assert_eq!(soon("the pong", peer.read()).await, Some(pong));
    peer.control(WINDOW_UPDATE, 0, &numbers(&[1, 600])).await;
    assert_eq!(soon("the rest", peer.read_data()).await.2.len(), 500);

    // What is read is given back once it is half of the window.
    peer.data(1, 0, &bytes(128 * 1024)).await;
    let mut received = vec![0; 128 * 1024];
    stream.read_exact(&mut received).await.unwrap();
    let update = soon("the update", peer.read_control(WINDOW_UPDATE)).await;
    assert_eq!(update[..4], 1_u32.to_be_bytes());

    // More than the window resets the stream.
    let send = async {
        for part in bytes(512 * 1024).chunks(32 * 1024) {
            peer.data(1, 0, part).await;
        }
        peer.read_control(RST_STREAM).await
    };
    assert_eq!(soon("the reset", send).await, numbers(&[1, 7]));
}

#[tokio::test]
async fn frames_for_unknown_streams_are_dropped() {
    let (server, mut peer) = server().await;
    peer.data(7, 0, b"for nobody").await;
    peer.control(RST_STREAM, 0, &numbers(&[9, CANCEL])).await;
    peer.control(WINDOW_UPDATE, 0, &numbers(&[9, 5])).await;
    peer.control(WINDOW_UPDATE, 0, &numbers(&[0, 5])).await;
    peer.syn_reply(9).await;
    peer.syn_stream(11, &[]).await;
    accept(&server).await;
}

#[tokio::test]
async fn a_violation_of_the_protocol_ends_the_session_with_a_goaway() {
    let (_, mut helper) = server().await;
    let half_a_block = helper.block(&[("port", "80")]);
    let half_a_block = half_a_block[..half_a_block.len() / 2].to_vec();
    let bomb = RawPeer::new(pair(Carrier::Memory).await.0).compressed(&vec![0; 16 * 1024 * 1024]);
    assert!(bomb.len() < 32 * 1024);
    let syn =
        |id: u32, block: &[u8]| control(SYN_STREAM, 0, &[&numbers(&[id, 0]), &[0, 0][..], block].concat());
    let cases: [(Vec<u8>, &str); 5] = [
        (syn(1, &half_a_block), "a header block"),
        (syn(1, &bomb), "a header block is larger than 65536 bytes"),
        (control(SYN_STREAM, 0, &vec![0; 100_000])[..8].to_vec(), "a control frame is larger than"),
        (syn(2, &helper_block(&[])), "the peer opens the stream 2 after 0"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100), "the connection was closed within a frame"),
    ];
    for (bytes, fault) in cases {
        let (server, mut peer) = server().await;
        peer.send(&bytes).await;
        if fault.starts_with("the connection") {
            // The first letters are the id and the length of a data frame that never ends.
            drop(peer);
            let error = soon(fault, server.ended()).await.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Connection, fault));
            continue;
        }
        let goaway = soon(fault, peer.read_control(GOAWAY)).await;
        assert_eq!(goaway[4..], 1_u32.to_be_bytes(), "{fault}");
        let error = soon(fault, server.ended()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().starts_with(fault), "{error}");
        assert!(server.accept().await.is_none());
    }
}

fn helper_block(headers: &[(&str, &str)]) -> Vec<u8> {
    RawPeer::new(Box::new(tokio::io::duplex(1).0)).block(headers)
}

#[tokio::test]
async fn a_stream_id_that_does_not_grow_is_a_violation() {
    let (server, mut peer) = server().await;
    peer.syn_stream(5, &[]).await;
    peer.syn_stream(3, &[]).await;
    accept(&server).await;
    let error = soon("the end", server.ended()).await.unwrap_err();
    assert_eq!(error.to_string(), "the peer opens the stream 3 after 5");
}

#[tokio::test]
async fn a_peer_that_asks_for_answers_and_does_not_read_them_is_cut_off() {
    let (server, mut peer) = server().await;
    let pings = control(PING, 0, &numbers(&[1])).repeat(5000);
    let flood = tokio::spawn(async move {
        peer.send(&pings).await;
        peer
    });
    let error = soon("the end", server.ended()).await.unwrap_err();
    assert_eq!(error.to_string(), "the peer does not read the answers to its frames");
    flood.abort();
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_leave_nothing() {
    let (server, mut peer) = server().await;
    for id in (1..4001).step_by(2) {
        peer.syn_stream(id, &[]).await;
        peer.control(RST_STREAM, 0, &numbers(&[id, CANCEL])).await;
    }
    peer.syn_stream(4001, &[]).await;
    let read = async { while peer.read().await != Some(reply(4001)) {} };
    let accepted = async {
        loop {
            let stream = server.accept().await.unwrap().accept();
            if stream.id() == 4001 {
                return stream;
            }
        }
    };
    soon("the last stream", async {
        tokio::select! {
            () = read => panic!("the reply comes after the stream is accepted"),
            stream = accepted => stream,
        }
    })
    .await;
}

fn reply(id: u32) -> RawFrame {
    RawFrame::Control { kind: SYN_REPLY, flags: 0, payload: numbers(&[id]) }
}

/// Opens twice as many streams as a connection has, and sends on each; all are refused as they come.
async fn open_in_vain(peer: &mut RawPeer, first: u32) {
    for id in (first..).step_by(2).take(1024) {
        peer.syn_stream(id, &[("port", "80")]).await;
        peer.data(id, 0, &bytes(1024)).await;
        let refused = soon("the refusal", peer.read_control(RST_STREAM)).await;
        assert_eq!(refused, numbers(&[id, REFUSED_STREAM]));
    }
}

#[tokio::test]
async fn clients_refuse_the_streams_that_a_server_opens() {
    let (near, far) = pair(Carrier::Memory).await;
    let mut peer = RawPeer::new(far);
    let streams = Streams { stdout: true, ..Default::default() };
    let start = Process::start(near, Protocol::Spdy(Version::V4), streams);
    let serve = async {
        open_in_vain(&mut peer, 2).await;
        peer.syn_reply(1).await;
        peer.syn_reply(3).await;
        open_in_vain(&mut peer, 4000).await;
        peer.data(3, 1, b"hello").await;
        peer.data(1, 1, br#"{"status":"Success"}"#).await;
    };
    let (process, ()) = tokio::join!(start, serve);
    let output = soon("the output", process.unwrap().wait_with_output()).await.unwrap();
    assert_eq!(output.stdout, b"hello");

    let (near, far) = pair(Carrier::Memory).await;
    let (_forward, mut peer) = (PortForward::start(near, Transport::Spdy), RawPeer::new(far));
    open_in_vain(&mut peer, 2).await;
}

#[tokio::test]
async fn a_command_refuses_streams_that_it_does_not_have() {
    let (near, far) = pair(Carrier::Memory).await;
    let mut peer = RawPeer::new(near);
    let streams = Streams { stdout: true, ..Default::default() };
    let served = serve(far, Protocol::Spdy(Version::V4), streams, |_| std::future::pending::<Result<_, _>>());
    let client = async {
        peer.syn_stream(1, &[("streamtype", "error")]).await;
        peer.syn_stream(3, &[("streamtype", "stdout")]).await;
        assert_eq!(peer.read_control(SYN_REPLY).await[..4], 1_u32.to_be_bytes());
        assert_eq!(peer.read_control(SYN_REPLY).await[..4], 3_u32.to_be_bytes());
        open_in_vain(&mut peer, 5).await;
    };
    tokio::select! {
        served = served => panic!("the command has ended: {served:?}"),
        () = client => {}
    }
}

#[tokio::test]
async fn a_goaway_ends_the_session_when_its_streams_have_ended() {
    let (server, mut peer) = server().await;
    peer.syn_stream(1, &[]).await;
    let mut stream = accept(&server).await;
    peer.control(GOAWAY, 0, &numbers(&[0, 0])).await;
    assert!(soon("no more streams", server.accept()).await.is_none());
    peer.data(1, 1, b"rest").await;
    let mut received = String::new();
    soon("the rest", stream.read_to_string(&mut received)).await.unwrap();
    assert_eq!(received, "rest");
    stream.shutdown().await.unwrap();
    soon("the end", server.ended()).await.unwrap();
    let error = server.open(Headers::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn a_peer_that_hangs_up_fails_reads_and_writes() {
    let (server, mut peer) = server().await;
    peer.syn_stream(1, &[]).await;
    let mut stream = accept(&server).await;
    peer.data(1, 0, b"rest").await;
    drop(peer);
    let mut received = Vec::new();
    let error = soon("the end", stream.read_to_end(&mut received)).await.unwrap_err();
    assert_eq!(received, b"rest");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), "the connection was closed before the stream ended");
    let error = soon("the write", stream.write_all(&bytes(200_000))).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

/// As with a TCP socket: servers reset both streams of a forwarded connection when its port has closed it.
#[tokio::test]
async fn the_end_of_a_stream_that_the_peer_has_closed_is_no_error() {
    for status in [CANCEL, REFUSED_STREAM] {
        for is_lost in [false, true] {
            let (near, far) = pair(Carrier::Memory).await;
            let (client, mut peer) = (Session::client(near, &Options::default()), RawPeer::new(far));
            let (stream, ()) = soon("the stream", async {
                tokio::join!(client.open(Headers::from_iter([("port", "80")])), async {
                    peer.read_control(SYN_STREAM).await;
                    peer.control(SETTINGS, 0, &numbers(&[1, 7, 4])).await;
                    peer.syn_reply(1).await;
                })
            })
            .await;
            let mut stream = stream.unwrap();
            soon("the request", stream.write_all(if is_lost { b"request" } else { b"ask!" })).await.unwrap();
            assert_eq!(soon("data", peer.read_data()).await.0, 1);
            peer.data(1, 0, b"response").await;
            peer.data(1, 1, b"").await;
            peer.control(RST_STREAM, 0, &numbers(&[1, status])).await;
            peer.control(PING, 0, &numbers(&[2])).await;
            soon("the answer", peer.read_control(PING)).await;
            let mut response = Vec::new();
            soon("the response", stream.read_to_end(&mut response)).await.unwrap();
            assert_eq!(response, b"response");
            let results = [soon("flushing", stream.flush()).await, soon("the end", stream.shutdown()).await];
            let is_error = is_lost || status != CANCEL;
            assert!(
                results.iter().all(|result| result.is_err() == is_error),
                "{status} {is_lost}: {results:?}"
            );
            let error = soon("writing", stream.write_all(b"more")).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        }
    }
}
