//! The HTTP trace of klient's client, whose detail follows the verbosity.

use http::Request;
use klient_api::core::v1::Namespace;
use klient_apiserver::TestServer;
use klient_client::{Client, Config, HttpTrace};
use klient_klog::{DebugFlags, LogFormat, Options, Recorder};
use serde_json::Value;
use tower::ServiceExt as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::composition::Lines;

/// A client of a server, which has a connection already.
async fn client() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let config = Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    let client = Client::new(config).unwrap();
    get(&client).await;
    (server, client)
}

async fn get(client: &Client) {
    client.api::<Namespace>().get("default").await.unwrap();
}

/// Sends a request, and returns the messages of the lines that it adds, each with its keys.
async fn messages(recorder: &Recorder, client: &Client) -> Vec<String> {
    let before = recorder.lines().len();
    get(client).await;
    let key = regex::Regex::new(r#" (\w+)=["<\d]"#).unwrap();
    let keys = |line: &str| {
        let keys: Vec<String> = key.captures_iter(line).map(|found| found[1].to_owned()).collect();
        keys.join(" ")
    };
    let lines = recorder.lines();
    let lines = lines[before..].iter().map(|line| line.strip_prefix("I \"").unwrap());
    let lines = lines.map(|line| line.split_once('"').unwrap());
    lines.map(|(message, values)| format!("{message}: {}", keys(values))).collect()
}

/// The messages of a verbosity.
fn expected(verbosity: i32) -> Vec<&'static str> {
    match verbosity {
        ..6 => vec![],
        6 => vec!["Response: verb url status milliseconds"],
        7 => vec!["Request: verb url headers", "Response: status milliseconds"],
        8 => vec![
            "Request Body: body",
            "Request: verb url headers",
            "Response: status headers milliseconds",
            "Response Body: body",
        ],
        9.. => vec![
            "Request Body: body",
            "Request: curlCommand",
            "Response: verb url status headers milliseconds getConnectionMilliseconds serverProcessingMilliseconds",
            "Response Body: body",
        ],
    }
}

#[tokio::test]
async fn the_detail_follows_the_verbosity_while_the_client_runs() {
    let recorder = Recorder::start(0);
    let (_server, client) = client().await;
    for verbosity in [0, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5, -1, 8, 0] {
        recorder.verbosity().set(verbosity);
        assert_eq!(messages(&recorder, &client).await, expected(verbosity), "-v={verbosity}");
    }
    let flags = DebugFlags::new(recorder.verbosity());
    for verbosity in [7, 0, 9, 6] {
        let request = Request::put("/debug/flags/v").body(verbosity.to_string()).unwrap();
        flags.clone().oneshot(request).await.unwrap();
        assert_eq!(messages(&recorder, &client).await, expected(verbosity), "PUT {verbosity}");
    }
}

#[tokio::test]
async fn the_highest_verbosity_has_the_most_detail() {
    let recorder = Recorder::start(0);
    let (_server, client) = client().await;
    recorder.verbosity().set(i32::MAX);
    get(&client).await;
    let lines = recorder.lines();
    assert!(lines.iter().any(|line| line.starts_with("I \"Request\" curlCommand=")), "{lines:?}");
}

#[tokio::test]
async fn a_file_of_vmodule_is_enough() {
    let recorder = Recorder::start(0);
    let (_server, client) = client().await;
    for verbosity in [8, 6, 9, 0] {
        recorder.verbosity().set_vmodule(&format!("http_trace={verbosity}")).unwrap();
        assert_eq!(
            messages(&recorder, &client).await,
            expected(verbosity),
            "--vmodule=http_trace={verbosity}"
        );
    }
    recorder.verbosity().set_vmodule("other=9").unwrap();
    assert_eq!(messages(&recorder, &client).await, expected(0));
}

#[tokio::test]
async fn the_lines_have_the_verbosities_of_client_go() {
    let recorder = Recorder::start(10);
    let (_server, client) = client().await;
    let before = recorder.entries().len();
    get(&client).await;
    let verbosities = |before: usize| -> Vec<i32> {
        recorder.entries()[before..].iter().map(|entry| entry.verbosity).collect()
    };
    assert_eq!(verbosities(before), [8, 9, 9, 8]);
    recorder.verbosity().set(7);
    let before = recorder.entries().len();
    get(&client).await;
    assert_eq!(verbosities(before), [7, 7]);
}

#[tokio::test]
async fn headers_are_a_map_in_json_without_the_credentials() {
    let server = TestServer::start().await.unwrap();
    for verbosity in [8, 9] {
        let options = Options { verbosity, format: LogFormat::Json, ..Options::default() };
        let recorder = Recorder::with(options).unwrap();
        let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
        get(&client).await;
        let lines = recorder.lines();
        assert!(lines.iter().all(|line| !line.contains(server.admin_token())), "{lines:?}");
        let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let find = |message: &str| lines.iter().find(|line| line["msg"] == message).unwrap();
        if verbosity == 8 {
            let headers = &find("Request")["headers"];
            assert_eq!(headers["Authorization"], serde_json::json!(["Bearer <masked>"]), "{headers}");
        }
        let headers = &find("Response")["headers"];
        assert_eq!(headers["Cache-Control"], serde_json::json!(["no-cache, private"]), "{headers}");
        assert_eq!(find("Response")["v"], verbosity);
    }
}

