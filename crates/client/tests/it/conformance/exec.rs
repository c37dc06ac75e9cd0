//! Credential plugins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_client::Client;
use serde_json::{Value, json};

use super::test_cluster::{TestCluster, until, user_of};
use crate::exec_fixture::{Script, seconds};

async fn name_of(client: &Client) -> String {
    user_of(client).await.unwrap().username.unwrap().to_string()
}

#[tokio::test]
async fn a_plugin_gives_a_token_and_is_told_of_the_cluster() {
    let cluster = TestCluster::start().await;
    let script = Script::new("printf %s \"$KUBERNETES_EXEC_INFO\" > $FOLDER/info; cat $FOLDER/credential");
    script.print(json!({"token": cluster.account_token("robot").await}));
    let mut exec = script.exec();
    exec["provideClusterInfo"] = true.into();
    let client = cluster.client_of(json!({"exec": exec}));
    assert_eq!(name_of(&client).await, cluster.account_user("robot"));
    let info: Value = serde_json::from_str(&script.read("info")).unwrap();
    let told = &info["spec"]["cluster"];
    let url = cluster.config().url.to_string();
    assert_eq!(told["server"].as_str().unwrap(), url.trim_end_matches('/'));
    let ca = BASE64.decode(told["certificate-authority-data"].as_str().unwrap()).unwrap();
    assert!(ca.starts_with(b"-----BEGIN CERTIFICATE-----"));
    assert_eq!(script.runs(), 1);
}

#[tokio::test]
async fn a_plugin_is_run_again_when_its_token_is_refused() {
    let cluster = TestCluster::start().await;
    let script = Script::printing(json!({"token": "stale"}));
    let client = cluster.client_of(json!({"exec": script.exec()}));
    assert!(user_of(&client).await.unwrap_err().is_unauthorized());
    assert_eq!(script.runs(), 2);
    script.print(json!({"token": cluster.account_token("robot").await}));
    let user = until("another token", async || user_of(&client).await.ok()).await;
    assert_eq!(user.username, Some(cluster.account_user("robot").into()));
}

#[tokio::test]
async fn a_plugin_gives_certificates() {
    let cluster = TestCluster::start().await;
    let [ann, bob] = [cluster.identity("ann", &["devs"]).await, cluster.identity("bob", &[]).await];
    let script = Script::printing(json!({
        "clientCertificateData": ann.certificate, "clientKeyData": ann.key, "expirationTimestamp": seconds(2),
    }));
    let client = cluster.client_of(json!({"exec": script.exec()}));
    let user = user_of(&client).await.unwrap();
    assert_eq!(user.username.as_deref(), Some("ann"));
    assert_eq!(user.groups, ["devs", "system:authenticated"]);
    script.print(json!({
        "clientCertificateData": bob.certificate, "clientKeyData": bob.key, "expirationTimestamp": seconds(3600),
    }));
    until("the other certificate", async || (name_of(&client).await == "bob").then_some(())).await;
}
