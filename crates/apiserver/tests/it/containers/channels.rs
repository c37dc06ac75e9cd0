//! Port forwarding over channels of WebSocket, by a client that sends and receives single messages.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use klient_apiserver::{Containers, PodPort, Server};
use klient_streams::BoxError;
use klient_streams::websocket::new_key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::answer::Answer;
use crate::client::soon;
use crate::objects::PODS;
use crate::upgrades::{upgrade, websocket};

/// The end of a client, with its messages in binary or in base64.
struct Peer {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    base64: bool,
}

impl Peer {
    /// Opens a connection with a query and a protocol, or without one.
    async fn open(server: &Server, query: &str, protocol: Option<&str>) -> Result<Peer, Answer> {
        let (path, key) = (format!("{PODS}/web/portforward?{query}"), new_key());
        let headers = websocket(&key, protocol.unwrap_or_default());
        let headers = if protocol.is_some() { &headers[..] } else { &headers[..3] };
        let connection = upgrade(server, server.admin_token(), Method::GET, &path, headers).await?;
        let socket = WebSocketStream::from_raw_socket(connection, Role::Client, None).await;
        Ok(Peer { socket, base64: protocol.is_some_and(|protocol| protocol.contains("base64")) })
    }

    async fn send(&mut self, channel: u8, data: &[u8]) {
        let message = match self.base64 {
            true => Message::Text(format!("{channel}{}", STANDARD.encode(data)).into()),
            false => Message::Binary([&[channel], data].concat().into()),
        };
        self.socket.send(message).await.expect("it is sent");
    }

    /// The channel and the data of the next message; none at the end.
    async fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            match soon("a message", self.socket.next()).await?.expect("no error") {
                Message::Text(text) if self.base64 => {
                    let channel = text.as_bytes()[0] - b'0';
                    return Some((channel, STANDARD.decode(&text.as_bytes()[1..]).expect("base64")));
                }
                Message::Binary(data) if !self.base64 => return Some((data[0], data[1..].to_vec())),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// An echo at the port 80 that ends behind a line, and nothing at others. The counter is held while a connection stands.
async fn server(counter: Arc<()>) -> Server {
    let containers = Containers::default().port_forward(move |port: PodPort, mut connection| {
        let counter = counter.clone();
        async move {
            let _counter = counter;
            if port.port != 80 {
                return Err(BoxError::from(format!("nobody listens in {}/{}", port.namespace, port.pod)));
            }
            loop {
                let byte = connection.read_u8().await?;
                connection.write_all(&[byte]).await?;
                if byte == b'\n' {
                    return Ok(());
                }
            }
        }
    });
    super::server(containers).await.0
}

#[tokio::test]
async fn each_port_has_a_channel_of_data_and_one_for_its_error() {
    let server = server(Arc::default()).await;
    for protocol in
        [None, Some("v4.channel.k8s.io"), Some("v4.base64.channel.k8s.io"), Some("x, v4.channel.k8s.io")]
    {
        for query in ["ports=80,81", "ports=80&ports=81"] {
            let what = format!("{protocol:?}, {query}");
            let mut peer = Peer::open(&server, query, protocol).await.unwrap();
            let mut first = Vec::new();
            while first.len() < 4 {
                first.push(peer.receive().await.unwrap());
            }
            first.sort();
            // The ports, little endian.
            let ports = [(0, vec![80, 0]), (1, vec![80, 0]), (2, vec![81, 0]), (3, vec![81, 0])];
            assert_eq!(first, ports, "{what}");
            let error = b"error forwarding port 81: nobody listens in default/web".to_vec();
            assert_eq!(peer.receive().await, Some((3, error)), "{what}");
            // The port that failed takes nothing, and holds nobody up.
            peer.send(2, b"for nobody").await;
            peer.send(99 % 10, b"unknown").await;
            peer.send(0, b"hello\n").await;
            let mut echo = Vec::new();
            while let Some((channel, data)) = peer.receive().await {
                assert_eq!(channel, 0, "{what}");
                echo.extend(data);
            }
            // The connection has ended with the last port.
            assert_eq!(echo, b"hello\n", "{what}");
        }
    }
}

#[tokio::test]
async fn large_ports_and_a_hundred_and_twenty_eight_of_them_have_channels() {
    let server = server(Arc::default()).await;
    let ports: Vec<String> = (65408..=65535).map(|port: u32| port.to_string()).collect();
    let query = format!("ports={}", ports.join(","));
    let mut peer = Peer::open(&server, &query, Some("v4.channel.k8s.io")).await.unwrap();
    let (mut numbers, mut errors) = (0, 0);
    while let Some((channel, data)) = peer.receive().await {
        match <[u8; 2]>::try_from(&data[..]) {
            Ok(number) => {
                assert_eq!(u32::from(u16::from_le_bytes(number)), 65408 + u32::from(channel) / 2);
                numbers += 1;
            }
            Err(_) => errors += 1,
        }
    }
    assert_eq!((numbers, errors), (256, 128));
}

#[tokio::test]
async fn a_client_that_goes_ends_its_connections_to_ports() {
    let counter = Arc::new(());
    let server = server(counter.clone()).await;
    let before = Arc::strong_count(&counter);
    let mut peer = Peer::open(&server, "ports=80", Some("v4.channel.k8s.io")).await.unwrap();
    peer.send(0, b"x").await;
    while peer.receive().await != Some((0, b"x".to_vec())) {}
    assert_eq!(Arc::strong_count(&counter), before + 1);
    drop(peer);
    soon("the end of the connection", async {
        while Arc::strong_count(&counter) > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn ports_that_cannot_be_forwarded_are_refused_before_the_connection_is_switched() {
    let server = server(Arc::default()).await;
    let too_many = format!("ports={}", ["80"; 129].join(","));
    let syntax = |text: &str| {
        format!("400 cannot convert to []int32: strconv.ParseUint: parsing \"{text}\": invalid syntax")
    };
    let v4 = "v4.channel.k8s.io";
    for (query, protocol, code, text) in [
        ("", v4, 400, r#"query parameter "port" is required"#.to_owned()),
        ("ports=80,0", v4, 400, r#"port "80,0" must be > 0"#.to_owned()),
        ("ports=http", v4, 400, syntax("http")),
        ("ports=80,", v4, 400, syntax("")),
        ("ports=-1", v4, 400, syntax("-1")),
        ("ports=%2B1", v4, 400, syntax("+1")),
        (
            "ports=65536",
            v4,
            400,
            "400 cannot convert to []int32: strconv.ParseUint: parsing \"65536\": value out of range".to_owned(),
        ),
        (&too_many, v4, 400, "129 ports are requested, and channels are for 128 at most".to_owned()),
        (
            &too_many,
            "v4.base64.channel.k8s.io",
            400,
            "129 ports are requested, and channels are for 40 at most".to_owned(),
        ),
        ("ports=80", "v3.channel.k8s.io", 403, "requested protocol(s) are not supported: [v3.channel.k8s.io]".to_owned()),
        (
            "",
            "SPDY/3.1+other.k8s.io",
            403,
            "unable to upgrade: unable to negotiate protocol: client supports [other.k8s.io], server accepts \
             [portforward.k8s.io]\n"
                .to_owned(),
        ),
    ] {
        let answer = Peer::open(&server, query, Some(protocol)).await.err().expect("it is refused");
        assert_eq!(answer.status.as_u16(), code, "{query}, {protocol}");
        // Those of the kubelet are no Status.
        let is_status = text.starts_with("400 ");
        assert_eq!(if is_status { answer.refusal() } else { answer.text().to_owned() }, text);
    }
}
