//! Requests that the server has no capacity for.

use klient_apiserver::TestServer;

use crate::client::{Client, Identity, Protocol};
use crate::objects::CONFIG_MAPS;

#[tokio::test]
async fn the_next_requests_are_answered_with_429() {
    let server = TestServer::start().await.unwrap();
    let admin = Client::admin(&server).await;
    server.throttle(2, 3);
    let stranger = Client::connect(&server, Protocol::Http2, Identity::Token("guessed".to_owned())).await;
    assert_eq!(stranger.get(CONFIG_MAPS).await.status, 401, "strangers take no capacity");
    for _ in 0..2 {
        let answer = admin.get(CONFIG_MAPS).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "3"));
        assert_eq!(answer.text(), "Too many requests, please try again later.\n");
    }
    admin.get(CONFIG_MAPS).await.expect(200);
}
