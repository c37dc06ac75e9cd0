//! Credentials: tokens, certificates, providers and impersonation, from kubeconfigs and set by hand.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderValue;
use klient_api::authentication::v1::SelfSubjectReview;
use klient_api::core::v1::Namespace;
use klient_apimachinery::BoxFuture;
use klient_apiserver::TestServer;
use klient_client::{
    AuthProvider, BoxError, Client, Config, Credentials, Error, ErrorKind, Impersonation, Kubeconfig,
    ListOptions, LoadingRules, Overrides, Pem,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::cluster::cluster;

/// The user that the server authenticates.
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
    });
    assert_eq!(who(&server, data).await, "bob");
    // The token in the file is the newer one, if there is a file.
    assert_eq!(who(&server, json!({"token": "old", "tokenFile": token_file})).await, "ada");
    assert_eq!(who(&server, json!({"token": token, "tokenFile": "/no/such/token"})).await, "ada");
    let unknown = who(&server, json!({"token": "wrong"})).await;
    assert!(unknown.ends_with(": Unauthorized"), "{unknown}");
    let half = kubeconfig(&server, json!({"client-certificate": certificate})).config(&Overrides::default());
    let half = half.unwrap_err().to_string();
    assert!(half.contains("client-key-data or client-key must be specified for u to use"), "{half}");
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
        (Overrides { user: Some("v".to_owned()), ..Default::default() }, "auth info \"v\" does not exist"),
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

/// Of two entries of one name the first counts; paths are relative to the folder of the file that names them.
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
    let all =
        LoadingRules { precedence: vec![missing, contexts, clusters, users, last], ..Default::default() };
    let all = all.load().unwrap();
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
        (nowhere, "inferred: http://localhost:8080/"),
    ] {
        let program = std::env::current_exe().unwrap();
        let output = std::process::Command::new(program)
            .args(["--exact", "credentials::inferred", "--ignored", "--nocapture"])
            .env("KUBECONFIG", variable)
            .env("HOME", home)
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env_remove("KUBERNETES_MASTER")
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

/// Tokens that are had one after another, each by a refresh; the last stays.
#[derive(Default)]
struct Tokens {
    left: Mutex<Vec<String>>,
    asked: AtomicUsize,
    refreshed: AtomicUsize,
}

impl Tokens {
    fn new(tokens: &[&str]) -> Arc<Self> {
        let left = tokens.iter().rev().map(|token| (*token).to_owned()).collect();
        Arc::new(Tokens { left: Mutex::new(left), ..Default::default() })
    }

    async fn header(&self) -> Result<Option<HeaderValue>, BoxError> {
        // Others get their turn meanwhile.
        tokio::task::yield_now().await;
        let left = self.left.lock().unwrap();
        let token = left.last().ok_or("the machine with the tokens is on fire")?;
        Ok(Some(HeaderValue::try_from(format!("Bearer {token}"))?))
    }
}

struct Vending(Arc<Tokens>);

impl AuthProvider for Vending {
    fn name(&self) -> &str {
        "vending machine"
    }

    fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(self.0.header())
    }

    fn refresh(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        self.0.refreshed.fetch_add(1, Ordering::Relaxed);
        let mut left = self.0.left.lock().unwrap();
        if left.len() != 1 {
            left.pop();
        }
        Box::pin(self.0.header())
    }
}

fn vending(server: &TestServer, tokens: &Arc<Tokens>) -> Config {
    Config { credentials: Credentials::provider(Vending(tokens.clone())), ..crate::cluster::config(server) }
}

