//! Requests that are denied, fail, or reach no server, and stores that fail.

use std::time::Duration;

use klient_api::certificates::v1::CertificateSigningRequest;
use klient_apiserver::{Options, Server};
use klient_certificate::{
    Certificate, CertificateManager, CertificateManagerOptions, CertificateRequest, Error, ErrorKind,
    MemoryStore, signers,
};
use klient_client::{Client, Config, DeleteOptions};

use crate::cluster::{Cluster, approver, options, soon};

/// The text of an error, with the name of the CertificateSigningRequest replaced.
fn text(error: &Error, request: &CertificateSigningRequest) -> String {
    error.to_string().replace(request.metadata.name.as_deref().unwrap(), "NAME")
}

const REQUEST: &str = r#"CertificateSigningRequest "NAME" to signer "kubernetes.io/kube-apiserver-client""#;

#[tokio::test]
async fn a_denial_is_returned_with_its_reason_and_the_next_attempt_may_succeed() {
    let cluster = Cluster::start().await;
    let mut options = options("ann");
    // There is no other attempt unless it is asked for.
    options.retry.duration = Duration::from_secs(3600);
    let manager = cluster.manager(options, MemoryStore::new()).await.unwrap();
    let request = cluster.pending().await;
    let requests = cluster.client.api::<CertificateSigningRequest>();
    let name = request.metadata.name.as_deref().unwrap();
    requests.deny(name, "PolicyFailed", "Ann has left.").await.unwrap();
    let error = soon("the denial", manager.ready()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_permanent()), (ErrorKind::Denied, true));
    assert_eq!(text(&error, &request), format!("{REQUEST} was denied: PolicyFailed: Ann has left."));

    let rotation = tokio::spawn({
        let manager = manager.clone();
        async move { manager.rotate_now().await }
    });
    cluster.approve(&cluster.pending().await).await;
    let certificate = soon("a certificate", rotation).await.unwrap().unwrap();
    assert_eq!(soon("a certificate", manager.ready()).await.unwrap(), certificate);
}

#[tokio::test]
async fn a_request_that_does_not_fit_its_signer_fails_with_the_signers_message() {
    let cluster = Cluster::start().await;
    let _approver = cluster.approver();
    let mut request = options("ann").request;
    request.usages = vec!["server auth".into()];
    let error = request.send(&cluster.client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(
        text(&error, &cluster.requests().await[0]),
        format!(
            "{REQUEST} failed: SignerValidationFailure: invalid usage for client certificate: server auth"
        )
    );
}

#[tokio::test]
async fn a_request_that_is_not_approved_or_not_signed_in_time_says_which() {
    let server = Server::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    let mut request = options("ann").request;
    request.approval_timeout = Duration::from_millis(300);
    let error = request.send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.is_permanent()), (ErrorKind::Timeout, false));
    let requests = client.api::<CertificateSigningRequest>();
    let [pending] = &requests.list(&Default::default()).await.unwrap().items[..] else {
        panic!("one request")
    };
    assert_eq!(
        text(&error, pending),
        format!(
            "{REQUEST} was not approved within 300ms: approve it with `kubectl certificate approve NAME`, or run an approver"
        )
    );
    requests.delete(pending.metadata.name.as_deref().unwrap(), &DeleteOptions::default()).await.unwrap();

    let _approver = approver(&client);
    // A slow machine may not approve it in the first second.
    request.approval_timeout = Duration::from_secs(1);
    let error = loop {
        let error = request.send(&client).await.unwrap_err();
        if !error.to_string().contains("not approved") {
            break error;
        }
        request.approval_timeout *= 2;
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let all = requests.list(&Default::default()).await.unwrap().items;
    let is_named = |request: &&CertificateSigningRequest| {
        error.to_string().contains(request.metadata.name.as_deref().unwrap())
    };
    assert_eq!(
        text(&error, all.iter().find(is_named).unwrap()),
        format!(
            "{REQUEST} was approved, and the signer issued no certificate within {:?}: check that it runs",
            request.approval_timeout
        )
    );
}

