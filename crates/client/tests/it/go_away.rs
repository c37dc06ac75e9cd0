//! Requests that an HTTP/2 server says it did not process.

use http::Method;
use klient_client::{Client, Error, ErrorKind, Response};

use tokio::io::AsyncWriteExt as _;

use crate::cluster::soon;
use crate::front::Front;
use crate::http2::Step::{Answer, AnswerAndGoAway, AnswerHalf, GoAway, GoAwayAndCut, Hold, Refuse, Reset};
use crate::http2::{ENHANCE_YOUR_CALM, Http2, NO_ERROR, Step};

const VERBS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

async fn send(client: &Client, method: &Method) -> Result<Response, Error> {
    let request = client.request(method.clone()).absolute_path("/api/v1/namespaces/default");
    let request = if method == Method::GET { request } else { request.body("application/json", "{}") };
    soon("a response", request.send()).await
}

/// Sends a request of every verb to a server with a script, and checks how often it arrives, and over how many
/// connections.
async fn check(script: &[Step], arrived: usize, connections: usize) {
    for method in VERBS {
        let server = Http2::start(script.iter().copied()).await;
        let response = send(&server.front.tls_client(), &method).await;
        assert!(response.is_ok(), "{method} {script:?}: {response:?}");
        let seen = (server.arrived(), server.answered(), server.front.connections());
        assert_eq!(seen, (arrived, 1, connections), "{method} {script:?}");
    }
}

#[tokio::test]
async fn a_refused_stream_is_sent_again_for_every_verb() {
    check(&[Refuse], 2, 1).await;
    check(&[Refuse, Refuse], 3, 1).await;
}

#[tokio::test]
async fn a_request_after_the_last_of_a_go_away_is_sent_again_for_every_verb() {
    check(&[GoAway(NO_ERROR)], 2, 2).await;
    check(&[GoAway(ENHANCE_YOUR_CALM)], 2, 2).await;
    check(&[GoAway(NO_ERROR), Refuse, GoAway(NO_ERROR)], 4, 3).await;
}

#[tokio::test]
async fn a_request_before_the_last_of_a_go_away_is_answered() {
    check(&[AnswerAndGoAway], 1, 1).await;
}

#[tokio::test]
async fn the_next_request_after_a_go_away_has_a_new_connection() {
    let server = Http2::start([Answer, AnswerAndGoAway, Answer]).await;
    let client = server.front.tls_client();
    for _ in 0..4 {
        send(&client, &Method::POST).await.unwrap();
    }
    assert_eq!((server.arrived(), server.answered(), server.front.connections()), (4, 4, 2));
}

#[tokio::test]
async fn every_request_is_processed_once_when_a_connection_goes_away() {
    let server = Http2::start([&[Answer], [Hold; 19].as_slice(), &[AnswerHalf]].concat()).await;
    let client = server.front.tls_client();
    send(&client, &Method::GET).await.unwrap();
    let sending: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { send(&client, &Method::POST).await })
        })
        .collect();
    for sent in sending {
        sent.await.unwrap().unwrap();
    }
    assert_eq!((server.arrived(), server.answered()), (31, 21));
    assert!(server.front.connections() >= 2);
}

#[tokio::test]
async fn a_server_that_refuses_for_ever_is_asked_seven_times() {
    for (step, problem) in [(Refuse, "refused stream"), (GoAway(NO_ERROR), "not a result of an error")] {
        for method in [Method::POST, Method::GET] {
            let server = Http2::start([step; 20]).await;
            let error = send(&server.front.tls_client(), &method).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
            assert_eq!(server.arrived(), 7, "{method} {step:?}: {error}");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_breaks_http2_is_asked_once() {
    let front = Front::tls("h2", |mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let error = send(&front.tls_client(), &Method::GET).await.unwrap_err();
    assert_eq!(front.connections(), 1, "{error}");
}

#[tokio::test]
async fn a_write_that_the_server_may_have_processed_is_not_sent_again() {
    for step in [Reset, GoAwayAndCut] {
        for method in &VERBS[1..] {
            let server = Http2::start([step]).await;
            let error = send(&server.front.tls_client(), method).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection, "{method} {step:?}: {error}");
            assert_eq!(server.arrived(), 1, "{method} {step:?}: {error}");
        }
    }
    let server = Http2::start([GoAwayAndCut]).await;
    send(&server.front.tls_client(), &Method::GET).await.unwrap();
    assert_eq!((server.arrived(), server.front.connections()), (2, 2));
}