#[tokio::test]
async fn a_provider_is_asked_for_other_credentials_when_the_server_refuses_them() {
    let server = TestServer::start().await.unwrap();
    let good = server.token("ada", &["system:masters"]);
    let tokens = Tokens::new(&["stale", &good]);
    assert_eq!(who_am_i(vending(&server, &tokens)).await.unwrap(), "ada");
    assert_eq!((tokens.asked.load(Ordering::Relaxed), tokens.refreshed.load(Ordering::Relaxed)), (1, 1));
    // Where there are no others, it is asked once, and the server has the last word.
    for tokens in [Tokens::new(&["stale"]), Tokens::new(&["stale", "stale as well"])] {
        let error = who_am_i(vending(&server, &tokens)).await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
        assert_eq!(tokens.refreshed.load(Ordering::Relaxed), 1);
    }
    // A request that has a header of its own is not meant.
    let tokens = Tokens::new(&["stale", &good]);
    let client = Client::new(vending(&server, &tokens)).unwrap();
    let request = client.request(http::Method::GET).absolute_path("/api/v1/namespaces");
    let request = request.header(http::header::AUTHORIZATION, "Bearer of its own");
    assert!(request.send().await.unwrap_err().is_unauthorized());
    assert_eq!((tokens.asked.load(Ordering::Relaxed), tokens.refreshed.load(Ordering::Relaxed)), (0, 0));
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_refresh() {
    let server = TestServer::start().await.unwrap();
    let good = server.token("ada", &["system:masters"]);
    for (tokens, is_good) in [(Tokens::new(&["stale", &good]), true), (Tokens::new(&["stale"]), false)] {
        let client = Client::new(vending(&server, &tokens)).unwrap();
        // All of them are refused before the first is answered.
        let requests: Vec<_> = (0..20)
            .map(|_| {
                let namespaces = client.api::<Namespace>();
                tokio::spawn(async move { namespaces.list(&ListOptions::default()).await })
            })
            .collect();
        for request in requests {
            assert_eq!(request.await.unwrap().is_ok(), is_good);
        }
        let refreshed = tokens.refreshed.load(Ordering::Relaxed);
        // Those that were sent after a refresh in vain have one of their own.
        assert!(if is_good { refreshed == 1 } else { (1..=20).contains(&refreshed) }, "{refreshed}");
        assert_eq!(client.api::<Namespace>().list(&ListOptions::default()).await.is_ok(), is_good);
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_named() {
    let server = TestServer::start().await.unwrap();
    for tokens in [Tokens::new(&[]), Tokens::new(&["s3cr3t"])] {
        let config = vending(&server, &tokens);
        assert_eq!(format!("{:?}", config.credentials), "Provider(vending machine)");
        let fails = tokens.left.lock().unwrap().is_empty();
        let error = Client::new(config).unwrap().discovery().version().await.map(drop);
        // The version may be read by everyone, but not by one whom nobody knows.
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?} {error:#?}").contains("s3cr3t"), "{error}");
        if fails {
            assert_eq!(error.kind(), ErrorKind::Auth);
            assert_eq!(
                error.to_string(),
                format!(
                    "GET {}/version?timeout=32s: no credentials: vending machine: the machine with the tokens is on fire",
                    server.url()
                )
            );
        } else {
            assert!(error.is_unauthorized(), "{error}");
        }
    }
}

/// A token service that takes its time, and keeps the token that it gave.
struct Slow {
    time: Duration,
    fetched: Arc<AtomicUsize>,
    token: tokio::sync::OnceCell<HeaderValue>,
}

impl Slow {
    fn client(time: Duration) -> (Client, Arc<AtomicUsize>) {
        let fetched = Arc::<AtomicUsize>::default();
        let slow = Slow { time, fetched: fetched.clone(), token: Default::default() };
        let mut config = Config::from_url("http://127.0.0.1:1").unwrap();
        config.credentials = Credentials::provider(slow);
        (Client::new(config).unwrap(), fetched)
    }
}

impl AuthProvider for Slow {
    fn name(&self) -> &str {
        "slow service"
    }

    fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        let fetch = async || {
            self.fetched.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.time).await;
            HeaderValue::from_static("Bearer token")
        };
        Box::pin(async move { Ok(Some(self.token.get_or_init(fetch).await.clone())) })
    }
}

/// The errors of some requests that are made at the same time.
async fn errors_at_once(client: &Client) -> Vec<Error> {
    let list = || {
        let namespaces = client.api::<Namespace>();
        tokio::spawn(async move { namespaces.list(&ListOptions::default()).await.unwrap_err() })
    };
    let requests: Vec<_> = (0..5).map(|_| list()).collect();
    let mut errors = Vec::new();
    for request in requests {
        errors.push(request.await.unwrap());
    }
    errors
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_named_when_its_time_is_up() {
    let (client, _) = Slow::client(Duration::MAX);
    let start = Instant::now();
    for error in errors_at_once(&client).await {
        let text = "GET http://127.0.0.1:1/api/v1/namespaces: no credentials: slow service: no credentials within 30 s";
        assert_eq!(error.to_string(), text);
        assert_eq!((error.kind(), error.is_timeout()), (ErrorKind::Auth, true));
    }
    // The time of each began when it was made, not when those before it had given up.
    assert_eq!(start.elapsed().as_secs(), 30);

    let mut config = client.config().clone();
    config.timeouts.auth = Some(Duration::from_secs(5));
    let error = Client::new(config).unwrap().api::<Namespace>().get("a").await.unwrap_err();
    assert!(error.to_string().ends_with("slow service: no credentials within 5 s"), "{error}");
    assert_eq!(start.elapsed().as_secs(), 35);
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_time_share_one_slow_call() {
    let (client, fetched) = Slow::client(Duration::from_secs(29));
    for error in errors_at_once(&client).await {
        // All of them have the token; there is no server.
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    }
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_token_file_that_was_changed_is_read_when_the_server_refuses_the_old_token() {
    let server = TestServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "expired").unwrap();
    let credentials = Credentials::token_file(&path).unwrap();
    let config = Config { credentials, ..crate::cluster::config(&server) };
    assert!(who_am_i(config.clone()).await.unwrap_err().is_unauthorized());
    fs::write(&path, server.token("ada", &[])).unwrap();
    assert_eq!(who_am_i(config).await.unwrap(), "ada");
}

/// Connections are made anew by a restart; the client stays.
#[tokio::test]
async fn certificates_that_are_rotated_are_used_by_the_next_connection() {
    let server = TestServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rotate = |user: &str| {
        let own = server.client_certificate(user, &[]).unwrap();
        fs::write(path("crt"), own.certificate_pem).unwrap();
        fs::write(path("key"), own.key_pem).unwrap();
    };
    rotate("ada");
    fs::write(path("ca"), TestServer::start().await.unwrap().ca_pem()).unwrap();
    let user = json!({"client-certificate": path("crt"), "client-key": path("key")});
    let mut config = kubeconfig(&server, user).config(&Overrides::default()).unwrap();
    config.tls.ca = Some(Pem::file(path("ca")));
    let client = Client::new(config).unwrap();
    let who = async || {
        let review = client.api().create(&SelfSubjectReview::default()).await?;
        let user = review.status.user_info.expect("a review names the user");
        Ok::<_, Error>(user.username.unwrap_or_default().to_string())
    };
    let error = who().await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    fs::write(path("ca"), server.ca_pem()).unwrap();
    for _ in 0..2 {
        assert_eq!(who().await.unwrap(), "ada");
    }
    rotate("bob");
    assert_eq!(who().await.unwrap(), "ada", "a connection keeps its certificate");
    server.restart().await.unwrap();
    assert_eq!(who().await.unwrap(), "bob");
    // What cannot be used leaves the certificate as it was.
    fs::write(path("key"), "no key").unwrap();
    server.restart().await.unwrap();
    assert_eq!(who().await.unwrap(), "bob");
}
