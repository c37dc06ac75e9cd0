//! The span of a request.

use std::io;
use std::sync::{Arc, Mutex};

use klient_api::core::v1::ConfigMap;
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, Webhooks};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::cluster::{config_map, review};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A runtime of one thread, since the subscriber is that of a thread.
#[tokio::test]
async fn a_span_has_the_request_and_the_answer_and_those_of_the_handler_are_in_it() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .finish();
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let allow = async |_: Request<ConfigMap>, ()| {
        tracing::info!("the handler runs");
        Ok::<_, Denied>(Allowed::new())
    };
    let webhooks =
        Webhooks::builder().admission(AdmissionWebhook::validating("allow.hooks.example", (), allow));
    let request = http::Request::post("/validate--v1-configmap")
        .header("content-type", "application/json")
        .body(review(&config_map("a")).to_string())
        .unwrap();
    webhooks.build().unwrap().call(request).await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let handler = log.lines().find(|line| line.contains("the handler runs")).unwrap();
    assert!(handler.contains("k8s.webhook.uid=\"u1\""), "{log}");
    let close = log.lines().find(|line| line.contains("close")).unwrap();
    for field in [
        "http.response.status_code=200",
        "k8s.webhook.allowed=true",
        "k8s.webhook.name=\"allow.hooks.example\"",
        "k8s.webhook.operation=\"CREATE\"",
        "k8s.api.resource=\"configmaps\"",
        "k8s.namespace.name=\"default\"",
        "k8s.object.name=\"a\"",
        "k8s.user.name=\"ann\"",
        "url.path=\"/validate--v1-configmap\"",
    ] {
        assert!(close.contains(field), "{field}: {close}");
    }
}
