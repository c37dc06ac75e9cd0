//! Webhooks in the router of another server.

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use klient_api::core::v1::ConfigMap;
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request as Write, Webhooks};
use serde_json::{Value, json};
use tower::{Service as _, ServiceExt};

use crate::cluster::{config_map, review};

#[tokio::test]
async fn axum_serves_webhooks_below_a_path_and_at_one() {
    let allow = async |_: Write<ConfigMap>, ()| Ok::<_, Denied>(Allowed::new());
    let webhooks = Webhooks::builder()
        .admission(AdmissionWebhook::validating("allow.hooks.example", (), allow))
        .build()
        .unwrap();
    let path = "/validate--v1-configmap";
    let mut router =
        Router::new().nest_service("/hooks", webhooks.clone()).route_service(path, webhooks.clone());
    let mut answer = async |uri: &str| {
        let request = Request::post(uri)
            .header("content-type", "application/json; charset=utf-8")
            .body(Body::from(review(&config_map("a")).to_string()))
            .unwrap();
        let ready = ServiceExt::<Request<Body>>::ready(&mut router).await.unwrap();
        let response = ready.call(request).await.unwrap();
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (code, serde_json::from_slice::<Value>(&body).unwrap())
    };
    for uri in [format!("/hooks{path}"), path.to_owned()] {
        let (code, answer) = answer(&uri).await;
        assert_eq!((code, &answer["response"]["allowed"]), (200, &json!(true)));
    }
    let (code, status) = answer("/hooks/other").await;
    assert_eq!(code, 404);
    assert_eq!(status["message"], "no webhook is at /other: they are at /validate--v1-configmap");
}
