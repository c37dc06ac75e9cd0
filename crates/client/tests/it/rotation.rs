//! Certificates, authorities and tokens in files that change while requests are sent.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use klient_apiserver::TestServer;
use klient_client::{Client, ClientIdentity, Config, Pem};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::cluster::soon;
use crate::exec_fixture::{kubeconfig, who};
use crate::log::{Log, second_subscriber};

pub(crate) const ROTATIONS: usize = 5;
const REQUESTS_PER_ROTATION: usize = 200;

/// Sends requests, eight at a time, while files are rotated: each rotation is to make another user. Time is put forward,
/// since files are looked at once a minute.
pub(crate) async fn check(config: Config, rotate: impl Fn(usize)) {
    let client = Client::new(config).unwrap();
    let stopped = Arc::new(AtomicBool::new(false));
    // The user of the last response, and the number of responses.
    let (sender, mut responses) = watch::channel((String::new(), 0));
    let requests: Vec<_> = (0..8)
        .map(|_| {
            let (client, stopped, sender) = (client.clone(), stopped.clone(), sender.clone());
            tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    let user = who(&client).await.expect("no request is lost");
                    sender.send_modify(|(last, number)| (*last, *number) = (user, *number + 1));
                }
            })
        })
        .collect();
    for rotation in 0..ROTATIONS {
        let wanted = format!("user-{rotation}");
        soon(&wanted, responses.wait_for(|(user, _)| *user == wanted)).await.unwrap();
        let wanted = (rotation + 1) * REQUESTS_PER_ROTATION;
        soon("requests", responses.wait_for(|(_, number)| *number >= wanted)).await.unwrap();
        rotate(rotation + 1);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
    }
    stopped.store(true, Ordering::Relaxed);
    for request in requests {
        request.await.unwrap();
    }
}

/// The folder of files, and a function that writes one as a whole.
fn files() -> (TempDir, impl Fn(&str, &str) -> PathBuf) {
    let folder = TempDir::new().unwrap();
    let at = folder.path().to_owned();
    let write = move |name: &str, text: &str| {
        fs::write(at.join("new"), text).unwrap();
        fs::rename(at.join("new"), at.join(name)).unwrap();
        at.join(name)
    };
    (folder, write)
}

fn config(server: &TestServer, user: Value) -> Config {
    Config::from_kubeconfig(&kubeconfig(server, user).to_string()).unwrap()
}

#[tokio::test]
async fn no_request_is_lost_while_certificates_are_rotated() {
    let server = TestServer::start().await.unwrap();
    let other = TestServer::start().await.unwrap();
    let (folder, write) = files();
    let rotate = |rotation: usize| {
        let own = server.client_certificate(&format!("user-{rotation}"), &[]).unwrap();
        write("crt", &own.certificate_pem);
        write("key", &own.key_pem);
        let authorities = [server.ca_pem(), other.ca_pem()];
        write("ca", &authorities[..1 + rotation % 2].concat());
    };
    rotate(0);
    let path = |name: &str| folder.path().join(name);
    let mut config = config(&server, json!({"client-certificate": path("crt"), "client-key": path("key")}));
    config.tls.ca = Some(Pem::file(path("ca")));
    check(config, rotate).await;
}

#[tokio::test]
async fn no_request_is_lost_while_a_channel_gives_other_certificates() {
    let server = TestServer::start().await.unwrap();
    let identity = |rotation: usize| -> Arc<[u8]> {
        let own = server.client_certificate(&format!("user-{rotation}"), &[]).unwrap();
        // In either order.
        let parts = [own.certificate_pem, own.key_pem];
        let [first, second] = [&parts[rotation % 2], &parts[1 - rotation % 2]];
        format!("{first}{second}").into_bytes().into()
    };
    let (sender, receiver) = watch::channel(identity(0));
    let pem = Pem::watch(receiver);
    let mut config = config(&server, json!({}));
    config.tls.client = Some(ClientIdentity { certificate: pem.clone(), key: pem });
    assert!(!format!("{config:?}").contains("PRIVATE KEY"));
    check(config, |rotation| drop(sender.send_replace(identity(rotation)))).await;
}

/// Certificates that cannot be used leave those from before in use.
#[tokio::test]
async fn a_channel_with_garbage_is_one_warning() {
    let server = TestServer::start().await.unwrap();
    let own = server.client_certificate("ada", &[]).unwrap();
    let other = server.client_certificate("bob", &[]).unwrap();
    let pem = |parts: &[&str]| -> Arc<[u8]> { parts.concat().into_bytes().into() };
    let (sender, receiver) = watch::channel(pem(&[&own.certificate_pem, &own.key_pem]));
    let identity = Pem::watch(receiver);
    let mut config = config(&server, json!({}));
    config.tls.client = Some(ClientIdentity { certificate: identity.clone(), key: identity });
    let client = Client::new(config).unwrap();
    let (log, _second) = (Log::default(), second_subscriber());
    let _logging = tracing::subscriber::set_default(log.clone());
    let mut warnings = 0;
    for garbage in [pem(&[]), pem(&["garbage"]), pem(&[&own.certificate_pem, &other.key_pem])] {
        sender.send_replace(garbage);
        warnings += 1;
        for _ in 0..3 {
            assert_eq!(who(&client).await.unwrap(), "ada");
            let logged = log.text().matches("the certificates from before are used").count();
            assert_eq!(logged, warnings, "{}", log.text());
        }
    }
    assert!(!log.text().contains("PRIVATE KEY"));
    sender.send_replace(pem(&[&other.certificate_pem, &other.key_pem]));
    assert_eq!(who(&client).await.unwrap(), "bob");
}

#[tokio::test]
async fn no_request_is_lost_while_tokens_are_rotated() {
    let server = TestServer::start().await.unwrap();
    let (folder, write) = files();
    let rotate = |rotation: usize| {
        write("token", &server.token(&format!("user-{rotation}"), &[]));
    };
    rotate(0);
    check(config(&server, json!({"tokenFile": folder.path().join("token")})), rotate).await;
}

/// A token beside a file is used until the file is there.
#[tokio::test]
async fn a_token_file_that_is_missing_is_read_when_it_is_there() {
    let server = TestServer::start().await.unwrap();
    let (folder, write) = files();
    let user = json!({"token": server.token("ada", &[]), "tokenFile": folder.path().join("token")});
    let client = Client::new(config(&server, user)).unwrap();
    assert_eq!(who(&client).await.unwrap(), "ada");
    let after_a_minute = async || {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
    };
    write("token", &server.token("bob", &[]));
    after_a_minute().await;
    assert_eq!(who(&client).await.unwrap(), "bob");
    // One that vanishes leaves the last token in use.
    fs::remove_file(folder.path().join("token")).unwrap();
    after_a_minute().await;
    assert_eq!(who(&client).await.unwrap(), "bob");
}
