//! Renewal: before the expiry, on request, and for other names.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use klient_certificate::{Certificate, CertificateStore as _, CertificateTemplate, FileStore, MemoryStore};
use klient_client::Client;
use tempfile::TempDir;

use crate::cluster::{Cluster, options, short_lived, soon, who};

#[tokio::test]
async fn no_request_is_lost_while_the_certificate_is_renewed() {
    const RENEWALS: usize = 3;
    let cluster = Cluster::start().await;
    let _approver = cluster.approver();
    let folder = TempDir::new().unwrap();
    let store = FileStore::new(folder.path(), "ann");
    let manager = cluster.manager(short_lived("ann"), store.clone()).await.unwrap();
    let client =
        Client::new(cluster.config_with(soon("a certificate", manager.client_identity()).await.unwrap()));
    let client = client.unwrap();
    let (stopped, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (client, stopped, sent) = (client.clone(), stopped.clone(), sent.clone());
            tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    assert_eq!(who(&client).await.expect("no request is lost"), "ann");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (manager, store, stopped) = (manager.clone(), store.clone(), stopped.clone());
            tokio::spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    // Each is a certificate with its own key: otherwise the store fails.
                    let stored = store.current().await.unwrap().expect("there is always one");
                    let current = manager.current().expect("there is always one");
                    assert_eq!([stored.common_name(), current.common_name()], ["ann"; 2]);
                }
            })
        })
        .collect();
    let mut certificates = manager.subscribe();
    let mut last = certificates.borrow_and_update().clone().unwrap();
    for _ in 0..RENEWALS {
        soon("a renewal", certificates.changed()).await.unwrap();
        let next = certificates.borrow_and_update().clone().unwrap();
        assert_ne!(next.key_pem(), last.key_pem(), "each certificate has a new key");
        last = next;
    }
    stopped.store(true, Ordering::Relaxed);
    for task in senders.into_iter().chain(readers) {
        task.await.unwrap();
    }
    assert!(sent.load(Ordering::Relaxed) > RENEWALS);
}

#[tokio::test]
async fn a_renewal_on_request_is_one_request_for_all_who_ask() {
    let cluster = Cluster::start().await;
    let manager = cluster.manager(options("ann"), MemoryStore::new()).await.unwrap();
    cluster.approve(&cluster.pending().await).await;
    let first = soon("a certificate", manager.ready()).await.unwrap();
    let rotation = tokio::spawn({
        let manager = manager.clone();
        async move { tokio::join!(manager.rotate_now(), manager.rotate_now()) }
    });
    let request = cluster.pending().await;
    assert_eq!(manager.current(), Some(first.clone()), "it is used meanwhile");
    cluster.approve(&request).await;
    let (second, same) = soon("a renewal", rotation).await.unwrap();
    let second = second.unwrap();
    assert_eq!(same.unwrap(), second);
    assert_ne!(first.key_pem(), second.key_pem());
    assert_eq!(manager.current(), Some(second));
    assert_eq!(cluster.requests().await.len(), 2);
}

fn template(organizations: &[&str]) -> CertificateTemplate {
    CertificateTemplate {
        organizations: organizations.iter().map(|name| (*name).to_owned()).collect(),
        ..options("ann").request.template
    }
}

#[tokio::test]
async fn other_names_are_requested_at_once_and_fewer_are_not() {
    let cluster = Cluster::start().await;
    let _approver = cluster.approver();
    let manager = cluster.manager(options("ann"), MemoryStore::new()).await.unwrap();
    soon("a certificate", manager.ready()).await.unwrap();
    manager.set_template(template(&["devs", "admins"])).unwrap();
    let mut certificates = manager.subscribe();
    let has_both =
        |current: &Option<Certificate>| current.as_ref().unwrap().organizations() == ["devs", "admins"];
    soon("another certificate", certificates.wait_for(has_both)).await.unwrap();
    manager.set_template(template(&["admins"])).unwrap();
    let certificate = soon("a renewal", manager.rotate_now()).await.unwrap();
    assert_eq!(certificate.organizations(), ["admins"]);
    assert_eq!(cluster.requests().await.len(), 3);
    let invalid = CertificateTemplate { dns_names: vec!["bücher".into()], ..Default::default() };
    assert_eq!(
        manager.set_template(invalid).unwrap_err().to_string(),
        r#"DNS name "bücher" of a certificate: it must be ASCII and not empty; write other characters in punycode"#
    );
}

#[tokio::test]
async fn a_request_for_other_names_is_abandoned() {
    let cluster = Cluster::start().await;
    let manager = cluster.manager(options("ann"), MemoryStore::new()).await.unwrap();
    let first = cluster.pending().await;
    manager.set_template(template(&["admins"])).unwrap();
    // The first is denied, which is of no consequence any more.
    let requests = cluster.client.api::<klient_api::certificates::v1::CertificateSigningRequest>();
    requests.deny(first.metadata.name.as_deref().unwrap(), "ByTest", "").await.unwrap();
    cluster.approve(&cluster.pending().await).await;
    let certificate = soon("a certificate", manager.ready()).await.unwrap();
    assert_eq!(certificate.organizations(), ["admins"]);
}
