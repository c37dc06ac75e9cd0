//! Limits of requests and streams.

use std::ops::Range;
use std::time::Duration;

use http::Method;
use klient_api::core::v1::Pod;
use klient_client::{Client, Config, Credentials, ExecOptions};
use klient_gateway::{Gateway, Limits, Options};
use serde_json::json;

use crate::stage::{MAPS, Stage, soon};

#[tokio::test(flavor = "multi_thread")]
async fn streams_bodies_and_informers_are_limited() {
    let limits = Limits { streams_per_client: 2, body_bytes: 2000, informers: 1, ..Limits::default() };
    let stage = Stage::start(Options { limits, writes: true, ..Options::default() }).await;
    let path = "/v1/changes/core/v1/configmaps";
    let [first, _second] = [stage.events(path).await, stage.events(path).await];
    assert_eq!(stage.get(path).await.failure(), (429, "too_many_streams".to_owned()));
    for watch in ["pods?watch=true", "pods?watch", "pods?watch=f", "pods?watch=&watch=false", "watch/pods"] {
        let answer = stage.get(&format!("/api/v1/{watch}")).await;
        assert_eq!(answer.failure(), (429, "too_many_streams".to_owned()), "{watch}");
    }
    assert_eq!(stage.get("/v1/table/core/v1/pods").await.failure(), (503, "too_many_kinds".to_owned()));
    drop(first);
    soon("room for a stream", async {
        while stage.metric("klient_gateway_streams").await > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stage.events(path).await;
    let large = json!({ "metadata": { "name": "large" }, "data": { "text": "x".repeat(3000) } }).to_string();
    for path in [MAPS, "/v1/diff"] {
        let request = stage.request(path).method(Method::POST).header("content-type", "application/json");
        assert_eq!(stage.send(request.body(large.clone()).unwrap()).await.status, 413, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_counts_as_a_stream_until_it_ends() {
    let limits = Limits { streams_per_client: 1, ..Limits::default() };
    let stage = Stage::start(Options { limits, exec: true, ..Options::default() }).await;
    let pod = json!({ "metadata": { "name": "web" }, "spec": { "containers": [{ "name": "web", "image": "web" }] } });
    stage.create("/api/v1/namespaces/default/pods", pod).await;
    let mut config = Config::from_url(&format!("http://{}", stage.address)).unwrap();
    config.credentials = Credentials::token(stage.gateway.token().unwrap());
    let pods = Client::new(config).unwrap().api::<Pod>().namespace("default");
    let exec = ExecOptions { stdin: true, ..ExecOptions::default() };
    let shell = pods.exec("web", ["cat"], &exec).await.unwrap();
    assert_eq!(stage.metric("klient_gateway_streams").await, 1);
    assert_eq!(stage.get("/v1/changes/core/v1/pods").await.failure(), (429, "too_many_streams".to_owned()));
    drop(shell);
    soon("the end of the shell", async {
        while stage.metric("klient_gateway_streams").await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stage.events("/v1/changes/core/v1/pods").await;
}

#[tokio::test]
async fn a_connection_on_which_no_request_comes_is_closed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    let client = Client::new(Config::from_url("http://localhost:1").unwrap()).unwrap();
    let gateway = Gateway::new(client, Options::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(gateway.serve(listener, std::future::pending()));
    let mut open = Vec::new();
    for begin in ["", "PRI", "GET / HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        open.push((begin, stream));
    }
    // They are accepted in their order.
    let mut answer = [0; 15];
    let (_, last) = open.last_mut().unwrap();
    soon("the answer", last.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(150)).await;
    for (begin, mut stream) in open {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(600), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{begin:?} keeps a connection open");
    }
    serving.abort();
}

/// The resident memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// The sockets have room for a part of what is sent, and the gateway keeps the rest once for all of them: 1,000 streams that do
/// not read, times 500 changes of a kilobyte, would be 500 MB.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_streams_that_are_not_read_take_memory_for_one() {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpStream;

    // As many as there are file descriptors for: two each.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files = files.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX);
    let count = 1000.min((files - 200) / 2);
    let limits = Limits { history: 64, ..Limits::default() };
    let stage = Stage::start(Options { limits, ..Options::default() }).await;
    let mut reading = stage.events("/v1/changes/core/v1/configmaps").await;
    let token = stage.gateway.token().unwrap();
    let request = format!(
        "GET /v1/changes/core/v1/configmaps HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
        stage.address
    );
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(stage.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    soon("all streams", async {
        while stage.metric("klient_gateway_streams").await <= count as u64 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let before = resident();
    let labels = json!({ "a": "x".repeat(60), "b": "y".repeat(60) });
    let mut seen = 0;
    for at in 0..500 {
        stage.config_map(&format!("{at:04}-{}", "n".repeat(200)), labels.clone()).await;
        // Those who read get everything, whatever the others do.
        if reading.words().await != "reset" {
            seen += 1;
        }
    }
    assert!(seen > 0);
    let grown = resident().saturating_sub(before);
    assert!(grown < 128 << 20, "{} MiB for streams that are not read", grown >> 20);
    assert_eq!(stage.metric("klient_gateway_streams").await, count as u64 + 1);
    drop(open);
    soon("the end of all streams", async {
        while stage.metric("klient_gateway_streams").await > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Creates config maps in the namespace `default`, each with a number of labels, of 120 bytes each.
async fn large_rows(stage: &Stage, numbers: Range<usize>, labels: usize) {
    let labels: serde_json::Map<String, serde_json::Value> =
        (0..labels).map(|at| (format!("k{at:03}-{}", "k".repeat(50)), "v".repeat(60).into())).collect();
    for at in numbers {
        stage.config_map(&format!("large-{at:04}"), labels.clone().into()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_large_rows_are_kept_up_to_a_number_of_bytes() {
    let limits = Limits { history_bytes: 64 << 10, ..Limits::default() };
    let stage = Stage::start(Options { limits, ..Options::default() }).await;
    let path = "/v1/changes/core/v1/configmaps?namespace=default";
    let table = stage.get("/v1/table/core/v1/configmaps?namespace=default").await.json();
    let mut reading = stage.events(path).await;
    let begin = table["cursor"].as_str().unwrap();
    large_rows(&stage, 0..20, 50).await;
    let mut ids = Vec::new();
    for at in 0..20 {
        assert_eq!(reading.words().await, format!("added large-{at:04}"));
        ids.push(reading.last_id.clone());
    }
    assert_eq!(stage.events_after(path, Some(begin)).await.words().await, "reset");
    assert_eq!(stage.events_after(path, Some(&ids[17])).await.words().await, "added large-0018");
}

/// Requests a path, and reads nothing of the response, of which a socket takes 4 MB at most.
async fn unread(stage: &Stage, path: &str) -> tokio::net::TcpStream {
    use tokio::io::AsyncWriteExt as _;

    let token = stage.gateway.token().unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n", stage.address);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // The kernel would take even more.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(stage.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    soon("the response", stream.readable()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_of_a_table_gives_its_place_away_and_streams_go_on() {
    let limits = Limits { connections: 3, ..Limits::default() };
    let unread_timeout = Duration::from_millis(200);
    let stage = Stage::start(Options { limits, unread_timeout, ..Options::default() }).await;
    let mut idle = stage.events("/v1/changes/core/v1/services").await;
    let _changes = unread(&stage, "/v1/changes/core/v1/configmaps").await;
    large_rows(&stage, 0..300, 250).await;
    let _table = unread(&stage, "/v1/table/core/v1/configmaps").await;
    // The fourth connection waits for the end of one of the three, which is that of the table.
    assert_eq!(stage.metric("klient_gateway_streams").await, 2);
    let service = json!({ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80 }] } });
    stage.create("/api/v1/namespaces/default/services", service).await;
    assert_eq!(idle.words().await, "added web");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_over_http_2_that_takes_nothing_of_a_table_gives_its_place_away_and_streams_go_on() {
    use klient_client::Pem;
    use klient_gateway::Tls;

    let certificate =
        klient_certificate::self_signed_certificate(&["127.0.0.1"], Duration::from_secs(86_400)).unwrap();
    let limits = Limits { connections: 2, ..Limits::default() };
    let tls = Some(Tls::certificate(certificate.clone()));
    let unread_timeout = Duration::from_millis(200);
    let stage = Stage::start(Options { limits, tls, unread_timeout, ..Options::default() }).await;
    let mut config = Config::from_url(&format!("https://{}", stage.address)).unwrap();
    config.tls.ca = Some(Pem::from(certificate.certificate_pem().as_bytes().to_vec()));
    config.credentials = Credentials::token(stage.gateway.token().unwrap());
    // A connection each, on which the client reads, but not what is for a response that nobody reads.
    let request = |path: &str| Client::new(config.clone()).unwrap().request(Method::GET).request_uri(path);
    let _changes = request("/v1/changes/core/v1/configmaps").stream().await.unwrap();
    large_rows(&stage, 0..300, 250).await;
    let mut table = request("/v1/table/core/v1/configmaps").stream().await.unwrap();
    // The third connection waits for the end of one of the two, which is that of the table.
    let figures = soon("the figures", request("/metrics").send()).await.unwrap();
    assert!(figures.text().contains("\nklient_gateway_streams 1\n"), "{}", figures.text());
    let whole = soon("the end of the table", async {
        while table.chunk().await?.is_some() {}
        Ok::<_, klient_client::Error>(())
    });
    assert!(whole.await.is_err());
}

/// A table of 9 MB, of which a socket takes at most 4 MB, would be 450 MB for 50 clients.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_read_takes_no_memory_for_each_client() {
    let stage = Stage::start(Options::default()).await;
    large_rows(&stage, 0..300, 250).await;
    let table = "/v1/table/core/v1/configmaps";
    assert_eq!(stage.get(table).await.json()["rows"].as_array().unwrap().len() / 300, 1);
    let before = resident();
    let mut open = Vec::new();
    for _ in 0..50 {
        open.push(unread(&stage, table).await);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB for tables that are not read", grown >> 20);
}
