//! `server`, as a program that others use.

use std::path::Path;
use std::time::Duration;

use klient_api::core::v1::Namespace;
use klient_client::{Client, Config, ListOptions};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::KLIENT;
use crate::playground::soon;

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_once_the_kubeconfig_is_there_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let mut server = Command::new(KLIENT)
        .args(["server", "--listen", "127.0.0.1:0", "--write-kubeconfig"])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    soon("the kubeconfig", appears(&path)).await;
    let client = Client::new(Config::from_kubeconfig_file(&path).unwrap()).unwrap();
    let namespaces = client.api::<Namespace>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(namespaces.items.len(), 4);
    is_private(&path);

    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.starts_with("Serving at https://127.0.0.1:"), "{line}");
    let pid = server.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = soon("the end", server.wait()).await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_names_the_address_it_cannot_listen_on() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(KLIENT).args(["server", "--listen", &address]).output().await.unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains(&address), "{complaint}");
}

async fn appears(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
}
