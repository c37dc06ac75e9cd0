//! The first certificate, and the one of a program that starts again.

use std::sync::Arc;
use std::time::Duration;

use klient_api::authentication::v1::SelfSubjectReview;
use klient_certificate::{
    Certificate, CertificateManagerOptions, CertificateStore as _, FileStore, MemoryStore,
};
use klient_client::ClientIdentity;
use klient_client::{Client, Pem};
use tempfile::TempDir;

use crate::cluster::{Cluster, config, options, soon, who};

#[tokio::test]
async fn the_first_certificate_comes_with_the_approval_and_authenticates() {
    let cluster = Cluster::start().await;
    let mut options = options("ann");
    options.request.duration = Some(Duration::from_secs(3600));
    let manager = cluster.manager(options, MemoryStore::new()).await.unwrap();
    assert!(manager.current().is_none() && !manager.is_server_healthy());
    let ready = tokio::spawn({
        let manager = manager.clone();
        async move { manager.ready().await }
    });

    let request = cluster.pending().await;
    let spec = &request.spec;
    assert!(request.metadata.name.as_deref().unwrap().starts_with("csr-"));
    assert_eq!(spec.signer_name, "kubernetes.io/kube-apiserver-client");
    assert_eq!(spec.usages, ["digital signature", "client auth"]);
    assert_eq!(spec.expiration_seconds, Some(3600));
    assert!(manager.current().is_none() && !ready.is_finished(), "it waits for the approval");
    cluster.approve(&request).await;

    let certificate = soon("a certificate", ready).await.unwrap().unwrap();
    assert!(manager.is_server_healthy());
    assert_eq!(manager.current().as_ref(), Some(&certificate));
    assert_eq!(certificate.common_name(), "ann");
    assert_eq!(certificate.not_after().unix() - certificate.not_before().unix(), 3600 + 300);
    let client = Client::new(cluster.config_with(manager.client_identity().await.unwrap())).unwrap();
    let review = client.api().create(&SelfSubjectReview::default()).await.unwrap();
    let user = review.status.user_info.unwrap();
    assert_eq!(user.username.as_deref(), Some("ann"));
    // In the order of DER, as Go encodes them.
    assert_eq!(user.groups, ["qa", "ops", "devs", "system:authenticated"]);
}

#[tokio::test]
async fn a_program_that_starts_again_takes_up_the_stored_certificate() {
    let cluster = Cluster::start().await;
    let folder = TempDir::new().unwrap();
    let store = FileStore::new(folder.path().join("pki"), "ann");
    let manager = cluster.manager(options("ann"), store.clone()).await.unwrap();
    cluster.approve(&cluster.pending().await).await;
    let first = soon("a certificate", manager.ready()).await.unwrap();
    let mut certificates = manager.subscribe();
    drop(manager);
    soon("the end", certificates.changed()).await.unwrap_err();

    let manager = cluster.manager(options("ann"), store.clone()).await.unwrap();
    assert_eq!(manager.current(), Some(first));
    // The only request after the first is the one that is asked for.
    let rotation = tokio::spawn({
        let manager = manager.clone();
        async move { manager.rotate_now().await }
    });
    cluster.approve(&cluster.pending().await).await;
    let second = soon("a certificate", rotation).await.unwrap().unwrap();
    assert_eq!(cluster.requests().await.len(), 2);
    assert_eq!(store.current().await.unwrap(), Some(second));

    // A client of the files has the certificate too.
    let pem = Pem::file(store.current_path());
    let identity = ClientIdentity { certificate: pem.clone(), key: pem };
    assert_eq!(who(&Client::new(cluster.config_with(identity)).unwrap()).await.unwrap(), "ann");
}

