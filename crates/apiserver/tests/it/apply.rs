//! Field ownership after writes: cases played in order, with the expected result below each step.
//!
//! `UPDATE_EXPECT=1` rewrites the files. With `KLIENT_JUDGE` set to a kubeconfig they are played to that server
//! instead of the embedded one: `cargo xtask e2e` does so with a real kube-apiserver, and the results are the same.

mod player;
mod step;

use expect_test::{expect, expect_file};
use klient_apiserver::TestServer;

use crate::client::Client;
use player::Player;

async fn play(cases: &str) -> String {
    if let Ok(kubeconfig) = std::env::var("KLIENT_JUDGE") {
        return Player::new(Client::of_kubeconfig(&kubeconfig).await).play(cases).await;
    }
    let server = TestServer::start().await.expect("a server starts");
    Player::new(Client::admin(&server).await).play(cases).await
}

/// A test for each file of cases.
macro_rules! cases {
    ($($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            let played = play(include_str!(concat!("apply/", stringify!($name), ".txt"))).await;
            expect_file![concat!("apply/", stringify!($name), ".txt")].assert_eq(&played);
        }
    )*};
}

cases! {
    custom
    lists
    maps
    ownership
    patches
    refusals
    subresources
}

/// Plays cases with a definition of gadgets to the embedded server, and gives what came of them but for the headline.
async fn play_to_embedded(cases: &str) -> String {
    let server = TestServer::start().await.expect("a server starts");
    let played = Player::new(Client::admin(&server).await).play(&format!("Cases.\n{cases}")).await;
    played["Cases.\n".len()..].to_owned()
}

/// A real server serves the new schema only some time later.
#[tokio::test]
async fn a_map_becomes_one_value_and_two_again() {
    let played = play_to_embedded(include_str!("apply/redefined.txt")).await;
    expect_file!["apply/redefined.txt"].assert_eq(&played);
}

/// A kube-apiserver 1.37 refuses this: it cannot find the kind of the scale in its own group.
#[tokio::test]
async fn the_scale_of_a_custom_resource_can_be_taken_over() {
    let cases = include_str!("apply/custom.txt");
    let begin = cases.find("define").expect("definitions");
    let end = cases.find("\n# ").expect("cases");
    let steps = r#"
# a scale is taken over
alice apply gadgets/a {spec: {replicas: 1, size: large}}
bob apply gadgets/a/scale force {spec: {replicas: 2}}
? gadgets/a .spec.replicas
"#;
    let played = play_to_embedded(&format!("{}{steps}", &cases[begin..end])).await;
    let played = &played[played.find("# a scale").expect("the case")..];
    expect![[r#"
        # a scale is taken over
        alice apply gadgets/a {spec: {replicas: 1, size: large}}
          201
          alice Apply: .spec.replicas .spec.size
        bob apply gadgets/a/scale force {spec: {replicas: 2}}
          200
          alice Apply: .spec.size
          bob Apply/scale at no time: .spec.replicas
        ? gadgets/a .spec.replicas
          .spec.replicas 2
    "#]]
    .assert_eq(played);
}

#[tokio::test]
async fn what_is_applied_must_name_a_new_object() {
    let server = klient_apiserver::TestServer::start().await.expect("a server starts");
    let client = crate::client::Client::admin(&server).await;
    let path = format!("{}/a?fieldManager=m", crate::objects::CONFIG_MAPS);
    let apply = |config: serde_json::Value| {
        let media = crate::client::sends("application/apply-patch+yaml");
        let (client, path) = (&client, &path);
        async move { client.send(http::Method::PATCH, path, &media, config.to_string()).await }
    };
    let unnamed = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}});
    assert_eq!(
        apply(unnamed.clone()).await.refusal(),
        "400 the name of the object (a based on URL) was undeterminable: name must be provided"
    );
    let mut named = unnamed.clone();
    named["metadata"] = serde_json::json!({"name": "a"});
    apply(named).await.expect(201);
    apply(unnamed).await.expect(200);
}
