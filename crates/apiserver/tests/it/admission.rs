//! Webhooks and the configuration of admission: cases played in order, with kube-apiserver's answer below each step.
//!
//! `UPDATE_EXPECT=1` rewrites the files. With `KLIENT_JUDGE` set to a kubeconfig they are played to that server
//! instead of the embedded one: `cargo xtask e2e` does so with a real kube-apiserver, and both together record its answers.

mod definitions;
mod player;
mod replies;

use expect_test::expect_file;
use klient_apiserver::TestServer;

use crate::client::Client;
use crate::hook::Hook;
use player::Player;

async fn play(cases: &str) -> String {
    let hook = Hook::start(replies::reply).await;
    if let Ok(kubeconfig) = std::env::var("KLIENT_JUDGE") {
        return Player { client: Client::of_kubeconfig(&kubeconfig).await, hook }.play(cases).await;
    }
    let server = TestServer::start().await.expect("a server starts");
    Player { client: Client::admin(&server).await, hook }.play(cases).await
}

/// A test for each file of cases.
macro_rules! cases {
    ($($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            let played = play(include_str!(concat!("admission/", stringify!($name), ".txt"))).await;
            expect_file![concat!("admission/", stringify!($name), ".txt")].assert_eq(&played);
        }
    )*};
}

cases! {
    policies
    webhook_configurations
    webhook_responses
}
