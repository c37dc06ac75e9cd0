//! The certificate of a server.

use std::fs;
use std::path::Path;

use http::Method;
use klient_certificate::Certificate;
use klient_client::HttpVersion;
use klient_webhook::{ErrorKind, Server, ServerOptions, Tls, Webhooks};
use tokio::sync::watch;

use crate::cluster::{any_port, certificate, client};

async fn start(tls: Tls) -> Result<Server, klient_webhook::Error> {
    Server::start(Webhooks::builder().build().unwrap(), tls, any_port()).await
}

/// True if a new connection has a certificate.
async fn serves(server: &Server, certificate: &Certificate) -> bool {
    let client = client(server, certificate, HttpVersion::Negotiate);
    match client.request(Method::GET).request_uri("/healthz").send().await {
        Ok(_) => true,
        Err(error) if error.is_untrusted() => false,
        Err(error) => panic!("{error}"),
    }
}

fn write(folder: &Path, certificate: &Certificate) {
    fs::write(folder.join("tls.crt"), certificate.certificate_pem()).unwrap();
    fs::write(folder.join("tls.key"), certificate.key_pem()).unwrap();
}

#[tokio::test]
async fn files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (certificate(), certificate());
    write(folder.path(), &first);
    let files = || Tls::files(folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let server = start(files()).await.unwrap();
    assert!(serves(&server, &first).await && !serves(&server, &second).await);
    // Half of a change leaves the present one.
    fs::write(folder.path().join("tls.crt"), second.certificate_pem()).unwrap();
    assert!(serves(&server, &first).await);
    write(folder.path(), &second);
    while !serves(&server, &second).await {
        tokio::task::yield_now().await;
    }
    fs::remove_file(folder.path().join("tls.key")).unwrap();
    assert!(serves(&server, &second).await);
    let error = start(files()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    let expected = format!("cannot read {}: ", folder.path().join("tls.key").display());
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test]
async fn certificates_of_a_channel_are_used_when_they_come() {
    let (first, second) = (certificate(), certificate());
    let (sender, receiver) = watch::channel(Some(first.clone()));
    let server = start(Tls::watch(receiver)).await.unwrap();
    assert!(serves(&server, &first).await);
    sender.send_replace(Some(second.clone()));
    assert!(serves(&server, &second).await && !serves(&server, &first).await);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let server = start(Tls::certificate(certificate())).await.unwrap();
    let options = ServerOptions { listen: server.address(), ..Default::default() };
    let webhooks = Webhooks::builder().build().unwrap();
    let error = Server::start(webhooks, Tls::certificate(certificate()), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
    assert!(error.to_string().starts_with(&format!("cannot listen on {}: ", server.address())), "{error}");
}
