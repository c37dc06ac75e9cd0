//! Secrets are shown in no `Debug`, no error and no log.

use http::{Method, Request};
use klient_api::core::v1::Secret;
use klient_apimachinery::Unstructured;
use klient_client::{
    Client, Config, Credentials, ExecConfig, ExecEnvVar, Kubeconfig, ListOptions, Overrides, RequestBody,
    Transport, WatchOptions,
};
use tower::ServiceExt as _;

use crate::cluster::{cluster, config, named, soon};
use crate::front::Front;
use crate::log::{Log, second_subscriber};

const SECRET: &str = "s3cr3t";

const SECRET_NUMBER: &str = "58008";

#[track_caller]
fn check(shown: impl std::fmt::Debug) {
    let text = format!("{shown:?} {shown:#?}");
    assert!(!text.contains(SECRET) && !text.contains(SECRET_NUMBER), "{text}");
}

#[test]
fn a_configuration_shows_no_secrets() {
    let text = format!(
        "{{clusters: [{{name: a, cluster: {{server: 'https://me:{SECRET}@h', proxy-url: 'http://me:{SECRET}@p'}}}}],
           users: [{{name: a, user: {{token: {SECRET}, password: {SECRET}, client-key-data: {SECRET}==,
                    client-certificate-data: {SECRET}==, exec: {{args: [{SECRET}], env: [{{name: a, value: {SECRET}}}]}},
                    auth-provider: {{config: {{id-token: {SECRET}}}}}}}}}],
           contexts: [{{name: a, context: {{cluster: a, user: a}}}}], current-context: a}}"
    );
    let kubeconfig = Kubeconfig::parse(&text).unwrap();
    check(&kubeconfig);
    check(kubeconfig.config(&Overrides::default()).unwrap_err());
    let variable = ExecEnvVar { name: "a".to_owned(), value: SECRET.to_owned() };
    let exec = ExecConfig { args: vec![SECRET.to_owned()], env: vec![variable], ..Default::default() };
    check(&exec);
    check(Credentials::exec(exec.clone()).unwrap_err());
    let (command, api_version) = ("a".to_owned(), "client.authentication.k8s.io/v1beta1".to_owned());
    check(Credentials::exec(ExecConfig { command, api_version, ..exec }).unwrap());
    check(Overrides { token: Some(SECRET.to_owned()), ..Default::default() });

    let mut config = Config::from_url("https://h").unwrap();
    for credentials in [Credentials::token(SECRET), Credentials::basic("me", SECRET)] {
        config.credentials = credentials;
        check((&config, &config.credentials, Client::new(config.clone()).unwrap()));
    }
    config.credentials = Credentials::token(format!("{SECRET}\n{SECRET}"));
    let client = Client::new(config.clone()).unwrap();
    check(client.request(Method::GET).body("application/json", SECRET));
    config.tls.client =
        Some(klient_client::ClientIdentity { certificate: SECRET.into(), key: SECRET.into() });
    check(&config);
    check(Client::new(config).unwrap_err());
}

#[test]
fn a_kubeconfig_that_is_none_is_told_without_what_it_holds() {
    for text in [
        format!("users: [{{name: a, user: {{token: [{SECRET}]}}}}]"),
        format!("users: [{{name: a, user: {SECRET}}}]"),
        format!("users: {SECRET}"),
        format!("users: [{{name: a, user: {{token: \"{SECRET}}}}}]"),
        SECRET.to_owned(),
        format!("kind: Secret\nstringData: {{a: {SECRET}}}\n  b: c"),
    ] {
        check(Kubeconfig::parse(&text).unwrap_err());
    }
}

#[tokio::test]
async fn a_token_no_header_can_hold_is_not_repeated() {
    let front = Front::saying(&["HTTP/1.1 200 OK\r\n\r\n{}"]).await;
    let mut config = Config::from_url(&front.url()).unwrap();
    config.credentials = Credentials::token(format!("{SECRET}\n{SECRET}"));
    let client = Client::new(config).unwrap();
    check(client.request(Method::GET).absolute_path("/version").send().await.unwrap_err());
    assert_eq!(front.requests(), [""; 0]);
}