#[tokio::test]
async fn headers_are_lines_in_text() {
    let recorder = Recorder::start(7);
    let (_server, client) = client().await;
    get(&client).await;
    let lines = recorder.lines();
    let (_, headers) = lines[0].split_once(" headers=<\n\tAccept: ").expect(&lines[0]);
    assert!(headers.contains("\n\tAuthorization: Bearer <masked>\n\tUser-Agent: "), "{headers}");
    assert!(headers.ends_with("\n >"), "{headers}");
}

#[tokio::test]
async fn addresses_of_a_name_are_those_of_go() {
    let recorder = Recorder::start(9);
    let server = TestServer::start().await.unwrap();
    let mut config = Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    config.url = config.url.to_string().replace("127.0.0.1", "localhost").parse().unwrap();
    get(&Client::new(config).unwrap()).await;
    let lines = recorder.lines();
    let line = lines.iter().find(|line| line.contains("DNS Lookup")).expect("the name is looked up");
    let address = r#"{"IP":"127.0.0.1","Zone":""}"#;
    let head = r#"I "HTTP Trace: DNS Lookup resolved" host="localhost" address=["#;
    assert!(line.starts_with(head) && line.contains(address) && line.ends_with("}]"), "{line}");
}

#[tokio::test]
async fn a_connection_that_is_not_opened_has_its_address_and_its_causes() {
    let lines = async |url: &str| {
        let recorder = Recorder::start(9);
        let client = Client::new(Config::from_url(url).unwrap()).unwrap();
        client.api::<Namespace>().get("default").await.unwrap_err();
        let is_trace = |line: &String| line.contains("HTTP Trace: ");
        recorder.lines().into_iter().filter(is_trace).collect::<Vec<_>>()
    };
    // Nobody listens on a port that was bound, and is not any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!(
        r#"I "HTTP Trace: Dial failed" network="tcp" address="{address}" err="dial tcp {address}: connect: connection refused""#
    );
    let found = lines(&format!("http://{address}")).await;
    assert_eq!(found.first(), Some(&refused), "{found:?}");

    // A label of 64 characters is in no name.
    let host = format!("{}.invalid", "a".repeat(64));
    let found = lines(&format!("http://{host}:6443")).await;
    assert_eq!(found[0], format!(r#"I "HTTP Trace: DNS Lookup resolved" host="{host}" address=[]"#));
    let head = format!(
        r#"I "HTTP Trace: Dial failed" network="tcp" address="{host}:6443" err="dns error: failed to lookup address information: "#
    );
    assert!(found[1].starts_with(&head), "{found:?}");
}

#[tokio::test]
async fn another_layer_gets_the_configured_detail_or_that_of_the_klog_beside_it() {
    let server = TestServer::start().await.unwrap();
    let mut config = Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    config.http_trace = HttpTrace::RequestHeaders;
    let client = Client::new(config).unwrap();
    for (verbosity, level, expected) in [
        (0, LevelFilter::INFO, vec![]),
        (0, LevelFilter::DEBUG, vec!["Request", "Response"]),
        (5, LevelFilter::DEBUG, vec!["Request", "Response"]),
        (8, LevelFilter::DEBUG, vec!["Request Body", "Request", "Response", "Response Body"]),
        (8, LevelFilter::INFO, vec![]),
        (8, LevelFilter::TRACE, vec!["Request Body", "Request", "Response", "Response Body"]),
    ] {
        let options = Options {
            verbosity,
            logtostderr: false,
            log_file: Some("/dev/null".into()),
            ..Options::default()
        };
        let (layer, _klog) = klient_klog::layer(options).unwrap();
        let others = Lines::default();
        let writer = others.clone();
        let other = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .without_time()
            .with_ansi(false)
            .with_filter(Targets::new().with_target(HttpTrace::TARGET, level));
        let subscriber = tracing_subscriber::registry().with(layer).with(other);
        let subscribed = tracing::subscriber::set_default(subscriber);
        get(&client).await;
        drop(subscribed);
        let lines = others.text();
        let message = |line: &str| {
            let (_, rest) = line.split_once("klient::http: ")?;
            let names = ["Request Body", "Request", "Response Body", "Response"];
            names.into_iter().find(|name| rest.starts_with(name))
        };
        let messages: Vec<&str> = lines.lines().filter_map(message).collect();
        assert_eq!(messages, expected, "-v={verbosity}, {level}");
    }
}
