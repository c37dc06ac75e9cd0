//! Port forwarding: klient's client on klient's server, over SPDY and in a tunnel over WebSocket.

use klient_streams::port_forward::{Forwarded, PortForward, Transport, serve};
use klient_streams::{BoxError, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use crate::connections::{CARRIERS, Carrier, bytes, no_tasks_remain, pair, soon};
use crate::raw_spdy::{RawFrame, RawPeer, SYN_STREAM};

const TRANSPORTS: [Transport; 2] = [Transport::Spdy, Transport::WebSocket];

/// A server on whose port 7 is an echo. Port 8 ends at once, 9 accepts and reads nothing, and nothing listens on others.
async fn start(carrier: Carrier, transport: Transport) -> (PortForward, JoinHandle<()>) {
    let (near, far) = pair(carrier).await;
    let served = tokio::spawn(async move {
        let forward = |port: u16, mut connection: Forwarded| async move {
            match port {
                7 => {
                    let (mut reader, mut writer) = tokio::io::split(&mut connection);
                    tokio::io::copy(&mut reader, &mut writer).await?;
                    Ok(())
                }
                8 => Ok(()),
                9 => std::future::pending().await,
                _ => Err(BoxError::from("connection refused")),
            }
        };
        let _ = serve(far, transport, forward).await;
    });
    (PortForward::start(near, transport), served)
}

#[tokio::test]
async fn bytes_of_any_number_go_to_a_port_and_back() {
    for carrier in CARRIERS {
        for transport in TRANSPORTS {
            for length in [0, 1, 64 * 1024, 2 * 1024 * 1024] {
                let (client, _served) = start(carrier, transport).await;
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
                assert!(received == sent, "{length} bytes, {carrier:?}, {transport:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_error_of_one_connection_leaves_the_others() {
    for transport in TRANSPORTS {
        let (client, _served) = start(Carrier::Memory, transport).await;
        let mut before = soon("connecting", client.connect(7)).await.unwrap();
        let mut refused = soon("connecting", client.connect(1)).await.unwrap();
        let error = soon("the error", refused.read_u8()).await.unwrap_err();
        assert_eq!(error.to_string(), "error forwarding port 1: connection refused");
        let mut ended = soon("connecting", client.connect(8)).await.unwrap();
        assert_eq!(soon("the end", ended.read(&mut [0; 8])).await.unwrap(), 0);
        let mut after = soon("connecting", client.connect(7)).await.unwrap();
        for connection in [&mut before, &mut after] {
            connection.write_all(b"still here").await.unwrap();
            let mut received = [0; 10];
            soon("the echo", connection.read_exact(&mut received)).await.unwrap();
            assert_eq!(&received, b"still here");
        }
    }
}

#[tokio::test]
async fn a_connection_that_nobody_reads_holds_up_no_other() {
    for transport in TRANSPORTS {
        let (client, _served) = start(Carrier::Memory, transport).await;
        let mut unread = soon("connecting", client.connect(9)).await.unwrap();
        let flood = tokio::spawn(async move { unread.write_all(&bytes(2 * 1024 * 1024)).await });
        let mut echo = soon("connecting", client.connect(7)).await.unwrap();
        for _ in 0..50 {
            echo.write_all(&[1; 1000]).await.unwrap();
            soon("the echo", echo.read_exact(&mut [0; 1000])).await.unwrap();
        }
        assert!(!flood.is_finished());
        flood.abort();
    }
}

#[tokio::test]
async fn many_connections_at_once_keep_apart() {
    let (client, _served) = start(Carrier::Tcp, Transport::WebSocket).await;
    let client = std::sync::Arc::new(client);
    let mut echoes = tokio::task::JoinSet::new();
    for number in 0..50_u8 {
        let client = client.clone();
        echoes.spawn(async move {
            let mut connection = client.connect(7).await.unwrap();
            let sent = vec![number; 10_000];
            connection.write_all(&sent).await.unwrap();
            connection.shutdown().await.unwrap();
            let mut received = Vec::new();
            connection.read_to_end(&mut received).await.unwrap();
            assert!(received == sent, "{number}");
        });
    }
    soon("all", echoes.join_all()).await;
}

#[tokio::test]
async fn a_client_that_is_dropped_leaves_no_task() {
    for transport in TRANSPORTS {
        let (client, served) = start(Carrier::Tcp, transport).await;
        let connection = soon("connecting", client.connect(9)).await.unwrap();
        drop(client);
        drop(connection);
        soon("the server", served).await.unwrap();
        no_tasks_remain(0).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_fails_connections() {
    for transport in TRANSPORTS {
        let (client, served) = start(Carrier::Memory, transport).await;
        let mut connection = soon("connecting", client.connect(9)).await.unwrap();
        served.abort();
        soon("the error", connection.read_u8()).await.unwrap_err();
        let error = soon("the error", client.connect(7)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_ends_streams_and_resets_none_leaves_room_for_others() {
    let (near, far) = pair(Carrier::Memory).await;
    // As `Close()` of Go's streams does.
    let _served = tokio::spawn(async move {
        let mut peer = RawPeer::new(far);
        while let Some(frame) = peer.read().await {
            if let RawFrame::Control { kind: SYN_STREAM, payload, .. } = frame {
                let id = u32::from_be_bytes(payload[..4].try_into().unwrap());
                peer.syn_reply(id).await;
                peer.data(id, 1, b"").await;
            }
        }
    });
    let client = PortForward::start(near, Transport::Spdy);
    for number in 0..600 {
        let mut connection = match soon("connecting", client.connect(7)).await {
            Ok(connection) => connection,
            Err(error) => panic!("{error} for connection {number}"),
        };
        assert_eq!(soon("the end", connection.read(&mut [0; 8])).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_client_that_gives_up_connecting_leaves_room_for_others() {
    let (near, far) = pair(Carrier::Memory).await;
    // It reads, and accepts nothing.
    let _served = tokio::spawn(async move {
        let mut peer = RawPeer::new(far);
        while peer.read().await.is_some() {}
    });
    let client = PortForward::start(near, Transport::Spdy);
    for number in 0..600 {
        tokio::select! {
            biased;
            connected = client.connect(7) => panic!("{connected:?} for connection {number}"),
            () = tokio::task::yield_now() => {}
        }
    }
}

#[tokio::test]
async fn a_client_with_a_live_connection_can_be_closed() {
    for transport in TRANSPORTS {
        let (client, _served) = start(Carrier::Memory, transport).await;
        let mut connection = soon("connecting", client.connect(7)).await.unwrap();
        connection.write_all(b"x").await.unwrap();
        assert_eq!(soon("the echo", connection.read_u8()).await.unwrap(), b'x');
        soon("closing", client.close()).await.unwrap();
    }
}
