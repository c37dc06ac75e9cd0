//! Errors say why.

use std::error::Error as _;
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Namespace};
use klient_client::{Client, Config, Credentials, Error, ErrorKind, ListOptions};

use crate::cluster::{cluster, named};
use crate::front::Front;

/// The text is that of the error itself and of each of its causes, once.
#[track_caller]
fn check(error: &Error, kind: ErrorKind, expected: &str) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert!(text.contains(expected), "{text}");
    assert_eq!(format!("{error:?}"), text);
    assert!(error.source().is_none());
    let mut cause = error.cause();
    while let Some(present) = cause {
        // The HTTP library's outermost error adds nothing to the kind.
        if present.source().is_none() {
            assert_eq!(text.matches(&present.to_string()).count(), 1, "{text}");
        }
        cause = present.source();
    }
}

#[tokio::test]
async fn every_kind_of_error_shows_its_cause() {
    let list = async |client: &Client| {
        client.api::<Namespace>().list(&ListOptions::default()).await.map(drop).unwrap_err()
    };
    check(&Config::from_url("ftp://a").unwrap_err(), ErrorKind::Config, r#""ftp://a": it must begin with"#);
    let missing = Config::from_kubeconfig_file("/no/such/file").unwrap_err();
    check(&missing, ErrorKind::Config, "/no/such/file: cannot be used: No such file or directory");
    let broken = Config::from_kubeconfig("clusters: 7").unwrap_err();
    check(&broken, ErrorKind::Config, "kubeconfig: cannot be used: ");
    let missing = Credentials::token_file("/no/such/token").unwrap_err();
    check(
        &missing,
        ErrorKind::Config,
        "token file /no/such/token: cannot be used: No such file or directory",
    );

    let client = Client::new(Config::from_url("http://127.0.0.1:1").unwrap()).unwrap();
    check(&list(&client).await, ErrorKind::Connect, "cannot connect: tcp connect error: Connection refused");
    let nameless = client.api::<Namespace>().get("").await.unwrap_err();
    check(&nameless, ErrorKind::Request, "not sent: ");

    let closing = Front::closing().await;
    check(&list(&closing.client()).await, ErrorKind::Connection, "before the response was complete: ");
    let hanging = Front::hanging().await;
    let mut config = hanging.client().config().clone();
    config.timeouts.first_byte = Some(Duration::from_millis(10));
    check(&list(&Client::new(config).unwrap()).await, ErrorKind::Timeout, "no answer within 0.01 s");
    let said = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]";
    let saying = Front::saying(&[said]).await;
    check(&list(&saying.client()).await, ErrorKind::Decode, "cannot decode the response: ");
    let silent = Front::saying(&["HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"]).await;
    check(&list(&silent.client()).await, ErrorKind::Status, "the server refused with 403 Forbidden");

    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let invalid = config_maps.create(&ConfigMap { metadata: named("No Name"), ..Default::default() }).await;
    check(
        &invalid.unwrap_err(),
        ErrorKind::Status,
        r#"ConfigMap "No Name" is invalid: metadata.name: Invalid value"#,
    );
}
