//! The files of a store, and those that cannot be used.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use klient_certificate::{Certificate, CertificateStore as _, ErrorKind, FileStore, self_signed_certificate};
use tempfile::TempDir;

use crate::cluster::{Cluster, options, soon};

fn certificate(name: &str) -> Certificate {
    self_signed_certificate(&[name], Duration::from_secs(3600)).unwrap()
}

/// The files of a folder, with the digits of names replaced, and the targets of links.
fn files(folder: &Path) -> Vec<String> {
    let digits = |name: String| name.replace(|c: char| c.is_ascii_digit(), "0");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match fs::read_link(&path) {
                Ok(target) => digits(format!("{name} -> {}", target.display())),
                Err(_) => {
                    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                    format!("{} {mode:o}", digits(name))
                }
            }
        })
        .collect();
    files.sort();
    files.dedup();
    files
}

#[tokio::test]
async fn files_and_links_are_those_of_client_go() {
    let folder = TempDir::new().unwrap();
    let pki = folder.path().join("var/pki");
    let store = FileStore::new(&pki, "kubelet-client");
    assert_eq!(store.current().await.unwrap(), None);
    assert_eq!(store.current_path(), pki.join("kubelet-client-current.pem"));
    for name in ["one", "two"] {
        let certificate = certificate(name);
        store.update(certificate.clone()).await.unwrap();
        assert_eq!(store.current().await.unwrap(), Some(certificate.clone()));
        assert_eq!(fs::read_to_string(store.current_path()).unwrap(), certificate.to_pem());
        assert_eq!(
            files(&pki),
            [
                "kubelet-client-0000-00-00-00-00-00.pem 600",
                "kubelet-client-current.pem -> kubelet-client-0000-00-00-00-00-00.pem",
            ]
        );
    }
}

#[tokio::test]
async fn an_update_that_was_interrupted_is_finished() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::new(folder.path(), "a");
    let certificate = certificate("one");
    fs::write(folder.path().join("a-1.pem"), certificate.to_pem()).unwrap();
    symlink("a-1.pem", folder.path().join("a-updated.pem")).unwrap();
    assert_eq!(store.current().await.unwrap(), Some(certificate));
    assert_eq!(files(folder.path())[1], "a-current.pem -> a-0.pem");
    // A link to a file that is gone is no certificate, and is replaced.
    fs::remove_file(folder.path().join("a-1.pem")).unwrap();
    assert_eq!(store.current().await.unwrap(), None);
    store.update(self::certificate("two")).await.unwrap();
    assert_eq!(store.current().await.unwrap().unwrap().common_name(), "two");
}

#[tokio::test]
async fn pairs_of_files_are_read_until_there_is_a_current_one() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let store = FileStore::new(folder.path(), "a").or_pair(path("given.crt"), path("given.key"));
    for name in ["a", "given"] {
        let certificate = certificate(name);
        fs::write(path(&format!("{name}.crt")), certificate.certificate_pem()).unwrap();
        assert_ne!(store.current().await.unwrap().as_ref(), Some(&certificate), "it has no key");
        fs::write(path(&format!("{name}.key")), certificate.key_pem()).unwrap();
        assert_eq!(store.current().await.unwrap(), Some(certificate));
    }
    store.update(certificate("current")).await.unwrap();
    assert_eq!(store.current().await.unwrap().unwrap().common_name(), "current");
}

#[tokio::test]
async fn a_manager_does_not_start_on_a_broken_file() {
    let cluster = Cluster::start().await;
    let good = certificate("one");
    let (certificate_pem, key_pem) = (good.certificate_pem(), good.key_pem());
    let half = &good.to_pem()[..certificate_pem.len() + key_pem.len() / 2];
    let garbage = certificate_pem.replace("MI", "!!");
    for (pem, problem) in [
        ("", "there is no certificate in the PEM text"),
        ("garbage", "there is no certificate in the PEM text"),
        (certificate_pem, "there is no private key in the PEM text"),
        (key_pem, "there is no certificate in the PEM text"),
        (half, "the certificate: it ends within a block PRIVATE KEY"),
        (&(garbage + key_pem), "the certificate is not base64"),
        (
            &(certificate_pem.to_owned() + certificate("two").key_pem()),
            "the private key is not that of the certificate",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let store = FileStore::new(folder.path(), "a");
        fs::write(store.current_path(), pem).unwrap();
        let error = cluster.manager(options("ann"), store.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        let path = store.current_path().display().to_string();
        let begin =
            format!("{path}: not a certificate with its key, remove it to request another: {problem}");
        assert!(error.to_string().starts_with(&begin), "{error}");
    }
    assert_eq!(cluster.requests().await.len(), 0);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_named_and_the_certificate_is_not_used() {
    let cluster = Cluster::start().await;
    let _approver = cluster.approver();
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), "").unwrap();
    let boot = cluster.server.client_certificate("ann", &["devs", "ops", "qa"]).unwrap();
    fs::write(path("b-current.pem"), boot.certificate_pem + &boot.key_pem).unwrap();
    let mut options = options("ann");
    options.retry.duration = Duration::from_secs(3600);
    let in_file = FileStore::new(path("file/pki"), "a");
    let error = in_file.current().await.unwrap_err();
    assert!(error.to_string().contains(&path("file/pki").display().to_string()), "{error}");

    let manager = cluster.manager(options, FileStore::new(folder.path(), "b")).await.unwrap();
    let before = manager.current().unwrap();
    let error = soon("the failure", manager.rotate_now()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(
        error.to_string(),
        format!(
            "{}: not a symbolic link, move it away to have it made: the store replaces links only",
            path("b-current.pem").display()
        )
    );
    assert_eq!(manager.current(), Some(before));
    assert!(!files(folder.path()).iter().any(|name| name.starts_with("b-0")), "no key is left behind");
}
