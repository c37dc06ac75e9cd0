//! Metrics of the crate `metrics`.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Object as _;
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, Webhooks, describe_metrics};

use crate::cluster::{config_map, review};
use crate::recorder::Values;

/// A runtime of one thread, since the recorder is that of a thread.
#[tokio::test]
async fn the_metrics_have_the_names_and_labels_of_controller_runtime() {
    let values = Values::default();
    let _recorder = metrics::set_default_local_recorder(&values);
    describe_metrics();
    let handler = async |request: Request<ConfigMap>, ()| {
        assert_ne!(request.object.unwrap().name(), "panic", "as planned");
        Ok::<_, Denied>(Allowed::new())
    };
    let webhooks =
        Webhooks::builder().admission(AdmissionWebhook::validating("a.hooks.example", (), handler));
    let webhooks = webhooks.build().unwrap();
    let path = "/validate--v1-configmap";
    for (name, content_type) in
        [("a", "application/json"), ("panic", "application/json"), ("b", "text/plain")]
    {
        let request = http::Request::post(path).header("content-type", content_type);
        webhooks.call(request.body(review(&config_map(name)).to_string()).unwrap()).await;
    }
    for (key, expected) in [
        ("controller_runtime_webhook_requests_total{webhook=PATH,code=200}", 2.0),
        ("controller_runtime_webhook_requests_total{webhook=PATH,code=415}", 1.0),
        ("controller_runtime_webhook_requests_total{webhook=PATH,code=500}", 0.0),
        ("controller_runtime_webhook_latency_seconds{webhook=PATH}", 3.0),
        ("controller_runtime_webhook_requests_in_flight{webhook=PATH}", 0.0),
        ("controller_runtime_webhook_panics_total{}", 1.0),
    ] {
        let key = key.replace("PATH", path);
        assert_eq!(values.get(&key), Some(expected), "{key}");
    }
    let metrics = &webhooks.metrics()[0];
    assert_eq!((metrics.requests, metrics.refused, metrics.panics), (3, 1, 1));
}
