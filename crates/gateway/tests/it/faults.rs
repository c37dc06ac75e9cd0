//! Faults of the gateway itself.

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use klient_client::{Client, Config, RequestBody};
use klient_gateway::{Gateway, Options};
use serde_json::Value;
use tower::util::MapRequestLayer;

type Sent = Request<RequestBody>;

#[tokio::test]
async fn a_request_that_ends_in_a_panic_has_an_answer_with_its_number() {
    let panics = MapRequestLayer::new(|request: Sent| -> Sent { panic!("{} is a request", request.uri()) });
    let client = Client::with_layer(Config::from_url("http://localhost:1").unwrap(), panics).unwrap();
    let gateway = Gateway::new(client, Options::default()).unwrap();
    let request = Request::get("/v1/session").header("host", "localhost").header("x-request-id", "seven");
    let request = request.header("authorization", format!("Bearer {}", gateway.token().unwrap()));
    let answer = gateway.answer(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-request-id"]),
        (500, &"seven".parse().unwrap())
    );
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let body: Value =
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(body["error"]["code"], "internal");
}