#[tokio::test]
async fn answers_are_not_repeated_in_errors() {
    for body in [
        format!(r#"{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"a"}},"data":"{SECRET}"}}"#),
        format!(r#"{{"kind":"Secret","apiVersion":"v1","data":{{"password":"{SECRET}!"}}}}"#),
        format!(r#"{{"kind":"Secret","apiVersion":"v1","immutable":"{SECRET}"}}"#),
        format!(r#"{{"kind":"Secret","apiVersion":"v1","data":{{"pin":{SECRET_NUMBER}}}}}"#),
        format!(r#"{{"kind":"Secret","apiVersion":"v1","stringData":{SECRET_NUMBER}}}"#),
        format!(r#""{SECRET}""#),
        SECRET.to_owned(),
    ] {
        let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{body}")]).await;
        let client = front.client();
        let secrets = client.api::<Secret>().namespace("default");
        check(secrets.get("a").await.unwrap_err());
        check(secrets.list(&ListOptions::default()).await.unwrap_err());
        check(
            client
                .dynamic(<Secret as klient_apimachinery::Resource>::INFO)
                .namespace("default")
                .get("a")
                .await,
        );
        check(client.discovery().resources().await);
        check(secrets.update(&Secret { metadata: named("a"), ..Default::default() }).await.unwrap_err());
        let event = format!("{{\"type\":\"ADDED\",\"object\":{body}}}\n");
        let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{event}")]).await;
        let mut watch = front.client().api::<Secret>().watch(&WatchOptions::default()).await.unwrap();
        check(soon("an event", watch.next()).await);
    }
}

#[tokio::test]
async fn objects_that_hold_secrets_do_not_show_them() {
    let (_server, client) = cluster().await;
    let secrets = client.api::<Secret>().namespace("default");
    let mut watch = secrets.watch(&WatchOptions::default()).await.unwrap();
    let secret = Secret {
        metadata: named("a"),
        string_data: [("password", SECRET)].into(),
        data: [("key", SECRET.as_bytes().to_vec())].into(),
        ..Default::default()
    };
    check(&secret);
    check(Unstructured::from_typed(&secret));
    check(secrets.create(&secret).await.unwrap());
    check(soon("an event", watch.next()).await);
    check(secrets.list(&ListOptions::default()).await.unwrap());
    check(secrets.get_subresource::<Unstructured>("a", "status").await);
    check(client.request(Method::GET).absolute_path("/api/v1/secrets").send().await.unwrap());
    let mut bytes = client.request(Method::GET).absolute_path("/api/v1/secrets").stream().await.unwrap();
    bytes.line().await.unwrap();
    check(&bytes);
}

#[tokio::test]
async fn a_layer_that_prints_requests_prints_no_credentials() {
    let (server, _) = cluster().await;
    let mut config = config(&server);
    config.credentials = Credentials::token(format!("{}{SECRET}", server.admin_token()));
    let layer = tower::layer::layer_fn(|transport: Transport| {
        transport.map_request(|request: Request<RequestBody>| {
            check(&request);
            request
        })
    });
    let client = Client::with_layer(config, layer).unwrap();
    assert!(client.api::<Secret>().list(&ListOptions::default()).await.unwrap_err().is_unauthorized());
}

/// The tests' runtime has one thread, so that all of a connection's tasks log here.
#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let (log, _second) = (Log::default(), second_subscriber());
    let _guard = tracing::subscriber::set_default(log.clone());
    let (server, _) = cluster().await;
    let token = server.token("someone", &["system:masters"]);
    let one = Front::tls_proxy(&server, "http/1.1").await;
    let two = Front::tls_proxy(&server, "h2").await;
    for mut config in [config(&server), one.tls_client().config().clone(), two.tls_client().config().clone()]
    {
        for credentials in [Credentials::token(token.as_str()), Credentials::basic("me", token.as_str())] {
            config.credentials = credentials;
            let client = Client::new(config.clone()).unwrap();
            let secrets = client.api::<Secret>().namespace("default");
            let _ = secrets.list(&ListOptions::default()).await;
            let _ = secrets.watch(&WatchOptions::default()).await;
        }
    }
    let front =
        Front::saying(&["", "HTTP/1.1 429 Wait\r\nretry-after: 0\r\n\r\n", "HTTP/1.1 401 No\r\n\r\n"]).await;
    let mut config = front.client().config().clone();
    config.credentials = Credentials::token(token.as_str());
    let client = Client::new(config).unwrap();
    client.api::<Secret>().namespace("default").get("a").await.unwrap_err();

    let logged = log.text();
    assert!(logged.contains("sending again"), "the log is read: {logged}");
    assert!(!logged.contains(&token));
}
