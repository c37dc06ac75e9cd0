//! Connections that a dialer opens in place of TCP.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apiserver::TestServer;
use klient_client::{Client, Config, Dialer, ErrorKind, ListOptions, Proxy, WatchOptions};
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixListener};

use crate::cluster::{config, config_map, create_two_hundred, soon, told};
use crate::front::Front;
use crate::test_proxy::{Rules, TestProxy};

/// A client of a server without a port.
fn client(server: &Arc<TestServer>) -> Client {
    let (mut config, server) = (config(server), server.clone());
    config.dialer = Some(Dialer::new(move |_, _| {
        let server = server.clone();
        async move { server.connect().await }
    }));
    Client::new(config).unwrap()
}

#[tokio::test]
async fn a_server_without_a_port_serves_clients_in_the_same_program() {
    let server = Arc::new(TestServer::start_in_memory().await.unwrap());
    let client = client(&server);
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");
    server.restart().await.unwrap();
    assert_eq!(config_maps.list(&ListOptions::default()).await.unwrap().items.len(), 1);
    server.stop().await;
    let error = config_maps.create(&config_map("sea", "blue")).await.unwrap_err();
    assert!(error.to_string().ends_with("cannot connect: connection refused"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn two_hundred_requests_at_once_are_answered_without_a_port() {
    let server = Arc::new(TestServer::start_in_memory().await.unwrap());
    let client = client(&server);
    create_two_hundred(&client).await;
}

#[tokio::test]
async fn a_unix_socket_carries_requests() {
    let server = TestServer::start().await.unwrap();
    let front = Front::proxy(&server, |_| {}).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("socket");
    let (listener, to) = (UnixListener::bind(&path).unwrap(), front.address);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                tokio::io::copy_bidirectional(&mut stream, &mut server).await
            });
        }
    });
    let at = |path| {
        let mut config = Config::from_url("http://localhost").unwrap();
        config.dialer = Some(Dialer::unix(path));
        Client::new(config).unwrap()
    };
    let client = at(path);
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");

    let missing = folder.path().join("missing");
    let error = at(missing.clone()).discovery().version().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "GET http://localhost/version?timeout=32s: cannot connect: Unix socket {}: No such file or directory (os \
             error 2)",
            missing.display()
        )
    );
}

#[tokio::test]
async fn a_dialer_is_asked_for_the_host_and_port_of_the_server_or_its_proxy() {
    let server = TestServer::start().await.unwrap();
    let proxy = TestProxy::start("http", server.address(), Rules::default()).await;
    let dialed = Arc::new(Mutex::new(Vec::new()));
    for (url, proxy_url) in [
        ("https://api.example", None),
        ("http://[fd00::1]:8080", None),
        ("http://api.example", None),
        ("https://api.example:6443", Some("socks5://proxy.example")),
        ("https://api.example:6443", Some("https://[fd00::2]")),
    ] {
        let (mut config, noting) = (Config::from_url(url).unwrap(), dialed.clone());
        config.proxy = proxy_url.map_or(Proxy::None, |url| Proxy::url(url).unwrap());
        config.dialer = Some(Dialer::new(move |host, port| {
            noting.lock().unwrap().push(format!("{host} {port}"));
            async { Err::<TcpStream, _>(io::Error::other("no network")) }
        }));
        let error = Client::new(config).unwrap().discovery().version().await.unwrap_err();
        assert!(error.to_string().ends_with(": no network"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Connect);
    }
    let expected = ["api.example 443", "fd00::1 8080", "api.example 80", "proxy.example 1080", "fd00::2 443"];
    assert_eq!(*dialed.lock().unwrap(), expected);

    let (mut through, to) = (config(&server), proxy.url(""));
    through.proxy = Proxy::url("http://proxy.example:3128").unwrap();
    let address = to.trim_start_matches("http://").to_owned();
    through.dialer = Some(Dialer::new(move |_, _| TcpStream::connect(address.clone())));
    Client::new(through).unwrap().discovery().version().await.unwrap();
    assert_eq!(proxy.requests(), [format!("CONNECT {}", server.address())]);
}

#[tokio::test]
async fn a_dialer_that_hangs_is_not_waited_for_longer_than_allowed() {
    let mut config = Config::from_url("https://api.example").unwrap();
    config.proxy = Proxy::None;
    config.timeouts.connect = Duration::from_millis(100);
    config.dialer = Some(Dialer::new(|_, _| std::future::pending::<io::Result<TcpStream>>()));
    let error = Client::new(config).unwrap().discovery().version().await.unwrap_err();
    assert!(error.is_timeout() && error.kind() == ErrorKind::Connect, "{error}");
    assert!(error.to_string().ends_with("no connection within 0.1 s"), "{error}");
}
