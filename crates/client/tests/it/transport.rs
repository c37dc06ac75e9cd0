//! Connections that go well, and those that do not.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::{Method, Request, Response, Uri, Version};
use klient_api::core::v1::{ConfigMap, Pod};
use klient_client::{
    ByteStream, Client, Config, Error, ErrorKind, HttpVersion, ListOptions, LogOptions, ProxyOptions,
    RequestBody, ResponseBody, Transport, WatchOptions,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::cluster::{cluster, config, config_map, create_two_hundred, soon, told};
use crate::front::Front;

#[tokio::test]
async fn http_2_is_spoken_where_the_server_does() {
    let (server, _) = cluster().await;
    for (protocol, version) in [("http/1.1", Version::HTTP_11), ("h2", Version::HTTP_2)] {
        let front = Front::tls_proxy(&server, protocol).await;
        let (sender, mut versions) = tokio::sync::mpsc::unbounded_channel();
        let layer = tower::layer::layer_fn(move |transport: Transport| {
            let sender = sender.clone();
            transport.map_response(move |response| {
                sender.send(response.version()).unwrap();
                response
            })
        });
        let client = Client::with_layer(front.tls_client().config().clone(), layer).unwrap();
        let config_maps = client.api::<ConfigMap>().namespace("default");
        config_maps.create(&config_map("sky", "blue")).await.unwrap();
        config_maps.list(&ListOptions::default()).await.unwrap();
        let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
        assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");
        config_maps.delete("sky", &Default::default()).await.unwrap();
        for _ in 0..4 {
            assert_eq!(versions.try_recv(), Ok(version));
        }
        assert_eq!(front.connections(), if protocol == "h2" { 1 } else { 2 });
    }
}

#[tokio::test]
async fn a_request_that_is_not_polled_or_is_cancelled_leaves_its_connection_to_others() {
    let (server, _) = cluster().await;
    for is_cancelled in [false, true] {
        let front = Front::tls_proxy(&server, "h2").await;
        let config_maps = front.tls_client().api::<ConfigMap>().namespace("default");
        let mut first = config_maps.get("first");
        // The connection is being opened for it.
        assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending())).await);
        let first = (!is_cancelled).then_some(first);
        assert!(soon("a response", config_maps.get("other")).await.unwrap_err().is_not_found());
        if let Some(first) = first {
            assert!(first.await.unwrap_err().is_not_found());
        }
        assert_eq!(front.connections(), 1);
    }
}

#[tokio::test]
async fn a_runtime_ends_while_one_of_its_tasks_has_a_response_over_http_1_1() {
    let (server, _) = cluster().await;
    let front = Front::tls_proxy(&server, "http/1.1").await;
    let client = front.tls_client();
    let (sender, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (told, watches) = tokio::sync::oneshot::channel();
        // It is older than the task of its connection, and so is dropped before.
        runtime.spawn(async move {
            let watch = client.api::<ConfigMap>().watch(&WatchOptions::default()).await.unwrap();
            told.send(()).unwrap();
            std::future::pending::<()>().await;
            drop(watch);
        });
        runtime.block_on(watches).unwrap();
        drop(runtime);
        sender.send(()).unwrap();
    });
    soon("the end of the runtime", ended).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_a_while() {
    let (server, _) = cluster().await;
    for protocol in ["http/1.1", "h2"] {
        let front = Front::tls_proxy(&server, protocol).await;
        let mut config = front.tls_config();
        config.timeouts.http2_read_idle = None;
        let config_maps = Client::new(config).unwrap().api::<ConfigMap>().namespace("default");
        for (pause, connections) in [(0, 1), (60, 1), (60, 1), (200, 2)] {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(pause)).await;
            tokio::time::resume();
            // The sweep has its turn.
            tokio::task::yield_now().await;
            assert!(config_maps.get("other").await.unwrap_err().is_not_found());
            assert_eq!(front.connections(), connections, "{protocol}, after {pause} s");
        }
    }
}

#[tokio::test]
async fn a_layer_may_send_requests_to_another_server() {
    let (server, _) = cluster().await;
    for protocol in ["http/1.1", "h2"] {
        let (first, other) =
            (Front::tls_proxy(&server, protocol).await, Front::tls_proxy(&server, protocol).await);
        let authority = other.url().parse::<Uri>().unwrap().into_parts().authority;
        let layer = tower::layer::layer_fn(move |transport: Transport| {
            let authority = authority.clone();
            transport.map_request(move |mut request: Request<RequestBody>| {
                if request.uri().path().ends_with("/elsewhere") {
                    let mut parts = request.uri().clone().into_parts();
                    parts.authority = authority.clone();
                    *request.uri_mut() = Uri::from_parts(parts).unwrap();
                }
                request
            })
        });
        let mut config = first.tls_config();
        (config.tls.ca, config.tls.insecure) = (None, true);
        let config_maps = Client::with_layer(config, layer).unwrap().api::<ConfigMap>().namespace("default");
        for name in ["here", "elsewhere", "here", "elsewhere"] {
            assert!(config_maps.get(name).await.unwrap_err().is_not_found());
        }
        assert_eq!((first.connections(), other.connections()), (1, 1), "{protocol}");
    }
}