#[tokio::test]
async fn a_stored_certificate_that_has_expired_is_replaced_by_the_bootstrap_certificate_or_none() {
    let cluster = Cluster::start().await;
    let expired = include_str!("expired.pem");
    let boot = cluster.server.client_certificate("ann", &["devs", "ops", "qa"]).unwrap();
    let boot = Certificate::from_pem(boot.certificate_pem, boot.key_pem).unwrap();
    for bootstrap in [None, Some(boot)] {
        let store = MemoryStore::new();
        store.update(Certificate::from_pem(expired, expired).unwrap()).await.unwrap();
        let options = CertificateManagerOptions { bootstrap: bootstrap.clone(), ..options("ann") };
        let manager = cluster.manager(options, store).await.unwrap();
        assert_eq!(manager.current(), bootstrap);
        let mut certificates = manager.subscribe();
        // Even if the bootstrap certificate has the names.
        cluster.approve(&cluster.pending().await).await;
        soon("a certificate", certificates.changed()).await.unwrap();
        assert!(!manager.ready().await.unwrap().is_expired());
    }
}

#[tokio::test]
async fn a_program_that_starts_with_other_names_requests_another_certificate() {
    let cluster = Cluster::start().await;
    let store = Arc::new(MemoryStore::new());
    let _approver = cluster.approver();
    let manager = cluster.manager(options("ann"), Shared(store.clone())).await.unwrap();
    soon("a certificate", manager.ready()).await.unwrap();
    drop(manager);
    let manager = cluster.manager(options("bob"), Shared(store)).await.unwrap();
    assert_eq!(manager.current().unwrap().common_name(), "ann", "it is used meanwhile");
    let mut certificates = manager.subscribe();
    let is_bobs = |current: &Option<Certificate>| current.as_ref().unwrap().common_name() == "bob";
    soon("another certificate", certificates.wait_for(is_bobs)).await.unwrap();
}

#[tokio::test]
async fn a_bootstrap_certificate_is_used_and_stored_until_it_is_replaced() {
    let cluster = Cluster::start().await;
    let boot = cluster.server.client_certificate("boot", &["system:masters"]).unwrap();
    let boot = Certificate::from_pem(boot.certificate_pem, boot.key_pem).unwrap();
    let store = Arc::new(MemoryStore::new());
    let mut options = options("ann");
    options.bootstrap = Some(boot.clone());
    options.renew_with = Some(config(&cluster.server));
    let manager = cluster.manager(options, Shared(store.clone())).await.unwrap();
    assert_eq!(manager.current().as_ref(), Some(&boot));
    assert_eq!(store.current().await.unwrap(), Some(boot));
    let request = cluster.pending().await;
    assert_eq!(request.spec.username.as_deref(), Some("boot"), "it is sent with the present certificate");
    let mut certificates = manager.subscribe();
    cluster.approve(&request).await;
    let is_anns = |current: &Option<Certificate>| current.as_ref().unwrap().common_name() == "ann";
    soon("a certificate", certificates.wait_for(is_anns)).await.unwrap();
    assert_eq!(store.current().await.unwrap().unwrap().common_name(), "ann");
}

#[tokio::test]
async fn a_request_ends_with_the_last_handle() {
    let cluster = Cluster::start().await;
    let manager = cluster.manager(options("ann"), MemoryStore::new()).await.unwrap();
    let other = manager.clone();
    let mut certificates = manager.subscribe();
    let request = cluster.pending().await;
    drop(manager);
    cluster.approve(&request).await;
    soon("a certificate", certificates.changed()).await.unwrap();
    drop(other);
    soon("the end", certificates.changed()).await.unwrap_err();
}

/// A store that outlives its manager.
struct Shared(Arc<MemoryStore>);

impl klient_certificate::CertificateStore for Shared {
    fn current(
        &self,
    ) -> klient_apimachinery::BoxFuture<'_, Result<Option<Certificate>, klient_certificate::Error>> {
        self.0.current()
    }

    fn update(
        &self,
        certificate: Certificate,
    ) -> klient_apimachinery::BoxFuture<'_, Result<(), klient_certificate::Error>> {
        self.0.update(certificate)
    }
}
