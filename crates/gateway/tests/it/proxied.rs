//! The API of the cluster behind the gateway.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_api::core::v1::{ConfigMap, Pod};
use klient_client::{Client, Config, Credentials, ExecOptions, ListOptions, WatchEvent, WatchOptions};
use klient_gateway::{Access, Gateway, Options};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::stage::{MAPS, Stage, soon};

/// A client through the gateway.
fn through(stage: &Stage) -> Client {
    let mut config = Config::from_url(&format!("http://{}", stage.address)).unwrap();
    config.credentials = Credentials::token(stage.gateway.token().unwrap());
    Client::new(config).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_the_api_read_and_watch_through_the_gateway() {
    let stage = Stage::start(Options::default()).await;
    let maps = through(&stage).api::<ConfigMap>().namespace("default");
    let mut watch = maps.watch(&WatchOptions::default()).await.unwrap();
    stage.config_map("web", json!({})).await;
    while let Some(event) = watch.next().await {
        if let WatchEvent::Added(map) = event.unwrap()
            && map.metadata.name.as_deref() == Some("web")
        {
            break;
        }
    }
    assert_eq!(stage.metric("klient_gateway_streams").await, 1);
    assert_eq!(maps.get("web").await.unwrap().data["a"], "b");
    assert!(!maps.list(&ListOptions::default()).await.unwrap().items.is_empty());
    let response = stage.get(&format!("{MAPS}/web")).await;
    assert_eq!(
        response.header("content-security-policy"),
        "sandbox; default-src 'none'; frame-ancestors 'none'"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_exec_are_off_until_they_are_allowed() {
    let stage = Stage::start(Options::default()).await;
    for (method, path, code) in [
        (Method::POST, MAPS, "read_only"),
        (Method::PATCH, "/api/v1/namespaces/default/configmaps/web", "read_only"),
        (Method::DELETE, "/api/v1/namespaces/default/configmaps/web", "read_only"),
        (Method::PUT, "/apis/apps/v1/namespaces/default/deployments/web/scale", "read_only"),
        (Method::GET, "/api/v1/namespaces/default/pods/web/exec?command=ls", "exec_off"),
        (Method::POST, "/api/v1/namespaces/default/pods/web/attach", "exec_off"),
        (Method::GET, "/api/v1/namespaces/default/services/web/proxy/", "exec_off"),
    ] {
        let request = stage.request(path).method(method).body("{}".to_owned()).unwrap();
        assert_eq!(stage.send(request).await.failure(), (403, code.to_owned()), "{path}");
    }
    let stage = Stage::start(Options { writes: true, exec: true, ..Options::default() }).await;
    let client = through(&stage);
    let maps = client.api::<ConfigMap>().namespace("default");
    let map = serde_json::from_value(json!({ "metadata": { "name": "new" }, "data": { "a": "b" } })).unwrap();
    maps.create(&map).await.unwrap();
    maps.delete("new", &Default::default()).await.unwrap();
    let pod = json!({ "metadata": { "name": "web" }, "spec": { "containers": [{ "name": "web", "image": "web" }] } });
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&serde_json::from_value(pod).unwrap()).await.unwrap();
    let process = pods.exec("web", ["echo", "hello"], &ExecOptions::default()).await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    assert_eq!((&output.stdout[..], output.status.success()), (&b"hello\n"[..], true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_no_way_around_the_rules() {
    let stage = Stage::start(Options { exec: true, ..Options::default() }).await;
    let secret = json!({ "metadata": { "name": "key" }, "stringData": { "password": "hunter2" } });
    stage.create("/api/v1/namespaces/default/secrets", secret).await;
    stage.config_map("web", json!({})).await;
    let map = "/api/v1/namespaces/default/configmaps/web";
    for (method, path, code) in [
        (Method::GET, "/api/v1/secrets", "secrets_hidden"),
        (Method::GET, "/api/v1/namespaces/default/secrets/key", "secrets_hidden"),
        (Method::GET, "/api/v1/secrets?watch=true", "secrets_hidden"),
        (Method::DELETE, map, "read_only"),
        (Method::POST, MAPS, "read_only"),
    ] {
        for (upgrade, connection) in [("websocket", "upgrade"), ("websocket", "close"), ("h2c", "upgrade")] {
            let request = stage.request(path).method(method.clone());
            let request = request.header("upgrade", upgrade).header("connection", connection);
            let answer = stage.send(request.body("{}".to_owned()).unwrap()).await;
            assert_eq!(answer.failure(), (403, code.to_owned()), "{method} {path} {upgrade} {connection}");
        }
    }
    assert_eq!(stage.get(map).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_of_a_user_who_does_nothing_else_goes_on() {
    let idle = Duration::from_millis(40);
    let options = Options { access: Access::Bearer, writes: true, exec: true, idle, ..Options::default() };
    let stage = Stage::start(options).await;
    let mut config = Config::from_url(&format!("http://{}", stage.address)).unwrap();
    config.credentials = Credentials::token(stage.server.admin_token());
    let pods = Client::new(config).unwrap().api::<Pod>().namespace("default");
    let pod = json!({ "metadata": { "name": "web" }, "spec": { "containers": [{ "name": "web", "image": "web" }] } });
    pods.create(&serde_json::from_value(pod).unwrap()).await.unwrap();
    let exec = ExecOptions { stdin: true, ..ExecOptions::default() };
    let mut process = pods.exec("web", ["cat"], &exec).await.unwrap();
    let [ada, bob] = ["ada", "bob"].map(|user| stage.server.token(user, &[]));
    let get = async |token: &str, path: &str| {
        let request = http::Request::get(path).header("authorization", format!("Bearer {token}"));
        stage.send(request.body(String::new()).unwrap()).await.text()
    };
    get(&bob, "/ping").await;
    // Bob is forgotten, who came after the one with the shell.
    soon("the end of bob", async {
        while !get(&ada, "/metrics").await.contains("klient_gateway_identities 2\n") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (mut stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
    stdin.write_all(b"still here").await.unwrap();
    let mut echo = [0; 10];
    soon("the echo", stdout.read_exact(&mut echo)).await.unwrap();
    assert_eq!(&echo, b"still here");
}

/// A cluster that accepts every token, and switches a connection when it has a permit; it then sends back what it gets.
async fn slow_to_switch(asked: Arc<Semaphore>, permits: Arc<Semaphore>) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let switch = service_fn(move |mut request: Request<Incoming>| {
        let (asked, permits) = (asked.clone(), permits.clone());
        async move {
            let mut response = Response::new(Full::<Bytes>::from("{}"));
            if request.headers().contains_key("upgrade") {
                asked.add_permits(1);
                permits.acquire().await.unwrap().forget();
                let switched = hyper::upgrade::on(&mut request);
                tokio::spawn(async move {
                    let (mut from, mut to) = tokio::io::split(TokioIo::new(switched.await.unwrap()));
                    tokio::io::copy(&mut from, &mut to).await
                });
                let (head, _) = Response::builder().status(101).body(()).unwrap().into_parts();
                response = Response::from_parts(head, Full::default());
                response.headers_mut().insert("connection", "upgrade".parse().unwrap());
                response.headers_mut().insert("upgrade", "echo".parse().unwrap());
            }
            Ok::<_, Infallible>(response)
        }
    });
    tokio::spawn(async move {
        loop {
            let stream = TokioIo::new(listener.accept().await.unwrap().0);
            tokio::spawn(http1::Builder::new().serve_connection(stream, switch.clone()).with_upgrades());
        }
    });
    Client::new(Config::from_url(&url).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_takes_long_to_begin_keeps_its_user() {
    let [asked, permits] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
    let client = slow_to_switch(asked.clone(), permits.clone()).await;
    let idle = Duration::from_millis(40);
    let options = Options { access: Access::Bearer, exec: true, idle, ..Options::default() };
    let gateway = Gateway::new(client, options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(gateway.clone().serve(listener, std::future::pending()));
    let mut shell = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/namespaces/default/pods/web/exec HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer eve\r\n\
         Connection: Upgrade\r\nUpgrade: echo\r\n\r\n"
    );
    shell.write_all(request.as_bytes()).await.unwrap();
    soon("the request for the shell", asked.acquire()).await.unwrap().forget();
    let get = async |user: &str, path: &str| {
        let request = Request::get(path).header("host", "localhost");
        let request = request.header("authorization", format!("Bearer {user}")).body(String::new()).unwrap();
        let body = gateway.answer(request).await.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    };
    get("bob", "/ping").await;
    // Bob is forgotten, who came after the one who waits for the shell.
    soon("the end of bob", async {
        while get("ada", "/metrics").await.contains("klient_gateway_identities 3\n") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    permits.add_permits(1);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon("the head of the response", shell.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    shell.write_all(b"still here").await.unwrap();
    let mut echo = [0; 10];
    soon("the echo", shell.read_exact(&mut echo)).await.unwrap();
    assert_eq!(&echo, b"still here");
    serving.abort();
}
