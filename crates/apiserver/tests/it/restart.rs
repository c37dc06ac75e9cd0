//! Servers that outlive runtimes, restart, and end.

use std::future::Future;

use klient_apiserver::{Server, TestServer};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Client, Identity, Protocol, soon};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, NAMESPACES, gadgets, named, names, version};

/// Runs a future on a runtime that ends with it.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts")
        .block_on(future)
}

/// A definition and an object of its kind.
async fn define(client: &Client) {
    client.post(DEFINITIONS, &gadgets(json!({"type": "object"}))).await.expect(201);
    soon("the new kind", async { while client.get(GADGETS).await.status != 200 {} }).await;
    let gadget = json!({"apiVersion": "a.example/v1", "kind": "Gadget", "metadata": {"name": "g"}});
    client.post(GADGETS, &gadget).await.expect(201);
}

/// The number of threads of a server.
#[cfg(target_os = "linux")]
fn threads(server: &Server) -> impl Fn() -> usize + use<> {
    let name = format!("apiserver:{}", server.address().port());
    move || {
        let threads = std::fs::read_dir("/proc/self/task").expect("/proc is mounted");
        // One that ends while it is read is not there.
        let names =
            threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
        names.filter(|other| other.trim_end() == name).count()
    }
}

#[test]
fn a_server_outlives_the_runtime_that_started_it() {
    let server = run(async {
        let server = TestServer::start().await.unwrap();
        Client::admin(&server).await.post(CONFIG_MAPS, &named("a")).await.expect(201);
        server
    });
    run(async {
        let client = Client::admin(&server).await;
        client.get(&format!("{CONFIG_MAPS}/a")).await.expect(200);
        let from = server.resource_version();
        let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}")).await;
        client.post(CONFIG_MAPS, &named("b")).await.expect(201);
        assert!(events.brief().await.starts_with("ADDED b@"));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_dropped_leaves_no_thread() {
    let serve = async {
        let server = TestServer::start().await.unwrap();
        let client = Client::admin(&server).await;
        let from = server.resource_version();
        let events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}")).await;
        (server, events)
    };
    // From async code.
    run(async {
        let (server, _events) = serve.await;
        let threads = threads(&server);
        assert_eq!(threads(), 1);
        drop(server);
        soon("the end of its thread", tokio::task::spawn_blocking(move || ended(&threads))).await.unwrap();
    });
    // From a thread that has no runtime.
    let server = run(TestServer::start()).unwrap();
    let threads = threads(&server);
    assert_eq!(threads(), 1);
    drop(server);
    ended(&threads);
}

/// Waits until threads have ended: the kernel lists a thread a moment longer than it runs.
#[cfg(target_os = "linux")]
fn ended(threads: impl Fn() -> usize) {
    while threads() > 0 {
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_is_stopped_has_no_thread() {
    let threads_of = |count| klient_apiserver::Options {
        threads: Some(std::num::NonZeroUsize::new(count).unwrap()),
        ..Default::default()
    };
    for count in [1, 3] {
        let server = Server::start(threads_of(count)).await.unwrap();
        let threads = threads(&server);
        Client::admin(&server).await.get("/version").await.expect(200);
        assert!(threads() >= 1);
        server.stop().await;
        ended(&threads);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_restart_keeps_address_authority_tokens_and_objects() {
    let server = TestServer::start().await.unwrap();
    let kubeconfig = server.kubeconfig();
    let bob = Identity::Token(server.token("bob", &["system:masters"]));
    let certificate = Identity::Certificate(server.client_certificate("ann", &["system:masters"]).unwrap());
    let client = Client::admin(&server).await;
    define(&client).await;
    let created = version(&client.post(CONFIG_MAPS, &named("a")).await.expect(201));
    let from = format!("{CONFIG_MAPS}?watch=1&resourceVersion={created}");
    let mut events = client.watch(&from).await;
    let versions = server.resource_version();

    soon("the restart", server.restart()).await.unwrap();
    assert!(soon("the end of the watch", events.next()).await.is_none());
    assert_eq!((server.kubeconfig(), server.resource_version()), (kubeconfig, versions));
    for identity in [bob, certificate] {
        let client = Client::connect(&server, Protocol::Http2, identity).await;
        client.get(&format!("{GADGETS}/g")).await.expect(200);
    }
    let client = client.again().await;
    let mut events = client.watch(&from).await;
    let next = version(&client.post(CONFIG_MAPS, &named("b")).await.expect(201));
    assert_eq!(events.brief().await, format!("ADDED b@{next}"));
}

#[tokio::test]
async fn a_restart_without_objects_gives_a_new_cluster_at_the_same_address() {
    let server = TestServer::start().await.unwrap();
    let (kubeconfig, before) = (server.kubeconfig(), server.resource_version());
    let client = Client::admin(&server).await;
    define(&client).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let last = server.resource_version();

    soon("the restart", server.restart_empty()).await.unwrap();
    assert_eq!(server.kubeconfig(), kubeconfig);
    let client = client.again().await;
    assert_eq!(client.get(GADGETS).await.status, 404);
    assert_eq!(names(&client.get(CONFIG_MAPS).await.expect(200)), [""; 0]);
    assert_eq!(names(&client.get(NAMESPACES).await.expect(200)).len(), 4);
    // Versions read before the restart are not valid in this cluster.
    for version in [before, last] {
        let mut events = client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}")).await;
        assert_eq!(events.next().await.unwrap()["object"]["code"], 410);
    }
    define(&client).await;
}

#[tokio::test]
async fn a_server_that_is_stopped_can_be_started_again() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    for _ in 0..3 {
        server.stop().await;
        assert!(TcpStream::connect(server.address()).await.is_err(), "nobody listens");
        server.restart().await.unwrap();
        client.again().await.get(&format!("{CONFIG_MAPS}/a")).await.expect(200);
    }
    server.stop().await;
    let taken = tokio::net::TcpListener::bind(server.address()).await.unwrap();
    let error = server.restart().await.unwrap_err();
    let expected = format!("cannot listen on {}: Address already in use", server.address());
    assert!(error.to_string().starts_with(&expected), "{error}");
    drop(taken);
    server.restart().await.unwrap();
    client.again().await.get(&format!("{CONFIG_MAPS}/a")).await.expect(200);
}

#[tokio::test]
async fn what_was_being_deleted_goes_on_after_a_restart() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    define(&client).await;
    let path = format!("{NAMESPACES}/shop");
    client.post(NAMESPACES, &named("shop")).await.expect(201);
    for index in 0..100 {
        client.post(&format!("{path}/configmaps"), &named(&format!("a{index}"))).await.expect(201);
        let gadget = json!({"apiVersion": "a.example/v1", "kind": "Gadget", "metadata": {"name": format!("g{index}")}});
        client.post(GADGETS, &gadget).await.expect(201);
    }
    client.delete(&path).await.expect(200);
    client.delete(&format!("{DEFINITIONS}/gadgets.a.example")).await.expect(200);
    server.restart().await.unwrap();
    let client = client.again().await;
    for path in [path, format!("{DEFINITIONS}/gadgets.a.example")] {
        soon(&format!("the end of {path}"), async { while client.get(&path).await.status != 404 {} }).await;
    }
}