#[tokio::test]
async fn a_connection_can_offer_http_1_1_alone() {
    let (server, _) = cluster().await;
    let (sender, mut versions) = tokio::sync::mpsc::unbounded_channel();
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let sender = sender.clone();
        transport.map_response(move |response: Response<ResponseBody>| {
            sender.send(response.version()).unwrap();
            // A layer may put a body of its own in place.
            response.map(ResponseBody::new)
        })
    });
    for (http, version) in
        [(HttpVersion::Http11, Version::HTTP_11), (HttpVersion::Negotiate, Version::HTTP_2)]
    {
        let client = Client::with_layer(Config { http, ..config(&server) }, layer.clone()).unwrap();
        client.api::<ConfigMap>().list(&ListOptions::default()).await.unwrap();
        assert_eq!(versions.try_recv(), Ok(version));
    }
}

#[tokio::test]
async fn a_layer_sees_and_changes_every_request() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |request| {
        assert_eq!(request.headers()["x-trace"], "1");
    })
    .await;
    let layer = tower::layer::layer_fn(|transport: Transport| {
        transport.map_request(|mut request: Request<RequestBody>| {
            request.headers_mut().insert("x-trace", "1".parse().unwrap());
            request
        })
    });
    let client = Client::with_layer(front.client().config().clone(), layer).unwrap();
    client.api::<ConfigMap>().list(&ListOptions::default()).await.unwrap();
}

