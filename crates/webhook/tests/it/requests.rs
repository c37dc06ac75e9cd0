//! Requests that are none for a webhook, and handlers that do not answer: each gets one error that names the fault.

use bytes::Bytes;
use http::Method;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_client::{Client, HttpVersion};
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, WebhookOptions, Webhooks, WebhooksBuilder};
use serde_json::{Value, json};

use crate::cluster::{Hooks, config_map, post, review};
use crate::lamps::conversion;

fn webhooks() -> WebhooksBuilder {
    let at = |path: &str| WebhookOptions { path: Some(path.to_owned()), ..Default::default() };
    let ok = async |_: Request<ConfigMap>, ()| Ok::<_, Denied>(Allowed::new());
    let panics = async |request: Request<ConfigMap>, ()| -> Result<Allowed, Denied> {
        panic!("{:?} as planned", request)
    };
    let never = async |_: Request<ConfigMap>, ()| std::future::pending::<Result<Allowed, Denied>>().await;
    Webhooks::builder()
        .admission(AdmissionWebhook::validating("ok.hooks.example", (), ok).options(at("/ok")))
        .admission(AdmissionWebhook::validating("panics.hooks.example", (), panics).options(at("/panics")))
        .admission(AdmissionWebhook::validating("never.hooks.example", (), never).options(at("/never")))
        .conversion(conversion())
}

