//! The contexts of a gateway, which requests choose from.

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use klient_apiserver::Server;
use klient_client::{Client, Config, Credentials};
use klient_gateway::{Access, Context, Gateway, Options};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stage::{Answer, MAPS, Stage};

fn context(name: &str, config: Config) -> Context {
    Context { name: name.to_owned(), config }
}

/// A gateway whose own context is `home`, with the same server for a user who may do nothing (`guest`), another server
/// (`away`), and one without certificates (`broken`).
async fn with_contexts() -> (Stage, Server) {
    let away = Server::start(klient_apiserver::Options::default()).await.unwrap();
    let config = Config::from_kubeconfig(&away.kubeconfig()).unwrap();
    let mut broken = config.clone();
    broken.tls.ca = Some(klient_client::Pem::file("/no/such/ca.crt"));
    let mut contexts = vec![context("away", config.clone()), context("broken", broken)];
    let options = Options { context: Some("home".to_owned()), writes: true, ..Options::default() };
    let stage = Stage::start_with(options, |admin| {
        let mut guest = admin.config().clone();
        guest.credentials = Credentials::token("no-such-token");
        guest.tls.client = None;
        contexts.push(context("guest", guest));
        contexts
    })
    .await;
    stage.config_map("here", json!({})).await;
    let admin = Client::new(config).unwrap();
    let map = json!({ "metadata": { "name": "there" } }).to_string();
    let created = admin.request(http::Method::POST).absolute_path(MAPS).body("application/json", map);
    created.send().await.unwrap();
    (stage, away)
}

/// A cluster whose pods answer over HTTP, which those of the embedded server do not: with the path and query that it gets.
async fn echoing() -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::from_url(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let echo = async |request: http::Request<hyper::body::Incoming>| {
        let path = request.uri().to_string();
        let response = http::Response::builder().header("set-cookie", "a=b");
        let response = match path.ends_with("/proxy") {
            true => response.status(301).header("location", format!("{path}/")),
            false => response,
        };
        response.body(Full::new(Bytes::from(path)))
    };
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let builder = auto::Builder::new(TokioExecutor::new());
            let serving = builder.serve_connection(TokioIo::new(stream), service_fn(echo)).into_owned();
            tokio::spawn(serving);
        }
    });
    config
}

