//! Sessions of SPDY between two klients.

use std::time::Duration;

use klient_streams::ErrorKind;
use klient_streams::spdy::{Headers, Options, Session, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connections::{CARRIERS, Carrier, bytes, no_tasks_remain, pair, soon};

async fn sessions(carrier: Carrier, options: &Options) -> (Session, Session) {
    let (near, far) = pair(carrier).await;
    (Session::client(near, options), Session::server(far, options))
}

fn headers(name: &str) -> Headers {
    [("name", name)].into_iter().collect()
}

/// Opens a stream; both ends of it.
async fn stream(client: &Session, server: &Session, name: &str) -> (Stream, Stream) {
    let accept = async { server.accept().await.unwrap().accept() };
    let (near, far) = soon("opening", async { tokio::join!(client.open(headers(name)), accept) }).await;
    (near.unwrap(), far)
}

#[tokio::test]
async fn streams_have_their_headers_and_carry_bytes_both_ways() {
    for carrier in CARRIERS {
        let (client, server) = sessions(carrier, &Options::default()).await;
        let (mut near, mut far) = stream(&client, &server, "first").await;
        assert_eq!((near.id(), far.id(), far.headers().get("NAME")), (1, 1, Some("first")));
        let sent = bytes(1024 * 1024);
        let back = async {
            let mut received = Vec::new();
            far.read_to_end(&mut received).await.unwrap();
            far.write_all(&received).await.unwrap();
            far.shutdown().await.unwrap();
        };
        let there = async {
            near.write_all(&sent).await.unwrap();
            near.shutdown().await.unwrap();
            let mut received = Vec::new();
            near.read_to_end(&mut received).await.unwrap();
            received
        };
        let (received, ()) = soon("an echo after the half-close", async { tokio::join!(there, back) }).await;
        assert!(received == sent, "{carrier:?}");
    }
}

#[tokio::test]
async fn a_stream_that_nobody_reads_holds_up_no_other_between_two_klients() {
    for carrier in CARRIERS {
        let (client, server) = sessions(carrier, &Options::default()).await;
        let (mut flooded, _unread) = stream(&client, &server, "unread").await;
        let (mut near, mut far) = stream(&client, &server, "read").await;
        let flood = tokio::spawn(async move { flooded.write_all(&bytes(4 * 1024 * 1024)).await });
        let sent = bytes(4 * 1024 * 1024);
        let write = async {
            near.write_all(&sent).await.unwrap();
            near.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let read = far.read_to_end(&mut received);
        let ((), read) = soon("the other stream", async { tokio::join!(write, read) }).await;
        assert_eq!(read.unwrap(), sent.len());
        assert!(!flood.is_finished(), "the unread stream has taken more than its buffers");
        flood.abort();
    }
}

#[tokio::test]
async fn a_reset_stream_keeps_what_had_arrived_and_fails_at_both_ends() {
    let (client, server) = sessions(Carrier::Memory, &Options::default()).await;
    let (mut near, mut far) = stream(&client, &server, "reset").await;
    far.write_all(b"last words").await.unwrap();
    far.flush().await.unwrap();
    drop(far);
    let mut received = Vec::new();
    let error = soon("the reset", near.read_to_end(&mut received)).await.unwrap_err();
    assert_eq!(received, b"last words");
    assert_eq!(error.to_string(), "the stream was reset: cancelled");
    let error = near.write_all(b"more").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    // The session goes on.
    stream(&client, &server, "another").await;
}

#[tokio::test]
async fn a_refused_stream_is_an_error_of_its_own() {
    let (client, server) = sessions(Carrier::Memory, &Options::default()).await;
    let refuse = async { drop(server.accept().await) };
    let (opened, ()) = soon("the refusal", async { tokio::join!(client.open(headers("no")), refuse) }).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Refused);
    stream(&client, &server, "yes").await;
}

#[tokio::test]
async fn streams_that_nobody_can_accept_are_refused() {
    let (near, far) = pair(Carrier::Memory).await;
    let client = Session::client(near, &Options { accept_streams: false, ..Default::default() });
    let server = Session::server(far, &Options::default());
    let error = soon("the refusal", server.open(headers("no"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.to_string(), "the peer does not accept the stream: refused");

    // A session that is dropped leaves its streams, and accepts no others.
    let (mut near, mut far) = stream(&client, &server, "yes").await;
    let waiting = async { client.open(headers("waits")).await.unwrap_err() };
    let drop_it = async {
        near.write_all(b"one").await.unwrap();
        let mut received = [0; 3];
        far.read_exact(&mut received).await.unwrap();
        drop(server);
    };
    let (error, ()) = soon("the refusal", async { tokio::join!(waiting, drop_it) }).await;
    assert_eq!(error.to_string(), "the peer does not accept the stream: refused");
    let error = soon("the refusal", client.open(headers("later"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    far.write_all(b"two").await.unwrap();
    let mut received = [0; 3];
    soon("the data", near.read_exact(&mut received)).await.unwrap();
    assert_eq!(&received, b"two");
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_by_either_end() {
    let (near, far) = pair(Carrier::Memory).await;
    let client = Session::client(near, &Options::default());
    let server = Session::server(far, &Options { max_streams: 2, ..Default::default() });
    let first = stream(&client, &server, "1").await;
    let _second = stream(&client, &server, "2").await;
    let error = soon("the limit of the server", client.open(headers("3"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    drop(first);
    stream(&client, &server, "4").await;

    let (client, server) = sessions(Carrier::Memory, &Options { max_streams: 1, ..Default::default() }).await;
    let _first = stream(&client, &server, "1").await;
    let error = client.open(headers("2")).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection has 1 streams, and opens no more");
}

#[tokio::test]
async fn a_server_opens_streams_too() {
    let (client, server) = sessions(Carrier::Memory, &Options::default()).await;
    let (mut far, mut near) = stream(&server, &client, "back").await;
    assert_eq!(near.id(), 2);
    far.write_all(b"hello").await.unwrap();
    let mut received = [0; 5];
    soon("the data", near.read_exact(&mut received)).await.unwrap();
    assert_eq!(&received, b"hello");
}

#[tokio::test]
async fn closing_sends_what_was_written_and_ends_the_other_session() {
    for carrier in CARRIERS {
        let (client, server) = sessions(carrier, &Options::default()).await;
        let (mut near, mut far) = stream(&client, &server, "last").await;
        let sent = bytes(300_000);
        let write = async {
            near.write_all(&sent).await.unwrap();
            near.shutdown().await.unwrap();
            client.close().await
        };
        let read = async {
            let mut received = Vec::new();
            far.read_to_end(&mut received).await.unwrap();
            assert!(server.accept().await.is_none());
            drop(far);
            server.ended().await.unwrap();
            drop(server);
            received
        };
        let (closed, received) = soon("the end", async { tokio::join!(write, read) }).await;
        closed.unwrap();
        assert!(received == sent, "{carrier:?}");
    }
}

#[tokio::test]
async fn no_task_remains_when_the_last_handle_is_dropped() {
    let (client, server) = sessions(Carrier::Memory, &Options::default()).await;
    let (near, far) = stream(&client, &server, "last").await;
    drop(client);
    // A stream keeps its connection.
    let (mut near, mut far) = (near, far);
    near.write_all(b"x").await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), b'x');
    drop((near, far, server));
    no_tasks_remain(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_accept_a_stream_in_time_is_an_error() {
    let (client, _server) = sessions(Carrier::Memory, &Options::default()).await;
    let error = client.open(headers("late")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "the peer did not accept a stream within 30 s");
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_closed_after_its_time() {
    let (near, far) = pair(Carrier::Memory).await;
    let silent = Options { ping_interval: None, ..Default::default() };
    let server = Session::server(far, &silent);
    let client = Session::client(near, &Options { idle_timeout: Some(Duration::from_secs(60)), ..silent });
    let (mut near, _far) = stream(&client, &server, "idle").await;
    let error = near.read_u8().await.unwrap_err();
    assert_eq!(error.to_string(), "the connection was idle for 60 s");
    assert_eq!(client.ended().await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn own_pings_and_their_answers_do_not_keep_a_session_from_being_idle() {
    let (near, far) = pair(Carrier::Memory).await;
    let _client = Session::client(near, &Options { ping_interval: None, ..Default::default() });
    let server =
        Session::server(far, &Options { idle_timeout: Some(Duration::from_secs(60)), ..Default::default() });
    let ended = tokio::time::timeout(Duration::from_secs(3600), server.ended()).await;
    assert_eq!(ended.expect("it ends").unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn pings_of_the_peer_keep_a_session_from_being_idle() {
    let times = Options { idle_timeout: Some(Duration::from_secs(60)), ..Default::default() };
    let (client, _server) = sessions(Carrier::Memory, &times).await;
    let ended = tokio::time::timeout(Duration::from_secs(3600), client.ended()).await;
    assert!(ended.is_err(), "{ended:?}");
}
