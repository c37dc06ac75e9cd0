//! The auth provider `oidc`: an issuer over TLS, against the embedded server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use klient_apiserver::{Options, Server};
use klient_client::{Client, Config, ErrorKind};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::exec_fixture::who;

/// An ID token that expires so many seconds from now.
fn id_token(from_now: i64) -> String {
    let now = klient_apimachinery::Time::now().unix();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json!({"exp": now + from_now}).to_string()))
}

/// A server to which each ID token is a user.
async fn server(tokens: &[(&str, &str)]) -> Server {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tokens.csv");
    let lines: Vec<String> = tokens.iter().map(|(token, user)| format!("{token},{user},1\n")).collect();
    std::fs::write(&file, lines.concat()).unwrap();
    Server::start(Options { token_auth_file: Some(file), ..Default::default() }).await.unwrap()
}

/// An issuer, which answers requests to its token endpoint one after another with these.
struct Issuer {
    address: SocketAddr,
    certificate: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Issuer {
    async fn new(answers: Vec<(u16, Value)>, metadata: Value) -> Issuer {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let answers = Arc::new(Mutex::new(answers.into_iter()));
        let noting = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, noting, answers) = (tls.clone(), noting.clone(), answers.clone());
                let metadata = metadata.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (noting, answers, metadata) = (noting.clone(), answers.clone(), metadata.clone());
                        async move {
                            let (head, body) = request.into_parts();
                            let form = body.collect().await?.to_bytes();
                            let header = |name: &str| {
                                head.headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned()
                            };
                            noting.lock().unwrap().push(format!(
                                "{} {} {} {}",
                                head.method,
                                head.uri.path(),
                                header("authorization"),
                                String::from_utf8_lossy(&form)
                            ));
                            let (status, answer) = match head.uri.path() {
                                "/realm/.well-known/openid-configuration" => {
                                    let mut answer =
                                        json!({"token_endpoint": format!("https://{address}/token")});
                                    answer
                                        .as_object_mut()
                                        .unwrap()
                                        .extend(metadata.as_object().unwrap().clone());
                                    (200, answer)
                                }
                                _ => answers.lock().unwrap().next().unwrap_or((500, json!("no answer left"))),
                            };
                            let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
                            *response.status_mut() = StatusCode::from_u16(status).unwrap();
                            Ok::<_, hyper::Error>(response)
                        }
                    });
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Issuer { address, certificate: own.cert.pem(), seen }
    }

    /// The settings of a client of it.
    fn settings(&self, id_token: &str, refresh_token: &str) -> Value {
        json!({
            "idp-issuer-url": format!("https://{}/realm/", self.address),
            "idp-certificate-authority-data": BASE64.encode(&self.certificate),
            "client-id": "klient", "client-secret": "s3cr3t",
            "id-token": id_token, "refresh-token": refresh_token,
            "extra-scopes": "groups",
        })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn config(server: &Server, settings: &Value) -> Config {
    Config::from_kubeconfig(&kubeconfig(server, settings).to_string()).unwrap()
}

fn kubeconfig(server: &Server, settings: &Value) -> Value {
    let provider = json!({"name": "oidc", "config": settings});
    json!({
        "clusters": [{"name": "c", "cluster": {
            "server": server.url(), "certificate-authority-data": BASE64.encode(server.ca_pem()),
        }}],
        "users": [{"name": "ci", "user": {"auth-provider": provider}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "ci"}}],
        "current-context": "here",
    })
}

#[tokio::test]
async fn an_id_token_is_used_until_it_expires_and_then_renewed() {
    let (valid, expiring, fresh) = (id_token(3600), id_token(5), id_token(7200));
    let server = server(&[(&valid, "ada"), (&fresh, "bob")]).await;
    let granted = (200, json!({"id_token": fresh, "refresh_token": "two", "access_token": "x"}));
    let issuer = Issuer::new(vec![granted], json!({})).await;
    let client = Client::new(config(&server, &issuer.settings(&valid, "one"))).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    assert!(issuer.seen().is_empty());

    // Requests of all clients of the user share one renewal.
    let settings = issuer.settings(&expiring, "one");
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let client = Client::new(config(&server, &settings)).unwrap();
            tokio::spawn(async move { who(&client).await.unwrap() })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), "bob");
    }
    let basic = BASE64.encode("klient:s3cr3t");
    assert_eq!(
        issuer.seen(),
        [
            "GET /realm/.well-known/openid-configuration - ".to_owned(),
            format!("POST /token Basic {basic} grant_type=refresh_token&refresh_token=one"),
        ]
    );
}

