//! Who one is to the server, and how a kubeconfig says so.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_api::authentication::v1::SelfSubjectReview;
use klient_api::core::v1::Namespace;
use klient_apiserver::TestServer;
use klient_client::{Client, Config, Error, Impersonation, Kubeconfig, ListOptions, Overrides};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;

use crate::cluster::cluster;

/// Whom the server takes one for.
async fn who_am_i(config: Config) -> Result<String, Error> {
    let client = Client::new(config)?;
    let review = client.api().create(&SelfSubjectReview::default()).await?;
    let user = review.status.user_info.expect("a review names the user");
    Ok(user.username.unwrap_or_default().to_string())
}

/// A kubeconfig of the server with a user given as fields.
fn kubeconfig(server: &TestServer, user: serde_json::Value) -> Kubeconfig {
    let ca = BASE64.encode(server.ca_pem());
    let all = json!({
        "clusters": [{"name": "c", "cluster": {"server": server.url(), "certificate-authority-data": ca}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "here",
    });
    Kubeconfig::parse(&all.to_string()).unwrap()
}

async fn who(server: &TestServer, user: serde_json::Value) -> String {
    let config = kubeconfig(server, user).config(&Overrides::default()).unwrap();
    who_am_i(config).await.unwrap_or_else(|error| format!("{error:?}"))
}

#[tokio::test]
async fn tokens_and_certificates_name_the_user() {
    let server = TestServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let token = server.token("ada", &["system:masters"]);
    let own = server.client_certificate("bob", &["system:masters"]).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let token_file = file("token", &format!("{token}\n"));
    let (certificate, key) = (file("crt", &own.certificate_pem), file("key", &own.key_pem));

    assert_eq!(who(&server, json!({"token": token})).await, "ada");
    assert_eq!(who(&server, json!({"tokenFile": token_file})).await, "ada");
    assert_eq!(who(&server, json!({"client-certificate": certificate, "client-key": key})).await, "bob");
    let data = json!({
        "client-certificate-data": BASE64.encode(&own.certificate_pem),
        "client-key-data": BASE64.encode(&own.key_pem),
        "client-key": "/not/read",
    });
    assert_eq!(who(&server, data).await, "bob");
    // The token in the file is the newer one, if there is a file.
    assert_eq!(who(&server, json!({"token": "old", "tokenFile": token_file})).await, "ada");
    assert_eq!(who(&server, json!({"token": token, "tokenFile": "/no/such/token"})).await, "ada");
    let unknown = who(&server, json!({"token": "wrong"})).await;
    assert!(unknown.ends_with(": Unauthorized"), "{unknown}");
    let half = kubeconfig(&server, json!({"client-certificate": certificate})).config(&Overrides::default());
    assert!(
        format!("{:?}", half.unwrap_err())
            .ends_with(r#"user "u" has a client certificate but no client-key"#)
    );
}

#[tokio::test]
async fn what_a_user_may_not_do_is_forbidden() {
    let server = TestServer::start().await.unwrap();
    let mut config = crate::cluster::config(&server);
    config.credentials = klient_client::Credentials::token(server.token("ada", &[]));
    let error = Client::new(config.clone()).unwrap().api::<Namespace>().get("default").await.unwrap_err();
    assert!(error.is_forbidden(), "{error:?}");
    assert!(error.to_string().contains(r#"User "ada" cannot get resource "namespaces""#), "{error}");
    config.credentials = klient_client::Credentials::token("wrong");
    let error = Client::new(config).unwrap().api::<Namespace>().get("default").await.unwrap_err();
    assert!(error.is_unauthorized(), "{error:?}");
}

#[tokio::test]
async fn overrides_stand_in_place_of_what_a_kubeconfig_says() {
    let server = TestServer::start().await.unwrap();
    let all = kubeconfig(&server, json!({"token": server.token("ada", &[])}));
    let overrides = Overrides {
        token: Some(server.token("eve", &[])),
        namespace: Some("shop".to_owned()),
        ..Default::default()
    };
    let config = all.config(&overrides).unwrap();
    assert_eq!(config.namespace, "shop");
    assert_eq!(who_am_i(config).await.unwrap(), "eve");

    let believing = Overrides { insecure_skip_tls_verify: true, ..Default::default() };
    assert_eq!(who_am_i(all.config(&believing).unwrap()).await.unwrap(), "ada");
    let named =
        Overrides { tls_server_name: Some("kubernetes.default.svc".to_owned()), ..Default::default() };
    assert_eq!(who_am_i(all.config(&named).unwrap()).await.unwrap(), "ada");
    let elsewhere = Overrides { server: Some("http://127.0.0.1:1".to_owned()), ..Default::default() };
    let config = all.config(&elsewhere).unwrap();
    assert!(
        matches!(config.credentials, klient_client::Credentials::None),
        "nothing is proved over plain HTTP"
    );
    for (overrides, problem) in [
        (
            Overrides { context: Some("there".to_owned()), ..Default::default() },
            "context \"there\" does not exist",
        ),
        (Overrides { cluster: Some("b".to_owned()), ..Default::default() }, "cluster \"b\" does not exist"),
        (Overrides { user: Some("v".to_owned()), ..Default::default() }, "user \"v\" does not exist"),
    ] {
        let told = format!("{:?}", all.config(&overrides).unwrap_err());
        assert!(told.contains(problem), "{told}");
    }
}

#[tokio::test]
async fn insecure_clusters_are_believed_whoever_they_are() {
    let (server, _) = cluster().await;
    let text = format!(
        "{{clusters: [{{name: c, cluster: {{server: '{}', insecure-skip-tls-verify: true}}}}], \
           users: [{{name: u, user: {{token: {}}}}}], current-context: x, \
           contexts: [{{name: x, context: {{cluster: c, user: u, namespace: shop}}}}]}}",
        server.url(),
        server.token("ada", &[])
    );
    let config = Config::from_kubeconfig(&text).unwrap();
    assert_eq!(Client::new(config.clone()).unwrap().default_namespace(), "shop");
    assert_eq!(who_am_i(config).await.unwrap(), "ada");
}

fn write(folder: &Path, name: &str, text: String) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// What is named twice is what the first file says; paths are meant from the folder of the file that names them.
#[tokio::test]
async fn files_are_joined() {
    let server = TestServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    write(folder.path(), "clusters/ca.crt", server.ca_pem().to_owned());
    write(folder.path(), "users/token", server.token("ada", &[]));
    let contexts = write(
        folder.path(),
        "contexts/config",
        "{contexts: [{name: here, context: {cluster: c, user: u}}], current-context: here}".to_owned(),
    );
    let clusters = write(
        folder.path(),
        "clusters/config",
        format!(
            "{{clusters: [{{name: c, cluster: {{server: '{}', certificate-authority: ca.crt}}}}]}}",
            server.url()
        ),
    );
    let users =
        write(folder.path(), "users/config", "users: [{name: u, user: {tokenFile: token}}]".to_owned());
    let last = write(
        folder.path(),
        "last/config",
        "{users: [{name: u, user: {token: wrong}}], current-context: elsewhere, clusters: null}".to_owned(),
    );
    let missing = folder.path().join("missing");
    let all = Kubeconfig::load(&[missing, contexts, clusters, users, last]).unwrap();
    assert_eq!(who_am_i(all.config(&Overrides::default()).unwrap()).await.unwrap(), "ada");
}

/// Asks what kubectl would use, in a process of its own: the environment belongs to all threads.
#[test]
fn the_environment_names_the_files() {
    let folder = TempDir::new().unwrap();
    let one = write(folder.path(), "one", "current-context: here".to_owned());
    let two = write(
        folder.path(),
        "two",
        "{clusters: [{name: c, cluster: {server: 'https://two.example'}}], \
          contexts: [{name: here, context: {cluster: c}}]}"
            .to_owned(),
    );
    let home = write(
        folder.path(),
        "home/.kube/config",
        "{clusters: [{name: c, cluster: {server: 'https://home.example'}}], current-context: x, \
          contexts: [{name: x, context: {cluster: c}}]}"
            .to_owned(),
    );
    let home = home.parent().and_then(Path::parent).unwrap();
    let both = std::env::join_paths([&one, &folder.path().join("missing"), &two, &one]).unwrap();
    let nowhere = folder.path().join("missing").into_os_string();
    for (variable, told) in [
        (both, "inferred: https://two.example/"),
        ("".into(), "inferred: https://home.example/"),
        (nowhere, "configuration: cannot be used: there is no kubeconfig"),
    ] {
        let program = std::env::current_exe().unwrap();
        let output = std::process::Command::new(program)
            .args(["--exact", "credentials::inferred", "--ignored", "--nocapture"])
            .env("KUBECONFIG", variable)
            .env("HOME", home)
            .env_remove("KUBERNETES_SERVICE_HOST")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(told), "{said}");
    }
}

#[test]
#[ignore = "run by the_environment_names_the_files"]
fn inferred() {
    match Config::infer() {
        Ok(config) => println!("inferred: {}", config.url),
        Err(error) => println!("{error:?}"),
    }
}

#[tokio::test]
async fn in_the_namespace_of_the_context_one_starts() {
    let (_server, client) = cluster().await;
    assert_eq!(client.default_namespace(), "default");
    assert_eq!(client.api::<Namespace>().list(&ListOptions::default()).await.unwrap().items.len(), 4);
}

/// The `Impersonate-…` headers that a client sends.
async fn impersonation(config: impl FnOnce(String) -> Config) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(format!("http://{}", listener.local_addr().unwrap()));
    let asking = tokio::spawn(async move { Client::new(config).unwrap().discovery().version().await });
    let mut lines = BufReader::new(listener.accept().await.unwrap().0).lines();
    let mut headers = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
        headers.extend(line.starts_with("impersonate-").then_some(line));
    }
    asking.abort();
    headers.sort();
    headers
}

#[tokio::test]
async fn a_user_to_act_as_is_sent_with_every_request() {
    let user = json!({
        "as": "bob", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"Team/x%": ["one", "two"]},
    });
    let kubeconfig = |url: String| {
        let all = json!({
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "here",
        });
        Kubeconfig::parse(&all.to_string()).unwrap()
    };
    let sent = impersonation(|url| kubeconfig(url).config(&Overrides::default()).unwrap()).await;
    let extra = ["impersonate-extra-team%2fx%25: one", "impersonate-extra-team%2fx%25: two"];
    let rest =
        ["impersonate-group: a", "impersonate-group: b", "impersonate-uid: 7", "impersonate-user: bob"];
    assert_eq!(sent, [&extra[..], &rest].concat());
    let other = Impersonation { user: "eve".into(), groups: vec!["c".into()], ..Impersonation::default() };
    let overrides = Overrides { impersonate: other.clone(), ..Overrides::default() };
    let sent = impersonation(|url| kubeconfig(url).config(&overrides).unwrap()).await;
    assert_eq!(sent[2..], ["impersonate-group: c", "impersonate-uid: 7", "impersonate-user: eve"]);
    let sent =
        impersonation(|url| Config { impersonate: Some(other), ..Config::from_url(&url).unwrap() }).await;
    assert_eq!(sent, ["impersonate-group: c", "impersonate-user: eve"]);
}
