//! Ports of pods, which the embedded server answers in the test.

use klient_api::apps::v1::Deployment;
use klient_api::core::v1::{ConfigMap, Pod, Service};
use klient_apiserver::{Containers, Server};
use klient_client::{
    Client, DeleteOptions, ErrorKind, LocalAddress, PortForwardEvent, PortForwardOptions, PortForwarder,
    PortMapping, RemotePort,
};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::cluster::soon;
use crate::containers::{client_without_websocket, pods, running_pod, server_of, set_running};

/// Pods that answer at port 8080 with their name and what they are sent.
async fn server() -> (Server, Client) {
    let containers = Containers::default().port_forward(|port, mut connection| async move {
        if port.port != 8080 {
            return Err("connection refused".into());
        }
        connection.write_all(format!("{}:", port.pod).as_bytes()).await?;
        let (mut reader, mut writer) = tokio::io::split(connection);
        tokio::io::copy(&mut reader, &mut writer).await?;
        Ok(())
    });
    server_of(containers).await
}

async fn create_service(client: &Client, target_port: serde_json::Value) {
    let service = json!({
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "front", "port": 80, "targetPort": target_port}]}
    });
    let service: Service = serde_json::from_value(service).unwrap();
    client.api::<Service>().namespace("shop").create(&service).await.unwrap();
}

/// Sends something and reads the answer to its end.
async fn exchange(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    text: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let exchange = async {
        connection.write_all(text).await?;
        connection.shutdown().await?;
        connection.read_to_end(&mut answer).await
    };
    soon("the answer", exchange).await.map(|_| answer)
}

async fn assert_answer(forwarder: &PortForwarder, port: impl Into<RemotePort>, pod: &str) {
    let connection = forwarder.connect(port).await.unwrap();
    let answer = exchange(connection, b"hello").await.unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), format!("{pod}:hello"));
}

fn containers() -> serde_json::Value {
    json!([{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 8080}]}])
}

#[tokio::test]
async fn a_pod_answers_at_its_ports_by_number_and_name() {
    let (_server, client) = server().await;
    running_pod(&client, "web-0", containers()).await;
    let forwarder = pods(&client).port_forward("web-0", &PortForwardOptions::default()).await.unwrap();
    assert_eq!(forwarder.pod().await, "web-0");
    assert_answer(&forwarder, 8080, "web-0").await;
    assert_answer(&forwarder, "http", "web-0").await;
    // What is written to it may fail before, without the reason.
    let mut refused = forwarder.connect(81).await.unwrap();
    let error = soon("the refusal", refused.read_to_end(&mut Vec::new())).await.unwrap_err();
    assert!(error.to_string().ends_with("connection refused"), "{error}");
    assert_answer(&forwarder, "http", "web-0").await;
    let error = forwarder.connect("metrics").await.unwrap_err();
    assert!(error.to_string().ends_with("Pod 'web-0' does not have a named port 'metrics'"), "{error}");
}

#[tokio::test]
async fn ports_of_services_and_workloads_lead_to_a_pod_that_runs() {
    let (_server, client) = server().await;
    create_service(&client, json!("http")).await;
    let services = client.api::<Service>().namespace("shop");
    let options = PortForwardOptions::default();
    // The pod comes while the service is waited for; one that does not run is passed over.
    let pending =
        json!({"metadata": {"name": "a", "labels": {"app": "web"}}, "spec": {"containers": containers()}});
    pods(&client).create(&serde_json::from_value::<Pod>(pending).unwrap()).await.unwrap();
    let (forwarder, ()) = soon("forwarding", async {
        tokio::join!(services.port_forward("web", &options), running_pod(&client, "b", containers()))
    })
    .await;
    let forwarder = forwarder.unwrap();
    assert_answer(&forwarder, 80, "b").await;
    assert_answer(&forwarder, "front", "b").await;
    for (port, problem) in [
        (RemotePort::from(8080), "Service web does not have a service port 8080"),
        (RemotePort::from("http"), "Service 'web' does not have a named port 'http'"),
    ] {
        let error = forwarder.connect(port).await.unwrap_err();
        assert!(error.to_string().ends_with(problem), "{error}");
    }
    let deployment = json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers()}}
    }});
    let deployments = client.api::<Deployment>().namespace("shop");
    deployments.create(&serde_json::from_value(deployment).unwrap()).await.unwrap();
    let forwarder = deployments.port_forward("web", &options).await.unwrap();
    assert_answer(&forwarder, "http", "b").await;
}