async fn in_context(stage: &Stage, name: &str, path: &str) -> Answer {
    let request = stage.request(path).header("x-klient-context", name).body(String::new()).unwrap();
    stage.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_for_the_context_that_it_names() {
    let (stage, _away) = with_contexts().await;
    let table = "/v1/table/core/v1/configmaps?namespace=default";
    let names = |answer: Answer| answer.names().into_iter().filter(|name| name != "kube-root-ca.crt");
    for (header, path, expected) in [
        (None, table.to_owned(), "here"),
        (Some("home"), table.to_owned(), "here"),
        (Some("away"), table.to_owned(), "there"),
        (None, format!("{table}&context=away"), "there"),
        (Some("home"), format!("{table}&context=away"), "here"),
    ] {
        let answer = match header {
            Some(name) => in_context(&stage, name, &path).await,
            None => stage.get(&path).await,
        };
        assert!(answer.header("vary").contains("x-klient-context"));
        assert_eq!(names(answer).collect::<Vec<_>>(), [expected], "{header:?} {path}");
    }
    let found = |answer: Answer| answer.text().contains("\"there\"");
    for path in [MAPS, "/configmaps/core/v1", "/v1/object/core/v1/configmaps/there?namespace=default"] {
        let parameter = if path.contains('?') { "&context=away" } else { "?context=away" };
        assert!(found(stage.get(&format!("{path}{parameter}")).await), "{path}");
        assert!(found(in_context(&stage, "away", path).await), "{path}");
        assert!(!found(stage.get(path).await), "{path}");
    }
    // A stream of a browser, which cannot have the header.
    let mut events = stage.events("/v1/changes/core/v1/configmaps?context=away").await;
    let request = stage.request(MAPS).method(http::Method::POST).header("x-klient-context", "away");
    let request = request.header("content-type", "application/json");
    let new = stage.send(request.body(json!({ "metadata": { "name": "new" } }).to_string()).unwrap()).await;
    assert_eq!(new.status, 201, "{}", new.text());
    assert_eq!(events.words().await, "added new");
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_that_are_not_there_or_cannot_be_used_have_errors_of_their_own() {
    let (stage, _away) = with_contexts().await;
    for (name, code, status) in [
        ("nowhere", "context_unknown", 404),
        ("", "context_unknown", 404),
        ("broken", "context_unusable", 502),
    ] {
        for path in ["/v1/kinds", "/v1/session", MAPS, "/v1/changes/core/v1/pods"] {
            assert_eq!(
                in_context(&stage, name, path).await.failure(),
                (status, code.to_owned()),
                "{name} {path}"
            );
        }
    }
    let guest = in_context(&stage, "guest", "/v1/table/core/v1/configmaps").await;
    assert_eq!(guest.failure(), (401, "unauthorized".to_owned()));
    // The page opens, and tells it.
    assert_eq!(stage.get("/?context=nowhere").await.header("content-type"), "text/html; charset=utf-8");
    // The query behind the proxy of a pod is the pod's.
    let path = "/api/v1/namespaces/default/pods/web/proxy/?context=nowhere";
    assert_eq!(stage.get(path).await.failure(), (403, "exec_off".to_owned()));
    let options = |access| {
        let contexts = vec![context("other", stage.admin.config().clone())];
        Options { access, contexts, ..Options::default() }
    };
    let refused = Gateway::new(stage.admin.clone(), options(Access::Bearer)).unwrap_err();
    assert!(refused.to_string().contains("contexts"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_behind_which_the_query_is_a_pods_has_the_context_in_its_path() {
    let config = echoing().await;
    let options = |exec| Options { exec, context: Some("home".to_owned()), ..Options::default() };
    let stage = Stage::start_with(options(true), |_| vec![context("a/b c", config.clone())]).await;
    let pods = "/api/v1/namespaces/default/pods";
    let port = format!("{pods}/web:8080/proxy/");
    let prefix = "/context/a%252Fb%20c";
    let opened = stage.get(&format!("{prefix}{port}?context=its")).await;
    assert_eq!((opened.status.as_u16(), opened.text()), (200, format!("{port}?context=its")));
    assert_eq!(
        opened.header("content-security-policy"),
        "sandbox; default-src 'none'; frame-ancestors 'none'"
    );
    assert_eq!(opened.header("set-cookie"), "");
    assert_eq!(stage.get(&port).await.status, 404);
    assert_eq!(
        stage.get(&format!("{prefix}{pods}?limit=1&context=x")).await.text(),
        format!("{pods}?limit=1")
    );
    // A redirect stays in the context.
    let redirect = stage.get(&format!("{prefix}{pods}/web:8080/proxy")).await;
    assert_eq!((redirect.status.as_u16(), redirect.header("location")), (301, &*format!("{prefix}{port}")));

    // It is checked as one that the header names, and opens no more than a request without it.
    for (path, failure) in [
        (format!("/context/nowhere{pods}/web"), (404, "context_unknown")),
        (format!("/context/home{pods}/web"), (404, "not_found")),
        (format!("{prefix}/api/v1/namespaces/default/secrets"), (403, "secrets_hidden")),
        (format!("/context/a%2Fb%20c{pods}/web"), (400, "bad_path")),
        (format!("/context/../context/home{pods}"), (400, "bad_path")),
        (format!("{prefix}/v1/kinds"), (404, "not_found")),
        (format!("{prefix}/openapi/v2"), (404, "not_found")),
    ] {
        let answer = stage.get(&path).await;
        let code = match answer.json()["reason"].as_str() {
            Some(reason) => (answer.status.as_u16(), reason.replace("NotFound", "not_found")),
            None => answer.failure(),
        };
        assert_eq!(code, (failure.0, failure.1.to_owned()), "{path}");
    }
    let two = in_context(&stage, "home", &format!("{prefix}{port}")).await;
    assert_eq!(two.failure(), (400, "bad_request".to_owned()));
    let write = stage.request(&format!("{prefix}{pods}/web")).method(http::Method::DELETE);
    assert_eq!(stage.send(write.body(String::new()).unwrap()).await.failure(), (403, "read_only".to_owned()));
    let without = http::Request::get(format!("{prefix}{port}")).body(String::new()).unwrap();
    assert_eq!(stage.send(without).await.failure(), (401, "unauthorized".to_owned()));
    for headers in [
        vec![
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        vec![("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")],
        vec![("origin", "http://evil.example")],
        vec![("origin", "null")],
    ] {
        let mut request = stage.request(&format!("{prefix}{port}"));
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = stage.send(request.body(String::new()).unwrap()).await;
        assert_eq!(answer.failure(), (403, "origin_refused".to_owned()), "{headers:?}");
    }
    let stage = Stage::start_with(options(false), |_| vec![context("a/b c", config.clone())]).await;
    assert_eq!(stage.get(&format!("{prefix}{port}")).await.failure(), (403, "exec_off".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_tells_the_user_the_cluster_and_what_is_allowed() {
    let (stage, away) = with_contexts().await;
    let session = stage.get("/v1/session").await.json();
    assert_eq!(session["context"], "home");
    assert_eq!(session["contexts"], json!(["home", "away", "broken", "guest"]));
    assert_eq!(session["user"], "kubernetes-admin", "{session}");
    assert_eq!(session["access"], "token");
    assert_eq!([&session["writes"], &session["exec"], &session["secrets"]], [true, false, false]);
    assert!(session["version"].as_str().unwrap().starts_with("v1."), "{session}");
    assert_eq!(session["problem"], Value::Null);
    let contexts = stage.get("/v1/contexts").await.json()["contexts"].take();
    assert_eq!((&contexts[0]["name"], &contexts[0]["current"]), (&json!("home"), &json!(true)));
    assert_eq!(contexts[1]["server"], away.address().to_string());
    assert_eq!((&contexts[1]["namespace"], &contexts[1]["current"]), (&json!("default"), &json!(false)));
    // A page opens while the cluster is away.
    away.stop().await;
    let session = in_context(&stage, "away", "/v1/session").await.json();
    assert_eq!((&session["context"], &session["version"]), (&json!("away"), &Value::Null), "{session}");
    assert_eq!(session["problem"]["code"], "unreachable", "{session}");
    assert_eq!(stage.get("/v1/session").await.json()["user"], "kubernetes-admin");
}