#[tokio::test]
async fn an_id_token_that_is_refused_is_renewed() {
    let (revoked, fresh) = (id_token(3600), id_token(7200));
    let server = server(&[(&fresh, "ada")]).await;
    // The secret goes where the issuer wants it.
    let metadata = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    let issuer = Issuer::new(vec![(200, json!({"id_token": fresh}))], metadata).await;
    let client = Client::new(config(&server, &issuer.settings(&revoked, "o/ne"))).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    let form = "grant_type=refresh_token&refresh_token=o%2Fne&client_id=klient&client_secret=s3cr3t";
    assert_eq!(issuer.seen()[1], format!("POST /token - {form}"));
}

/// The error of a request, without the request.
async fn error(server: &Server, settings: &Value) -> String {
    let error = who(&Client::new(config(server, settings)).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    let text = format!("{error}");
    assert!(!format!("{text} {error:?} {error:#?}").contains("s3cr3t"), "{text}");
    text.split_once(": no credentials: ").expect("it is the error of a request").1.to_owned()
}

#[tokio::test]
async fn an_issuer_that_refuses_is_told_with_its_reason() {
    let server = server(&[]).await;
    let expired = id_token(-60);
    for (answer, problem) in [
        (
            (400, json!({"error": "invalid_grant", "error_description": "Session not active"})),
            "https://ISSUER/token: failed to refresh token: 400 Bad Request: invalid_grant: Session not active: sign in \
             again with the tool that wrote the kubeconfig",
        ),
        (
            // An issuer that repeats the request.
            (
                400,
                json!({"error": "invalid_request", "error_description": "refresh_token=s3cr3t is no token"}),
            ),
            "https://ISSUER/token: failed to refresh token: 400 Bad Request: invalid_request: refresh_token=*** is no \
             token",
        ),
        ((503, json!("s3cr3t")), "https://ISSUER/token: failed to refresh token: 503 Service Unavailable"),
        (
            (200, json!({"access_token": "s3cr3t"})),
            "token response did not contain an id_token, either the scope \"openid\" wasn't requested upon login, or the \
             provider doesn't support id_tokens as part of the refresh response",
        ),
    ] {
        let issuer = Issuer::new(vec![answer], json!({})).await;
        let told = error(&server, &issuer.settings(&expired, "s3cr3t")).await;
        let told = told.replace(&issuer.address.to_string(), "ISSUER");
        assert_eq!(told, format!("oidc provider https://ISSUER/realm/ of user \"ci\": {problem}"));
    }
    let issuer = Issuer::new(vec![], json!({"token_endpoint": ""})).await;
    let told = error(&server, &issuer.settings(&expired, "s3cr3t")).await;
    assert!(told.ends_with("discovery object doesn't contain a token_endpoint"), "{told}");
    let told = error(&server, &issuer.settings(&expired, "")).await;
    assert!(
        told.contains("No valid id-token, and cannot refresh without refresh-token: sign in again"),
        "{told}"
    );
    // Another authority than the one that is trusted.
    let mut settings = issuer.settings(&expired, "s3cr3t");
    settings["idp-certificate-authority-data"] = BASE64.encode(server.ca_pem()).into();
    let told = error(&server, &settings).await;
    assert!(told.contains("/realm/.well-known/openid-configuration: no response"), "{told}");
    assert!(told.contains("invalid peer certificate"), "{told}");
}

#[tokio::test]
async fn new_tokens_are_written_back_to_the_kubeconfig() {
    let (expired, fresh, last) = (id_token(-60), id_token(5), id_token(7200));
    let server = server(&[(&fresh, "ada"), (&last, "bob")]).await;
    let answer = |id_token: &str, refresh_token: &str| {
        (200, json!({"id_token": id_token, "refresh_token": refresh_token}))
    };
    let issuer = Issuer::new(vec![answer(&fresh, "two"), answer(&last, "three")], json!({})).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config");
    let mut before = kubeconfig(&server, &issuer.settings(&expired, "one"));
    before["users"].as_array_mut().unwrap().push(json!({"name": "other", "user": {"token": "x"}}));
    std::fs::write(&file, before.to_string()).unwrap();
    let client = Client::new(Config::from_kubeconfig_file(&file).unwrap()).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    let tokens = || {
        let text = std::fs::read(&file).unwrap();
        let now = klient_apimachinery::yaml::from_slice(&text).unwrap();
        assert_eq!(now["users"][1]["user"]["token"], "x");
        let config = &now["users"][0]["user"]["auth-provider"]["config"];
        ["id-token", "refresh-token", "client-secret"].map(|name| config[name].as_str().unwrap().to_owned())
    };
    assert_eq!(tokens(), [&fresh, "two", "s3cr3t"]);
    // The next one expires soon as well.
    assert_eq!(who(&client).await.unwrap(), "bob");
    assert_eq!(tokens(), [&last, "three", "s3cr3t"]);
    // Another program finds them there.
    let client = Client::new(Config::from_kubeconfig_file(&file).unwrap()).unwrap();
    assert_eq!(who(&client).await.unwrap(), "bob");
    assert_eq!(issuer.seen().iter().filter(|line| line.starts_with("POST")).count(), 2);
}