#[tokio::test]
async fn what_cannot_be_forwarded_is_refused_with_its_reason() {
    let (_server, client) = server().await;
    let options = PortForwardOptions { pod_running_timeout: Duration::from_millis(50), ..Default::default() };
    let error = pods(&client).port_forward("none", &options).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let pending =
        json!({"metadata": {"name": "a", "labels": {"app": "web"}}, "spec": {"containers": containers()}});
    pods(&client).create(&serde_json::from_value::<Pod>(pending).unwrap()).await.unwrap();
    let error = pods(&client).port_forward("a", &options).await.unwrap_err();
    assert!(error.to_string().ends_with("pod is not running. Current status=Pending"), "{error}");
    create_service(&client, json!(8080)).await;
    let error = client.api::<Service>().namespace("shop").port_forward("web", &options).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let config_map = json!({"metadata": {"name": "web"}});
    let config_maps = client.api::<ConfigMap>().namespace("shop");
    config_maps.create(&serde_json::from_value(config_map).unwrap()).await.unwrap();
    let error = config_maps.port_forward("web", &options).await.unwrap_err();
    assert!(error.to_string().ends_with("it has no selector of pods"), "{error}");
}

#[tokio::test]
async fn local_ports_lead_to_the_pod_and_connections_fail_alone() {
    let (_server, client) = server().await;
    running_pod(&client, "web-0", containers()).await;
    create_service(&client, json!(8080)).await;
    let services = client.api::<Service>().namespace("shop");
    let forwarder = services.port_forward("web", &PortForwardOptions::default()).await.unwrap();
    let mapping: PortMapping = ":front".parse().unwrap();
    let listeners = forwarder.listen(&[LocalAddress::Localhost], &[mapping]).await.unwrap();
    let ports: Vec<_> = listeners.ports().cloned().collect();
    // A machine without IPv6 has one of both.
    assert!((1..=2).contains(&ports.len()));
    assert!(ports.iter().all(|port| port.local.port() == ports[0].local.port() && port.target == 8080));
    let pods_forwarder = pods(&client).port_forward("web-0", &PortForwardOptions::default()).await.unwrap();
    let dead =
        pods_forwarder.listen(&["127.0.0.1".parse().unwrap()], &[":81".parse().unwrap()]).await.unwrap();
    let dead_port = dead.ports().next().unwrap().local;
    let (events, mut seen) = mpsc::unbounded_channel();
    let run = listeners.run(|event| assert!(matches!(event, PortForwardEvent::Accepted(_))));
    let run_dead = dead.run(move |event| {
        if let PortForwardEvent::Failed(_, error) = event {
            events.send((error.kind(), error.to_string())).unwrap();
        }
    });
    let clients = async {
        for _ in 0..3 {
            let connections = ports.iter().cycle().take(20).map(|port| async move {
                let connection = TcpStream::connect(port.local).await.unwrap();
                exchange(connection, &vec![b'x'; 100_000]).await.unwrap().len()
            });
            let lengths = all(connections).await;
            assert!(lengths.iter().all(|length| *length == 100_006), "{lengths:?}");
            let lost = TcpStream::connect(dead_port).await.unwrap();
            // It is closed or reset.
            assert!(exchange(lost, b"x").await.unwrap_or_default().is_empty());
            let refused = "port 81 of pods/web-0: error forwarding port 81: connection refused".to_owned();
            assert_eq!(soon("an event", seen.recv()).await.unwrap(), (ErrorKind::Refused, refused));
        }
    };
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        ended = run_dead => panic!("{ended:?}"),
        () = clients => {}
    }
    // All ports are closed with the future.
    assert!(TcpStream::connect(dead_port).await.is_err());
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mapping = PortMapping { local: Some(port), remote: 80.into() };
    let error = forwarder.listen(&["127.0.0.1".parse().unwrap()], &[mapping]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
    assert_eq!(error.to_string(), format!("unable to listen on 127.0.0.1:{port}: Address already in use"));
}

#[tokio::test]
async fn a_connection_above_the_limit_is_refused_until_one_has_ended() {
    let (_server, client) = server().await;
    running_pod(&client, "web-0", containers()).await;
    let forwarder = pods(&client).port_forward("web-0", &PortForwardOptions::default()).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(soon("a connection", forwarder.connect(8080)).await.unwrap());
    }
    let error = forwarder.connect(8080).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(
        error.to_string(),
        "port 8080 of pod web-0: 256 connections are open, which is the most at a time: one has to end first"
    );
}