#[tokio::test]
async fn the_path_of_the_url_stands_before_every_other() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |request| {
        let target = request.uri().to_string();
        *request.uri_mut() = target.strip_prefix("/k8s/c-1").expect("the prefix is there").parse().unwrap();
    })
    .await;
    let client = Client::new(Config::from_url(&format!("{}/k8s/c-1/", front.url())).unwrap()).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    client.discovery().version().await.unwrap();
    assert_eq!(
        front.requests(),
        ["POST /k8s/c-1/api/v1/namespaces/default/configmaps", "GET /k8s/c-1/version?timeout=32s"]
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_longer_than_allowed() {
    let front = Front::hanging().await;
    let quick = |scheme: &str| {
        let mut config = Config::from_url(&format!("{scheme}://{}", front.address)).unwrap();
        config.timeouts.tls = Duration::from_millis(100);
        config.timeouts.first_byte = Some(Duration::from_millis(200));
        Client::new(config).unwrap()
    };
    let began = Instant::now();
    let error = quick("https").api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && error.is_timeout(), "{error:?}");
    assert!(format!("{error:?}").contains("no TLS handshake within 0.1 s"), "{error:?}");
    let error = quick("http").api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(format!("{error:?}").contains("no answer within 0.2 s"), "{error:?}");
    let error = quick("http").api::<Pod>().watch(&WatchOptions::default()).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

async fn first_line(stream: Result<ByteStream, Error>) -> String {
    let line = stream.unwrap().line().await.unwrap().unwrap();
    String::from_utf8(line.to_vec()).unwrap()
}

#[tokio::test]
async fn logs_and_requests_with_a_longer_time_out_wait_for_their_first_byte() {
    let (tell, told) = watch::channel(false);
    let text = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\none\n";
    let front = Front::saying_later(text, told).await;
    let mut config = front.client().config().clone();
    config.timeouts.first_byte = Some(Duration::from_millis(100));
    let client = Client::new(config).unwrap();
    let pods = client.api::<Pod>().namespace("shop");
    let options = LogOptions { follow: true, ..Default::default() };
    let proxy = ProxyOptions::default();
    let (logs, metrics) = (pods.logs("web-0", &options), pods.proxy_get("web-0", "metrics", &proxy));
    let request = client.request(Method::GET).absolute_path("/slow").timeout(Duration::from_secs(60));
    let waiting = tokio::spawn(async move {
        let (logs, metrics, response) = tokio::join!(logs, metrics, request.send());
        let text = response.unwrap().text().trim_end().to_owned();
        [first_line(logs).await, first_line(metrics).await, text]
    });
    front.streams(3).await;
    // It was sent after the others, and its time is up.
    let error = pods.get("web-0").await.unwrap_err();
    assert!(error.to_string().ends_with("no answer within 0.1 s"), "{error}");
    tell.send_replace(true);
    assert_eq!(waiting.await.unwrap(), ["one"; 3]);
}

#[tokio::test]
async fn a_server_that_speaks_another_protocol_than_the_scheme_says_is_told() {
    let (server, _) = cluster().await;
    let plain = Config::from_url(&format!("http://{}", server.address())).unwrap();
    let error = Client::new(plain).unwrap().discovery().version().await.err().unwrap();
    let expected = "cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins \
                    with https://: invalid HTTP version parsed";
    assert!(error.to_string().ends_with(expected), "{error}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::from_url(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    config.tls.insecure = true;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        // The rest of the handshake is read, so that the response is not cut.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let error = Client::new(config).unwrap().discovery().version().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let expected = ": cannot connect: server gave HTTP response to HTTPS client: ";
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test]
async fn the_whole_of_an_answer_has_a_limit_too() {
    let (server, _) = cluster().await;
    let front = Front::proxy(&server, |_| {}).await;
    let mut config = front.client().config().clone();
    config.timeouts.whole = Some(Duration::from_millis(200));
    let client = Client::new(config).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    let endless = client.request(Method::GET).absolute_path("/api/v1/pods").query("watch", "true");
    let error = endless.send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(format!("{error:?}").contains("no whole answer within 0.2 s"), "{error:?}");
    // Watches are not meant: this one is older.
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");
}

/// Lists pods of a server that answers with a text, and tells what comes of it.
async fn check(answer: &str, kind: ErrorKind, problem: &str) {
    let front = Front::saying(&[answer]).await;
    let error = front.client().api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
    let told = format!("{error:?}");
    assert_eq!(error.kind(), kind, "{told}");
    assert!(told.starts_with(&format!("GET {}/api/v1/pods: ", front.url())), "{told}");
    assert!(told.contains(problem), "{told}");
    assert_eq!(front.requests().len(), 1, "{told}");
}

#[tokio::test]
async fn answers_that_are_cut_or_nonsense_are_told() {
    let list = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"na"#;
    let cut = ErrorKind::Connection;
    check(&format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{list}"), cut, "end of file").await;
    let chunk = format!("{:x}\r\n{list}\r\n", list.len());
    check(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}"), cut, "unexpected EOF")
        .await;
    check(&format!("HTTP/1.1 200 OK\r\n\r\n{list}"), ErrorKind::Decode, "cut off behind 0 items").await;
    check("HTTP/1.1 200 OK\r\n\r\n", ErrorKind::Decode, "cut off behind 0 items").await;
    check("HTTP/1.1 200 OK\r\n\r\n<html>", ErrorKind::Decode, "no list in JSON").await;
    check("HTTP/1.1 200 OK\r\n\r\n{\"kind\":\"NodeList\"}", ErrorKind::Decode, "expected v1 PodList").await;
    check("220 smtp.example ESMTP\r\n", ErrorKind::Decode, "invalid HTTP").await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Front::saying(&["HTTP/1.1 200 OK\r\n\r\n{}"]).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {}/login\r\n\r\n", target.url());
    check(&redirect, ErrorKind::Status, &format!("redirects to {}/login", target.url())).await;
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_status_that_is_no_failure_of_a_failed_request_is_not_believed() {
    let success = r#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#;
    let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\n\r\n{success}");
    check(&answer, ErrorKind::Status, success).await;
}

/// As client-go, which looks for a Status in every answer.
#[tokio::test]
async fn a_failure_is_one_whatever_the_code() {
    let failure = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no","reason":"Conflict","code":409}"#;
    let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{failure}")]).await;
    let client = front.client();
    assert!(client.api::<Pod>().list(&ListOptions::default()).await.unwrap_err().is_conflict());
    let untyped = client.dynamic(<Pod as klient_apimachinery::Resource>::INFO).namespace("default");
    assert!(untyped.get("a").await.unwrap_err().is_conflict());
    assert!(untyped.delete("a", &Default::default()).await.unwrap_err().is_conflict());
}

/// An error is one line that says why, and a chain of sources says nothing twice.
#[tokio::test]
async fn an_error_prints_its_causes_once() {
    let (server, _) = cluster().await;
    let of = |url: &str| Client::new(Config::from_url(url).unwrap()).unwrap().api::<Pod>();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let untrusted = format!("https://{}", server.address());
    for (url, expected) in [
        (format!("http://{free}"), "cannot connect: tcp connect error: Connection refused (os error 111)"),
        (untrusted, "cannot connect: invalid peer certificate: UnknownIssuer"),
    ] {
        let error = of(&url).list(&ListOptions::default()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("GET {url}/api/v1/pods: {expected}"));
        assert_eq!(
            format!("{error:?} {}", klient_apimachinery::WithCauses(&error)),
            format!("{error} {error}")
        );
        assert!(error.cause().is_some());
        assert_eq!(error.is_untrusted(), url.starts_with("https"));
        let source = klient_apimachinery::SourceError::from(error);
        assert_eq!(klient_apimachinery::WithCauses(&source).to_string(), source.to_string());
        assert!(source.to_string().ends_with(expected), "{source}");
    }
}

#[tokio::test]
async fn plain_http_to_a_server_that_speaks_tls_is_told() {
    let (server, _) = cluster().await;
    let config = Config::from_url(&format!("http://{}", server.address())).unwrap();
    let began = Instant::now();
    let error = Client::new(config).unwrap().api::<Pod>().list(&ListOptions::default()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Connection), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(1), "{error:?}");
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_by_the_same_client() {
    let (server, _) = cluster().await;
    let mut tunnel = Front::tunnel(&server).await;
    let mut config = config(&server);
    config.url = Config::from_url(&format!("https://{}", tunnel.address)).unwrap().url;
    let client = Client::new(config).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    tunnel.cut().await;
    let broken = soon("the end", watch.next()).await;
    assert!(matches!(&broken, Some(Err(error)) if error.kind() == ErrorKind::Connection), "{broken:?}");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(tunnel.connections(), 2);
}

#[tokio::test]
async fn two_hundred_requests_at_once_are_all_answered() {
    let (_server, client) = cluster().await;
    create_two_hundred(&client).await;
}

#[tokio::test]
async fn requests_that_are_sent_at_once_share_the_connection_that_the_first_opens() {
    let (server, _) = cluster().await;
    let front = Front::tls_proxy(&server, "h2").await;
    let client = front.tls_client();
    let send = |client: &Client| {
        let namespaces = client.api::<ConfigMap>();
        tokio::spawn(async move { namespaces.list(&ListOptions::default()).await })
    };
    for listed in (0..64).map(|_| send(&client)).collect::<Vec<_>>() {
        listed.await.unwrap().unwrap();
    }
    assert_eq!(front.connections(), 1);
    // The others do not wait for one that has no connection, nor for one that is dropped.
    let closed = Front::hanging().await;
    let mut config = Config::from_url(&format!("https://{}", closed.address)).unwrap();
    config.timeouts.tls = Duration::from_millis(300);
    let client = Client::new(config).unwrap();
    let sent: Vec<_> = (0..64).map(|_| send(&client)).collect();
    tokio::task::yield_now().await;
    sent[0].abort();
    let began = Instant::now();
    for listed in sent.into_iter().skip(1) {
        assert!(listed.await.unwrap().unwrap_err().is_timeout());
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// Tests with a runtime each may share a client: the connection of a runtime ends with it.
#[test]
fn a_client_is_shared_by_runtimes_that_end() {
    let run = |client: Client, name: String| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let config_maps = client.api::<ConfigMap>().namespace("default");
            config_maps.create(&config_map(&name, "blue")).await?;
            for _ in 0..10 {
                config_maps.get(&name).await?;
            }
            config_maps.delete(&name, &Default::default()).await
        })
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_server, client) = runtime.block_on(cluster());
    for round in 0..10 {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let client = client.clone();
                std::thread::spawn(move || run(client, format!("cm-{round}-{thread}")))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    }
}

/// The environment of a process cannot be changed while its threads run: the test runs itself in another.
#[test]
fn http2_is_set_up_by_the_variables_of_client_go() {
    const NAME: &str = "transport::http2_is_set_up_by_the_variables_of_client_go";
    if std::env::var_os("KLIENT_PRINTS_CONFIG").is_some() {
        let config = Config::from_url("https://localhost").unwrap();
        println!("{:?} {:?} {:?}", config.http, config.timeouts.http2_read_idle, config.timeouts.http2_ping);
        return;
    }
    let (disable, idle, ping) =
        ("DISABLE_HTTP2", "HTTP2_READ_IDLE_TIMEOUT_SECONDS", "HTTP2_PING_TIMEOUT_SECONDS");
    for (variables, expected) in [
        (&[][..], "Negotiate Some(30s) 15s"),
        (&[(disable, "true")], "Http11 Some(30s) 15s"),
        // As in client-go, it is the presence that counts.
        (&[(disable, "false")], "Http11 Some(30s) 15s"),
        (&[(disable, ""), (idle, ""), (ping, "")], "Negotiate Some(30s) 15s"),
        (&[(idle, "5"), (ping, "7")], "Negotiate Some(5s) 7s"),
        (&[(idle, "0"), (ping, "0")], "Negotiate None 15s"),
        (&[(idle, "1m"), (ping, "x")], "Negotiate Some(30s) 15s"),
    ] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", NAME, "--nocapture"]).env("KLIENT_PRINTS_CONFIG", "");
        for name in [disable, idle, ping] {
            child.env_remove(name);
        }
        let output = child.envs(variables.iter().copied()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains(expected), "{variables:?}: {printed}");
    }
}
