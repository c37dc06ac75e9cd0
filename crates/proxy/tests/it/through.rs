//! Clients of the embedded server through the proxy.

use http::Method;
use klient_api::core::v1::{ConfigMap, Pod};
use klient_client::{Client, Config, ExecOptions, ListOptions, Patch, WatchEvent, WatchOptions};
use klient_proxy::{ReverseProxy, ReverseProxyOptions};
use klient_streams::ErrorKind;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cluster::{Cluster, serve};

#[tokio::test]
async fn every_verb_goes_through_with_the_credentials_of_the_proxy() {
    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let maps = cluster.through.api::<ConfigMap>().namespace("shop");
    let map = json!({"metadata": {"name": "colors"}, "data": {"sky": "blue"}});
    let mut map = maps.create(&serde_json::from_value(map).unwrap()).await.unwrap();
    map.data.insert("grass", "green".into());
    let map = maps.update(&map).await.unwrap();
    assert_eq!(map.data.len(), 2);
    let patched = maps.patch("colors", &Patch::Merge(json!({"data": {"sky": null}}))).await.unwrap();
    assert_eq!(patched.data.len(), 1);
    let list = maps.list(&ListOptions::default()).await.unwrap();
    assert!(list.items.iter().any(|map| map.metadata.name.as_deref() == Some("colors")));
    maps.delete("colors", &Default::default()).await.unwrap();
    assert!(maps.get("colors").await.unwrap_err().is_not_found());
    let response = cluster.through.request(Method::GET).absolute_path("/healthz").send().await.unwrap();
    assert_eq!(&response.bytes()[..], b"ok");
}

#[tokio::test]
async fn events_of_a_watch_come_while_it_goes_on() {
    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let maps = cluster.through.api::<ConfigMap>().namespace("shop");
    let mut watch = maps.watch(&WatchOptions::default()).await.unwrap();
    for name in ["a", "b"] {
        maps.create(&serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()).await.unwrap();
        loop {
            let event = watch.next().await.unwrap().unwrap();
            let WatchEvent::Added(map) = event else { continue };
            if map.metadata.name.as_deref() == Some(name) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_large_body_is_streamed_in_both_directions() {
    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let maps = cluster.through.api::<ConfigMap>().namespace("shop");
    let text = "x".repeat(1_000_000);
    let map = json!({"metadata": {"name": "large"}, "data": {"text": text}});
    maps.create(&serde_json::from_value(map).unwrap()).await.unwrap();
    assert_eq!(maps.get("large").await.unwrap().data.get("text").unwrap().len(), text.len());
}

#[tokio::test]
async fn commands_run_through_the_proxy() {
    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let pods = cluster.through.api::<Pod>().namespace("shop");
    let process = pods.exec("web", ["exit", "7"], &ExecOptions::default()).await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    assert_eq!((&output.stderr[..], output.status.code()), (&b"bye"[..], 7));

    let options = ExecOptions { stdin: true, ..ExecOptions::default() };
    let mut process = pods.exec("web", ["cat"], &options).await.unwrap();
    let (mut stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
    stdin.write_all(b"first").await.unwrap();
    let mut echo = [0; 5];
    stdout.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"first");
    let sent: Vec<u8> = (0..3_000_000u32).map(|at| at.to_le_bytes()[0]).collect();
    let write = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let mut received = Vec::new();
    let (_, read) = tokio::join!(write, stdout.read_to_end(&mut received));
    read.unwrap();
    assert!(received == sent);
    assert!(process.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_refused_upgrade_has_the_status_of_the_server() {
    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let pods = cluster.through.api::<Pod>().namespace("shop");
    let error = pods.exec("none", ["ls"], &ExecOptions::default()).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn upgraded_connections_end_with_the_server_and_with_the_proxy() {
    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let pods = cluster.through.api::<Pod>().namespace("shop");
    let mut process = pods.exec("web", ["sleep"], &ExecOptions::default()).await.unwrap();
    cluster.stop_proxy();
    assert_eq!(process.wait().await.unwrap_err().kind(), ErrorKind::Connection);

    let cluster = Cluster::start(ReverseProxyOptions::default()).await;
    let pods = cluster.through.api::<Pod>().namespace("shop");
    let mut process = pods.exec("web", ["sleep"], &ExecOptions::default()).await.unwrap();
    cluster.server.stop().await;
    assert_eq!(process.wait().await.unwrap_err().kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_status() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Client::new(Config::from_url(&format!("http://{free}")).unwrap()).unwrap();
    let (address, serving) = serve(ReverseProxy::new(gone, ReverseProxyOptions::default())).await;
    let through = Client::new(Config::from_url(&format!("http://{address}")).unwrap()).unwrap();
    let error = through.api::<ConfigMap>().list(&ListOptions::default()).await.unwrap_err();
    let status = error.as_status().unwrap();
    assert_eq!(status.code, Some(503));
    assert!(status.message.as_deref().unwrap().starts_with("error trying to reach service: "), "{error}");
    serving.abort();
}
