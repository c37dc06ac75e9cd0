//! Requests side by side.

use std::sync::Arc;

use klient_api::core::v1::ConfigMap;
use klient_client::HttpVersion;
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, Webhooks};
use tokio::sync::Barrier;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::cluster::{Hooks, config_map, post, review};

/// More than the streams of an HTTP/2 connection.
const REQUESTS: usize = 300;

#[tokio::test]
async fn all_requests_are_in_progress_at_once() {
    // Each handler waits for all others.
    let barrier = Arc::new(Barrier::new(REQUESTS));
    let wait = async |_: Request<ConfigMap>, barrier: Arc<Barrier>| {
        barrier.wait().await;
        Ok::<_, Denied>(Allowed::new())
    };
    let webhook = AdmissionWebhook::validating("wait.hooks.example", barrier, wait);
    let hooks = Hooks::start(Webhooks::builder().admission(webhook)).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS {
        let client = client.clone();
        requests.spawn(async move {
            let review = review(&config_map(&format!("m{number}")));
            post(&client, "/validate--v1-configmap?timeout=30s", &review).await.unwrap()
        });
    }
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.unwrap()["response"]["allowed"], true);
    }
}

#[tokio::test]
async fn a_handler_is_cancelled_when_its_client_leaves() {
    let (left, mut has_left) = unbounded_channel();
    let (begun, mut has_begun) = unbounded_channel();
    struct Leaves(UnboundedSender<()>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let wait = async |_: Request<ConfigMap>, (begun, left): (UnboundedSender<()>, UnboundedSender<()>)| {
        let _leaves = Leaves(left);
        begun.send(()).unwrap();
        std::future::pending::<Result<Allowed, Denied>>().await
    };
    let webhook = AdmissionWebhook::validating("wait.hooks.example", (begun, left), wait);
    let hooks = Hooks::start(Webhooks::builder().admission(webhook)).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let request = tokio::spawn(async move {
        post(&client, "/validate--v1-configmap?timeout=30s", &review(&config_map("a"))).await
    });
    has_begun.recv().await.unwrap();
    request.abort();
    has_left.recv().await.unwrap();
}