/// Awaits all, at the same time.
async fn all<F: Future<Output = usize>>(futures: impl Iterator<Item = F>) -> Vec<usize> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut results = vec![None; futures.len()];
    std::future::poll_fn(move |context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *result = Some(ready);
            }
        }
        match results.iter().copied().collect() {
            Some(results) => std::task::Poll::Ready(results),
            None => std::task::Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_pod_that_is_gone_is_replaced_on_request_only() {
    let (_server, client) = server().await;
    create_service(&client, json!("http")).await;
    running_pod(&client, "a", containers()).await;
    let services = client.api::<Service>().namespace("shop");
    let reconnect = PortForwardOptions { reconnect: true, ..Default::default() };
    let forwarder = services.port_forward("web", &reconnect).await.unwrap();
    assert_answer(&forwarder, 80, "a").await;
    let at_once = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
    pods(&client).delete("a", &at_once).await.unwrap();
    running_pod(&client, "b", containers()).await;
    assert_answer(&forwarder, 80, "b").await;
    assert_eq!(forwarder.pod().await, "b");
    set_running(&client, "b").await;
    assert_answer(&forwarder, 80, "b").await;
}

#[tokio::test]
async fn a_lost_connection_is_an_error_of_all_ports() {
    let (server, client) = server().await;
    running_pod(&client, "web-0", containers()).await;
    let forwarder = pods(&client).port_forward("web-0", &PortForwardOptions::default()).await.unwrap();
    let listeners = forwarder.listen(&[LocalAddress::Localhost], &[":8080".parse().unwrap()]).await.unwrap();
    let (ended, ()) = tokio::join!(listeners.run(|_| {}), server.stop());
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().ends_with("lost connection to pod"), "{error}");
    let error = forwarder.connect(8080).await.unwrap_err();
    assert!(error.to_string().ends_with("lost connection to pod"), "{error}");
}

#[tokio::test]
async fn a_pod_that_has_ended_ends_its_ports_at_the_next_connection() {
    let (_server, client) = server().await;
    running_pod(&client, "web-0", containers()).await;
    let forwarder = pods(&client).port_forward("web-0", &PortForwardOptions::default()).await.unwrap();
    let mappings = [":8080".parse().unwrap(), ":1".parse().unwrap()];
    let listeners = forwarder.listen(&["127.0.0.1".parse().unwrap()], &mappings).await.unwrap();
    let [web, none] = listeners.ports().map(|port| port.local).collect::<Vec<_>>()[..] else { panic!() };
    let (told, mut failed) = tokio::sync::mpsc::unbounded_channel();
    let run = listeners.run(move |event| {
        if let PortForwardEvent::Failed(_, error) = event {
            told.send(error.to_string()).unwrap();
        }
    });
    let connect = async {
        // A port at which nothing listens is no end of the others.
        exchange(TcpStream::connect(none).await.unwrap(), b"").await.ok();
        failed.recv().await.unwrap();
        let answer = exchange(TcpStream::connect(web).await.unwrap(), b"hello").await.unwrap();
        assert_eq!(answer, b"web-0:hello");
        let ended = json!({"status": {"phase": "Failed"}});
        pods(&client).patch_status("web-0", &klient_client::Patch::Merge(ended)).await.unwrap();
        exchange(TcpStream::connect(none).await.unwrap(), b"").await.ok();
        failed.recv().await.unwrap();
    };
    let (ended, ()) = soon("the end", async { tokio::join!(run, connect) }).await;
    assert!(ended.unwrap_err().to_string().ends_with("lost connection to pod"));
}

#[tokio::test]
async fn a_server_without_websocket_is_asked_for_spdy_first_from_then_on() {
    let (server, client) = server().await;
    running_pod(&client, "web-0", containers()).await;
    let (client, requested) = client_without_websocket(&server);
    for _ in 0..2 {
        let forwarder = pods(&client).port_forward("web-0", &PortForwardOptions::default()).await.unwrap();
        assert_answer(&forwarder, 8080, "web-0").await;
    }
    assert_eq!(*requested.lock().unwrap(), ["websocket", "SPDY/3.1", "SPDY/3.1"]);
}

#[test]
fn port_mappings_are_those_of_kubectl() {
    for (text, shown) in [
        ("80", Some("80")),
        ("8080:80", Some("8080:80")),
        (":80", Some(":80")),
        ("0:80", Some(":80")),
        ("1:http", Some("1:http")),
    ]
    .into_iter()
    .chain(
        ["", ":", "80:", "0", "1:0", "65536", "65536:1", "a:1", "1:2:3", "1:65536"].map(|text| (text, None)),
    ) {
        let mapping = text.parse::<PortMapping>().ok();
        assert_eq!(mapping.map(|mapping| mapping.to_string()).as_deref(), shown, "{text}");
    }
    for (text, problem) in [
        ("99999", "99999 is no port from 1 to 65535"),
        ("99999:80", "99999 is no port from 0 to 65535"),
        ("1:2:3", "it is not of the form [LOCAL_PORT:]REMOTE_PORT"),
    ] {
        let error = text.parse::<PortMapping>().unwrap_err();
        assert_eq!(error.to_string(), format!("port {text:?}: {problem}"));
    }
    let error = "nohost".parse::<LocalAddress>().unwrap_err();
    assert_eq!(error.to_string(), r#"address "nohost": it is neither an IP address nor localhost"#);
}