#[tokio::test]
async fn a_request_that_is_deleted_is_made_again() {
    let cluster = Cluster::start().await;
    let mut options = options("ann");
    options.retry.duration = Duration::from_secs(3600);
    let manager = cluster.manager(options, MemoryStore::new()).await.unwrap();
    let first = cluster.pending().await;
    let rotation = tokio::spawn({
        let manager = manager.clone();
        async move { manager.rotate_now().await }
    });
    let requests = cluster.client.api::<CertificateSigningRequest>();
    let name = first.metadata.name.as_deref().unwrap();
    requests.delete(name, &DeleteOptions::default()).await.unwrap();
    // The rotation may have been asked for after the deletion, and is the next attempt then.
    let error = tokio::select! {
        error = rotation => error.unwrap().unwrap_err(),
        request = cluster.pending() => {
            cluster.approve(&request).await;
            soon("a certificate", manager.ready()).await.unwrap();
            return;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Deleted);
    assert_eq!(text(&error, &first), format!("{REQUEST} was deleted before the certificate was issued"));
    let rotation = tokio::spawn(async move { manager.rotate_now().await });
    cluster.approve(&cluster.pending().await).await;
    soon("a certificate", rotation).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_is_down_gets_the_request_when_it_is_back() {
    let cluster = Cluster::start().await;
    cluster.server.stop().await;
    let manager = cluster.manager(options("ann"), MemoryStore::new()).await.unwrap();
    let error = soon("an attempt", manager.rotate_now()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_permanent()), (ErrorKind::Request, false));
    let begin =
        r#"cannot request a certificate from signer "kubernetes.io/kube-apiserver-client": POST https://"#;
    assert!(error.to_string().starts_with(begin), "{error}");
    assert!(!manager.is_server_healthy());
    cluster.server.restart().await.unwrap();
    let request = cluster.pending().await;
    // It goes away again while the request waits.
    cluster.server.restart().await.unwrap();
    cluster.approve(&request).await;
    soon("a certificate", manager.ready()).await.unwrap();
    assert!(manager.is_server_healthy());
}

#[tokio::test]
async fn a_request_that_the_server_refuses_is_returned() {
    let cluster = Cluster::start().await;
    let mut options = options("ann");
    options.request.duration = Some(Duration::from_secs(599));
    let manager = cluster.manager(options, MemoryStore::new()).await.unwrap();
    let error = soon("the refusal", manager.ready()).await.unwrap_err();
    assert!(error.request_error().unwrap().is_invalid() && error.is_permanent());
    assert!(
        error.to_string().ends_with("may not specify a duration less than 600 seconds (10 minutes)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_used_does_not_start() {
    let cluster = Cluster::start().await;
    let check = async |request: CertificateRequest, expected: &str| {
        let options = CertificateManagerOptions { request, ..Default::default() };
        let error = cluster.manager(options, MemoryStore::new()).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Template, expected));
    };
    let signed_by = |signer: &str| CertificateRequest { signer_name: signer.into(), ..Default::default() };
    check(signed_by(""), "a request for a certificate without a signer: set `signer_name`").await;
    check(
        signed_by("example.com/signer"),
        r#"the usages of certificates of signer "example.com/signer" are not known: set `usages`"#,
    )
    .await;
    let mut empty = signed_by(signers::KUBELET_SERVING);
    empty.template.dns_names = vec![String::new()];
    let problem =
        r#"DNS name "" of a certificate: it must be ASCII and not empty; write other characters in punycode"#;
    check(empty, problem).await;
    assert_eq!(cluster.requests().await.len(), 0);
}

#[tokio::test]
async fn private_keys_are_not_in_debug_output() {
    let cluster = Cluster::start().await;
    let _approver = cluster.approver();
    let boot = cluster.server.client_certificate("boot", &[]).unwrap();
    let mut options = options("ann");
    options.bootstrap = Some(Certificate::from_pem(boot.certificate_pem, boot.key_pem).unwrap());
    let store = MemoryStore::new();
    let shown = format!("{options:?} {store:?}");
    let manager = CertificateManager::start(cluster.client.clone(), options, store).await.unwrap();
    let certificate = soon("a certificate", manager.rotate_now()).await.unwrap();
    let identity = manager.client_identity().await.unwrap();
    let shown = format!("{shown} {manager:?} {identity:?} {:?} {:?}", identity.key, manager.subscribe());
    assert!(shown.contains(r#"Certificate("ann", until 2"#), "{shown}");
    let key = certificate.key_pem().lines().nth(1).unwrap();
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains(key), "{shown}");
}
