//! The metrics of requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use klient_api::core::v1::{ConfigMap, Namespace};
use klient_apiserver::TestServer;
use klient_client::{
    Client, Credentials, ExecConfig, ListOptions, PluginPolicy, RateLimiter, WatchOptions, describe_metrics,
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use serde_json::json;

use crate::cluster::{cluster, config, config_map};
use crate::exec_fixture::{self, Script, seconds, until_other_than, who};
use crate::front::Front;

/// Notes each change, as `name{labels} value`, without hosts and without times.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

struct Note {
    notes: Notes,
    key: String,
}

impl Notes {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn note(&self, key: &Key) -> Arc<Note> {
        let labels = key.labels().filter(|label| label.key() != "host");
        let labels: Vec<String> = labels.map(|label| format!("{}={}", label.key(), label.value())).collect();
        let is_of_plugins = key.name().starts_with("rest_client_exec_plugin_");
        assert!(
            is_of_plugins
                || key.labels().any(|label| label.key() == "host" && label.value().starts_with("127.0.0.1:"))
        );
        Arc::new(Note { notes: self.clone(), key: format!("{}{{{}}}", key.name(), labels.join(",")) })
    }

    /// The lines since the last call, sorted.
    fn take(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.sort();
        lines
    }
}

impl CounterFn for Note {
    fn increment(&self, value: u64) {
        self.notes.push(format!("{} {value}", self.key));
    }

    fn absolute(&self, value: u64) {
        self.notes.push(format!("{} = {value}", self.key));
    }
}

/// A gauge is noted as a number of days.
impl GaugeFn for Note {
    fn increment(&self, _: f64) {
        panic!("{} is set and not changed", self.key);
    }

    fn decrement(&self, _: f64) {
        panic!("{} is set and not changed", self.key);
    }

    fn set(&self, value: f64) {
        self.notes.push(format!("{} = {:.0} days", self.key, value / 86_400.0));
    }
}

impl HistogramFn for Note {
    fn record(&self, value: f64) {
        match self.key.contains("seconds") || self.key.contains("rotation_age") {
            true => self.notes.push(self.key.clone()),
            false => self.notes.push(format!("{} {value}", self.key)),
        }
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.push(name.as_str().to_owned());
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.push(format!("{} in {}", name.as_str(), unit.unwrap().as_str()));
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.push(format!("{} in {}", name.as_str(), unit.unwrap().as_str()));
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.note(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.note(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.note(key))
    }
}

#[tokio::test]
async fn requests_are_counted_and_measured_under_the_names_of_client_go() {
    let (server, _) = cluster().await;
    let mut config = config(&server);
    config.rate_limiter = Some(RateLimiter::token_bucket(1000.0, 1000).unwrap());
    let client = Client::new(config).unwrap();
    let notes = Notes::default();
    let _recording = metrics::set_default_local_recorder(&notes);

    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let lines = notes.take();
    let (sizes, others): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.contains("size_bytes"));
    assert_eq!(
        others,
        [
            "rest_client_rate_limiter_duration_seconds{verb=POST}",
            "rest_client_request_duration_seconds{verb=POST}",
            "rest_client_requests_total{code=201,method=POST} 1",
        ]
    );
    assert!(sizes[0].starts_with("rest_client_request_size_bytes{verb=POST} "), "{sizes:?}");
    assert!(sizes[1].starts_with("rest_client_response_size_bytes{verb=POST} "), "{sizes:?}");

    client.api::<Namespace>().list(&ListOptions::default()).await.unwrap();
    let listed = notes.take();
    assert!(listed.iter().any(|line| line == "rest_client_request_duration_seconds{verb=GET}"), "{listed:?}");
    assert!(
        listed.iter().any(|line| line.starts_with("rest_client_response_size_bytes{verb=GET} ")),
        "{listed:?}"
    );

    let _watch = client.api::<Namespace>().watch(&WatchOptions::default()).await.unwrap();
    assert_eq!(
        notes.take(),
        [
            "rest_client_rate_limiter_duration_seconds{verb=GET}",
            "rest_client_request_size_bytes{verb=GET} 0",
            "rest_client_requests_total{code=200,method=GET} 1",
        ]
    );
}

#[tokio::test]
async fn retries_and_failures_are_counted() {
    let too_many = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let front = Front::saying(&[too_many, "SSH-2.0-OpenSSH_9.7\r\n"]).await;
    let client = front.client();
    let notes = Notes::default();
    let _recording = metrics::set_default_local_recorder(&notes);
    let request = client.request(Method::DELETE).absolute_path("/a").timeout(Duration::from_secs(20));
    request.send().await.unwrap_err();
    assert_eq!(
        notes.take(),
        [
            "rest_client_request_duration_seconds{verb=DELETE}",
            "rest_client_request_retries_total{code=<error>,verb=DELETE} 1",
            "rest_client_request_size_bytes{verb=DELETE} 0",
            "rest_client_request_size_bytes{verb=DELETE} 0",
            "rest_client_requests_total{code=429,method=DELETE} 1",
            "rest_client_requests_total{code=<error>,method=DELETE} 1",
        ]
    );
}

/// The lines about plugins since the last call.
fn of_plugins(notes: &Notes) -> Vec<String> {
    let lines = notes.take().into_iter();
    lines.filter_map(|line| Some(line.strip_prefix("rest_client_exec_plugin_")?.to_owned())).collect()
}

/// Those of them that count.
fn calls(notes: &Notes) -> Vec<String> {
    let mut lines = of_plugins(notes);
    lines.retain(|line| line.contains("call_total"));
    lines
}

#[tokio::test]
async fn credential_plugins_are_counted_by_exit_code_and_policy() {
    let server = TestServer::start().await.unwrap();
    let notes = Notes::default();
    let _recording = metrics::set_default_local_recorder(&notes);
    let call = |code: i32, status: &str| format!("call_total{{code={code},call_status={status}}} 1");
    let allowed = "policy_call_total{status=allowed} 1".to_owned();
    for (body, code, status) in [
        ("cat $FOLDER/credential", 0, "no_error"),
        ("exit 3", 3, "plugin_execution_error"),
        ("kill -9 $$", -1, "plugin_execution_error"),
        ("head -c 2000000 /dev/zero", 1, "client_internal_error"),
    ] {
        let script = Script::new(body);
        script.print(json!({"token": server.token("ada", &[])}));
        let client = Client::new(script.config(&server)).unwrap();
        assert_eq!(who(&client).await.is_ok(), code == 0, "{body}");
        let lines = calls(&notes);
        assert_eq!(lines, [call(code, status), allowed.clone()], "{body}");
    }

    let mut exec = Script::new("").exec();
    exec["command"] = "no-such-plugin".into();
    who(&Client::new(exec_fixture::config(&server, exec.clone())).unwrap()).await.unwrap_err();
    let lines = calls(&notes);
    assert_eq!(lines, [call(1, "plugin_not_found_error"), allowed]);

    let mut config = exec_fixture::config(&server, exec);
    let Credentials::Exec(plugin) = &config.credentials else { panic!("{:?}", config.credentials) };
    let denied = ExecConfig { policy: PluginPolicy::DenyAll, ..plugin.config().clone() };
    config.credentials = Credentials::exec(denied).unwrap();
    who(&Client::new(config).unwrap()).await.unwrap_err();
    let lines = calls(&notes);
    assert_eq!(lines, ["policy_call_total{status=denied} 1"]);
}

#[tokio::test]
async fn client_certificates_of_plugins_are_measured() {
    let server = TestServer::start().await.unwrap();
    let notes = Notes::default();
    let _recording = metrics::set_default_local_recorder(&notes);
    let status = |user: &str| {
        let own = server.client_certificate(user, &[]).unwrap();
        json!({
            "clientCertificateData": own.certificate_pem, "clientKeyData": own.key_pem,
            "expirationTimestamp": seconds(1),
        })
    };
    let script = Script::printing(status("ada"));
    let client = Client::new(script.config(&server)).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    let lines = of_plugins(&notes);
    let ttl = lines.iter().find(|line| line.starts_with("ttl_seconds")).unwrap();
    // The other plugins of this program gave no certificates, or such of the same server.
    assert!(ttl.ends_with(" days") && !ttl.contains("inf") && !ttl.contains('-'), "{ttl}");
    script.print(status("bob"));
    until_other_than(&client, "ada").await;
    let rotations = of_plugins(&notes);
    assert_eq!(
        rotations.iter().filter(|line| *line == "certificate_rotation_age{}").count(),
        1,
        "{rotations:?}"
    );
}

#[test]
fn metrics_are_described() {
    let notes = Notes::default();
    metrics::with_local_recorder(&notes, describe_metrics);
    assert_eq!(
        notes.take(),
        [
            "rest_client_dns_resolution_duration_seconds in seconds",
            "rest_client_exec_plugin_call_total",
            "rest_client_exec_plugin_certificate_rotation_age in seconds",
            "rest_client_exec_plugin_policy_call_total",
            "rest_client_exec_plugin_ttl_seconds in seconds",
            "rest_client_rate_limiter_duration_seconds in seconds",
            "rest_client_request_duration_seconds in seconds",
            "rest_client_request_retries_total",
            "rest_client_request_size_bytes in bytes",
            "rest_client_requests_total",
            "rest_client_response_size_bytes in bytes",
        ]
    );
}
