//! Signals, which end every command, and the messages of long waits.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

use klient_api::core::v1::{ConfigMap, Namespace};
use klient_apimachinery::Object;
use klient_client::{Client, WatchEvent, WatchOptions};
use serde_json::json;

use crate::playground::{Playground, soon};
use crate::running::{Running, line};

/// Creates a ConfigMap that nobody removes.
async fn create_kept(client: &Client, namespace: &str, name: &str) {
    let kept = json!({"metadata": {"name": name, "finalizers": ["example.com/kept"]}});
    let kept: ConfigMap = serde_json::from_value(kept).unwrap();
    client.api::<ConfigMap>().namespace(namespace).create(&kept).await.unwrap();
}

/// Adds a finalizer to the namespace of a demo, and returns its name.
async fn keep_namespace_of_demo(playground: &Playground) -> String {
    let client = playground.client();
    let mut namespaces = client.api::<Namespace>().watch(&WatchOptions::default()).await.unwrap();
    loop {
        let event = soon("the namespace of the demo", namespaces.next()).await.unwrap();
        if let WatchEvent::Added(namespace) = event.unwrap()
            && namespace.name().starts_with("klient-demo-")
        {
            create_kept(&client, namespace.name(), "kept").await;
            return namespace.name().to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_command_as_without_a_handler() {
    let playground = Playground::new().await;
    create_kept(&playground.client(), "default", "a").await;
    for (signal, number) in [("-INT", 2), ("-TERM", 15)] {
        let mut watching =
            Running::start(&playground, &[], &["get", "configmap", "-n", "default", "-w", "-o", "name"]);
        line(&mut watching.stdout, "configmap/a").await;
        watching.signal(signal).await;
        let status = soon("the end", watching.child.wait()).await.unwrap();
        assert_eq!(status.signal(), Some(number));
        // A command that waits for this test to write to its standard input.
        let mut reading = Running::start(&playground, &[], &["apply", "-f", "-"]);
        assert_eq!(reading.end_by(signal).await, 128 + number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_leaves_no_folders_of_diff_behind() {
    let playground = Playground::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (temporary, program) = (folder.path().join("tmp"), folder.path().join("compare"));
    std::fs::create_dir(&temporary).unwrap();
    std::fs::write(&program, "#!/bin/sh\necho compares\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = folder.path().join("a.yaml");
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n";
    std::fs::write(&file, manifest).unwrap();
    let env = [("TMPDIR", temporary.to_str().unwrap()), ("KUBECTL_EXTERNAL_DIFF", program.to_str().unwrap())];
    let mut diff = Running::start(&playground, &env, &["diff", "-f", file.to_str().unwrap()]);
    line(&mut diff.stdout, "compares").await;
    assert_eq!(temporary.read_dir().unwrap().count(), 2);
    diff.signal("-TERM").await;
    assert_eq!(diff.exit_code().await, 143);
    assert_eq!(temporary.read_dir().unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_says_what_it_waits_for_and_has_a_bound() {
    let playground = Playground::new().await;
    create_kept(&playground.client(), "default", "a").await;
    let mut waiting = Running::start(&playground, &[], &["delete", "configmap", "a", "-n", "default"]);
    assert_eq!(
        line(&mut waiting.stderr, "Waiting").await,
        "Waiting for configmap/a to be gone: its finalizers are not removed yet: example.com/kept"
    );
    waiting.signal("-TERM").await;
    assert_eq!(waiting.exit_code().await, 143);
    let args = ["delete", "configmap", "a", "-n", "default", "--timeout=100ms"];
    let mut bounded = Running::start(&playground, &[], &args);
    line(&mut bounded.stderr, "error: timed out waiting for the condition on configmaps/a").await;
    assert_eq!(bounded.exit_code().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_whose_namespace_does_not_end_says_so_and_ends_with_the_first_signal() {
    let playground = Playground::new().await;
    let kubeconfig = playground.kubeconfig("admin");
    let args = ["demo", "--once", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let mut demo = Running::start(&playground, &[], &args);
    let namespace = keep_namespace_of_demo(&playground).await;
    let told = line(&mut demo.stderr, "Waiting").await;
    assert!(told.starts_with(&format!("Waiting for namespace/{namespace} to be gone: ")), "{told}");
    demo.signal("-TERM").await;
    assert_eq!(demo.exit_code().await, 143);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_demo_that_cleans_up() {
    let playground = Playground::new().await;
    let kubeconfig = playground.kubeconfig("admin");
    let mut demo = Running::start(&playground, &[], &["demo", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    let namespace = keep_namespace_of_demo(&playground).await;
    line(&mut demo.stdout, "Ctrl-C ends it.").await;
    demo.signal("-INT").await;
    line(&mut demo.stdout, &format!("namespace {namespace:?} deleted")).await;
    demo.signal("-INT").await;
    assert_eq!(demo.exit_code().await, 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_a_signal_interrupts_removes_what_it_has_made() {
    let playground = Playground::new().await;
    let kubeconfig = playground.kubeconfig("admin");
    let mut demo = Running::start(&playground, &[], &["demo", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    line(&mut demo.stdout, "Ctrl-C ends it.").await;
    demo.signal("-TERM").await;
    line(&mut demo.stdout, "customresourcedefinition.apiextensions.k8s.io \"coupons.shop.example\" deleted")
        .await;
    assert_eq!(demo.exit_code().await, 0);
}
