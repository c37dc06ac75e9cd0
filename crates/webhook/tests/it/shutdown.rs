//! The end of a server, and its health.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use klient_api::core::v1::ConfigMap;
use klient_client::{Client, HttpVersion};
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, ServerOptions, Webhooks};
use tokio::sync::{Notify, Semaphore};

use crate::cluster::{Hooks, any_port, config_map, post, review};

async fn health(client: &Client, path: &str) -> Result<String, Option<u16>> {
    let answer = client.request(Method::GET).request_uri(path).send().await;
    answer.map(|answer| answer.text()).map_err(|error| error.code())
}

#[derive(Clone)]
struct Gate {
    begun: Arc<Notify>,
    open: Arc<Semaphore>,
}

#[tokio::test]
async fn requests_in_progress_end_and_new_connections_are_refused() {
    let gate = Gate { begun: Arc::new(Notify::new()), open: Arc::new(Semaphore::new(0)) };
    let wait = async |_: Request<ConfigMap>, gate: Gate| {
        gate.begun.notify_one();
        drop(gate.open.acquire().await);
        Ok::<_, Denied>(Allowed::new())
    };
    let webhook = AdmissionWebhook::validating("wait.hooks.example", gate.clone(), wait);
    let hooks = Hooks::start(Webhooks::builder().admission(webhook)).await;
    for http in [HttpVersion::Negotiate, HttpVersion::Http11] {
        let client = hooks.client(http);
        for path in ["/healthz", "/livez", "/readyz"] {
            assert_eq!(health(&client, path).await, Ok("ok".to_owned()));
        }
    }
    let client = hooks.client(HttpVersion::Negotiate);
    let request = tokio::spawn(async move {
        post(&client, "/validate--v1-configmap?timeout=30s", &review(&config_map("a"))).await
    });
    gate.begun.notified().await;
    let other = hooks.client(HttpVersion::Negotiate);
    let stop = tokio::spawn(hooks.server.stop());
    // It still has the port for a moment.
    while health(&other, "/healthz").await.is_ok() {
        tokio::task::yield_now().await;
    }
    gate.open.add_permits(1);
    assert_eq!(request.await.unwrap().unwrap()["response"]["allowed"], true);
    stop.await.unwrap();
}

#[tokio::test]
async fn a_server_that_leaves_is_not_ready_and_serves_on() {
    let allow = async |_: Request<ConfigMap>, ()| Ok::<_, Denied>(Allowed::new());
    let webhook = AdmissionWebhook::validating("allow.hooks.example", (), allow);
    let options = ServerOptions { shutdown_delay: Duration::from_secs(3600), ..any_port() };
    let hooks = Hooks::with(Webhooks::builder().admission(webhook), options).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let stop = tokio::spawn(hooks.server.stop());
    while health(&client, "/readyz").await != Err(Some(503)) {
        tokio::task::yield_now().await;
    }
    assert_eq!(health(&client, "/livez").await, Ok("ok".to_owned()));
    post(&client, "/validate--v1-configmap", &review(&config_map("a"))).await.unwrap();
    stop.abort();
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cancelled_after_the_time_of_the_shutdown() {
    let begun = Arc::new(Notify::new());
    let never = async |_: Request<ConfigMap>, begun: Arc<Notify>| {
        begun.notify_one();
        std::future::pending::<Result<Allowed, Denied>>().await
    };
    let webhook = AdmissionWebhook::validating("never.hooks.example", begun.clone(), never);
    let options = ServerOptions { shutdown_timeout: Duration::from_millis(50), ..any_port() };
    let hooks = Hooks::with(Webhooks::builder().admission(webhook), options).await;
    let client = hooks.client(HttpVersion::Http11);
    let request = tokio::spawn(async move {
        post(&client, "/validate--v1-configmap?timeout=30s", &review(&config_map("a"))).await
    });
    begun.notified().await;
    hooks.server.stop().await;
    request.await.unwrap().unwrap_err();
}