/// The code and the message of the error of a request.
async fn refused(
    client: &Client,
    method: Method,
    uri: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> (u16, String) {
    let sent = client.request(method).request_uri(uri).body(content_type, body).send().await;
    let error = sent.unwrap_err();
    let status = error.as_status().unwrap();
    (error.code().unwrap(), status.message.clone().unwrap().to_string())
}

#[tokio::test]
async fn a_request_that_is_no_review_is_refused_with_the_fault() {
    let hooks = Hooks::start(webhooks()).await;
    let json = "application/json";
    let (mut v1beta1, mut other, mut without) =
        (review(&config_map("a")), review(&config_map("a")), review(&config_map("a")));
    v1beta1["apiVersion"] = "admission.k8s.io/v1beta1".into();
    other["kind"] = "ConversionReview".into();
    without["request"] = Value::Null;
    let mut field = review(&config_map("a"));
    field["request"]["uid"] = 5.into();
    let large = |length: usize| format!(r#"{{"kind": "{}"}}"#, "x".repeat(length));
    let none = "the body is no AdmissionReview of admission.k8s.io/v1: ";
    for http in [HttpVersion::Negotiate, HttpVersion::Http11] {
        let client = hooks.client(http);
        for (method, uri, content_type, body, code, message) in [
            (
                Method::POST,
                "/nowhere",
                json,
                String::new(),
                404,
                "no webhook is at /nowhere: they are at /convert, /never, /ok, /panics".to_owned(),
            ),
            (
                Method::GET,
                "/ok",
                json,
                String::new(),
                405,
                "only POST is supported, and the request is a GET".to_owned(),
            ),
            (
                Method::PUT,
                "/ok",
                json,
                review(&config_map("a")).to_string(),
                405,
                "only POST is supported, and the request is a PUT".to_owned(),
            ),
            (
                Method::POST,
                "/ok",
                "text/plain",
                review(&config_map("a")).to_string(),
                415,
                r#"the Content-Type must be application/json, and is "text/plain""#.to_owned(),
            ),
            (
                Method::POST,
                "/ok",
                json,
                "garbage".to_owned(),
                400,
                format!("{none}expected value at line 1 column 1"),
            ),
            (
                Method::POST,
                "/ok",
                json,
                String::new(),
                400,
                format!("{none}EOF while parsing a value at line 1 column 0"),
            ),
            (
                Method::POST,
                "/ok",
                json,
                v1beta1.to_string(),
                400,
                r#"the body is AdmissionReview of "admission.k8s.io/v1beta1", and the webhook takes admission.k8s.io/v1 only: set admissionReviewVersions to ["v1"]"#.to_owned(),
            ),
            (Method::POST, "/ok", json, other.to_string(), 400, format!(r#"{none}its kind is "ConversionReview""#)),
            (Method::POST, "/ok", json, without.to_string(), 400, "the AdmissionReview has no request".to_owned()),
            (
                Method::POST,
                "/ok?timeout=soon",
                json,
                review(&config_map("a")).to_string(),
                400,
                r#"timeout="soon": must be a positive duration such as 10s"#.to_owned(),
            ),
            (Method::POST, "/ok", json, large(8 * 1024 * 1024), 413, "the review is larger than 7340032 bytes".to_owned()),
            (
                Method::POST,
                "/ok",
                json,
                large(3 * 1024 * 1024),
                400,
                format!(r#"{none}its kind is "{}...""#, "x".repeat(60)),
            ),
            (
                Method::POST,
                "/convert",
                json,
                review(&config_map("a")).to_string(),
                400,
                r#"the body is no ConversionReview of apiextensions.k8s.io/v1: its kind is "AdmissionReview""#.to_owned(),
            ),
        ] {
            let found = refused(&client, method, uri, content_type, body).await;
            assert_eq!(found, (code, message), "{uri}");
        }
        let (code, message) = refused(&client, Method::POST, "/ok", json, field.to_string()).await;
        assert_eq!(code, 400);
        assert!(message.starts_with(none) && message.contains("request.uid"), "{message}");
    }
}

#[tokio::test]
async fn objects_of_two_times_3_mib_are_reviewed() {
    let hooks = Hooks::start(webhooks()).await;
    let mut object = config_map("a");
    object["data"] = json!({"a": "x".repeat(3 * 1024 * 1024)});
    let mut review = review(&object);
    review["request"]["oldObject"] = object;
    let answer = post(&hooks.client(HttpVersion::Negotiate), "/ok", &review).await.unwrap();
    assert_eq!(answer["response"], json!({"uid": "u1", "allowed": true}));
}

#[tokio::test]
async fn an_object_of_another_kind_or_shape_is_denied_with_its_field() {
    let hooks = Hooks::start(webhooks()).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let denied = async |review: Value| {
        let answer = post(&client, "/ok", &review).await.unwrap();
        assert_eq!(
            (&answer["response"]["allowed"], &answer["response"]["uid"]),
            (&json!(false), &json!("u1"))
        );
        let status = answer["response"]["status"].clone();
        assert_eq!((&status["code"], &status["reason"]), (&json!(400), &json!("BadRequest")));
        status["message"].as_str().unwrap().to_owned()
    };
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
    let message = denied(review(&secret)).await;
    assert_eq!(message, "request.object: expected v1 ConfigMap, found v1 Secret");
    let mut wrong = config_map("a");
    wrong["data"] = json!({"a": 5});
    let message = denied(review(&wrong)).await;
    assert!(message.starts_with("request.object: data"), "{message}");
    let deep = 200;
    let mut nested = review(&config_map("a")).to_string();
    let later = format!(r#""later": {}{}, "apiVersion": "v1""#, "[".repeat(deep), "]".repeat(deep));
    nested =
        nested.replace(r#""apiVersion":"v1","kind":"ConfigMap""#, &format!(r#"{later},"kind":"ConfigMap""#));
    let request = client.request(Method::POST).request_uri("/ok").body("application/json", nested);
    // The type passes over the field; that of a handler which changes the object cannot.
    assert_eq!(request.send().await.unwrap().status(), 200);
    let mut operation = review(&config_map("a"));
    operation["request"]["operation"] = "MOVE".into();
    assert_eq!(denied(operation).await, r#"request.operation: "MOVE" is not known"#);
}

#[tokio::test]
async fn a_panic_is_a_refusal_with_the_name_of_the_webhook() {
    let hooks = Hooks::start(webhooks()).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let answer = post(&client, "/panics", &review(&config_map("a"))).await.unwrap();
    let expected = json!({"uid": "u1", "allowed": false, "status": {
        "metadata": {}, "status": "Failure", "code": 500, "reason": "InternalError",
        "message": r#"webhook "panics.hooks.example" has panicked: its log has the reason"#,
    }});
    assert_eq!(answer["response"], expected);
    let metrics = hooks.webhooks.metrics();
    let of = |path: &str| metrics.iter().find(|metrics| &*metrics.webhook == path).unwrap();
    assert_eq!((of("/panics").panics, of("/panics").requests, of("/ok").panics), (1, 1, 0));
    post(&client, "/ok", &review(&config_map("a"))).await.unwrap();
}

#[tokio::test]
async fn a_handler_that_never_ends_is_told_before_the_server_stops_to_wait() {
    let hooks = Hooks::start(webhooks()).await;
    let client = hooks.client(HttpVersion::Negotiate);
    let error = post(&client, "/never?timeout=1s", &review(&config_map("a"))).await.unwrap_err();
    assert_eq!(error.code(), Some(504));
    let message = r#"webhook "never.hooks.example" has not answered within 900ms"#;
    assert!(error.to_string().ends_with(message), "{error}");
    let metrics = hooks.webhooks.metrics();
    let never = metrics.iter().find(|metrics| &*metrics.webhook == "/never").unwrap();
    assert_eq!((never.timeouts, never.refused, never.in_flight), (1, 1, 0));
}

#[tokio::test]
async fn the_api_server_prints_the_reason() {
    let panics = async |_: Request<ConfigMap>, ()| -> Result<Allowed, Denied> { panic!("as planned") };
    let panics = AdmissionWebhook::validating("panics.hooks.example", (), panics);
    let hooks = Hooks::start(Webhooks::builder().admission(panics)).await;
    let (_server, client) = hooks.cluster().await;
    let config_map = ConfigMap { metadata: ObjectMeta::named("a"), ..Default::default() };
    let error = client.api::<ConfigMap>().namespace("default").create(&config_map).await.unwrap_err();
    let message = r#"admission webhook "panics.hooks.example" denied the request: webhook "panics.hooks.example" has panicked: its log has the reason"#;
    assert_eq!((error.code(), error.to_string().ends_with(message)), (Some(500), true), "{error}");
}
