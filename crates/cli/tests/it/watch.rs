//! `get --watch`, as klient and as this machine's kubectl do it.

use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{ResourceInfo, Unstructured};
use klient_client::{Api, DynamicPlace, Patch};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::front::Front;
use crate::playground::{Playground, Program, soon};

/// A program that watches.
struct Watching {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(playground: &Playground, program: &Program, who: &str, args: &[&str]) -> Self {
        let mut command = Command::from(playground.command(program, who));
        let mut child = command.args(args).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Watching { _child: child, lines }
    }

    async fn line(&mut self) -> String {
        let line = soon("a line", self.lines.next_line()).await.unwrap();
        line.expect("it goes on")
    }

    async fn words(&mut self) -> Vec<String> {
        self.line().await.split_whitespace().map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn klient_shows_changes_as_they_are_made() {
    shows_changes(&Program::klient()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_shows_changes_as_they_are_made() {
    match Program::kubectl() {
        Some(kubectl) => shows_changes(&kubectl).await,
        None => eprintln!("skipped: kubectl.1.33 is not installed"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_when_its_connection_breaks() {
    let playground = Playground::new().await;
    let front = Front::of(playground.address()).await;
    playground.write_kubeconfig("front", |text| text.replace(&playground.url(), &front.url()));
    let config_maps = config_maps(&playground);
    config_maps.create(&config_map("before")).await.unwrap();
    let args = ["get", "cm", "-n", "default", "-w", "-o", "name"];
    let mut shown = Watching::start(&playground, &Program::klient(), "front", &args);
    assert_eq!(shown.line().await, "configmap/before");
    config_maps.create(&config_map("while")).await.unwrap();
    assert_eq!(shown.line().await, "configmap/while");
    front.cut();
    config_maps.create(&config_map("behind")).await.unwrap();
    assert_eq!(shown.line().await, "configmap/behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_time_of_its_request() {
    let playground = Playground::new().await;
    config_maps(&playground).create(&config_map("first")).await.unwrap();
    for args in [&["-w"][..], &["-w", "-o", "name"], &["--watch-only", "--output-watch-events", "-o", "name"]]
    {
        let mut command = Command::from(playground.command(&Program::klient(), "admin"));
        command
            .args(["get", "cm", "-n", "default", "--request-timeout", "500ms"])
            .args(args)
            .kill_on_drop(true);
        let ended = soon("the end", command.output()).await.unwrap();
        assert_eq!(
            (ended.status.code(), &*String::from_utf8_lossy(&ended.stderr)),
            (Some(0), ""),
            "{args:?}"
        );
    }
}

async fn shows_changes(program: &Program) {
    let playground = Playground::new().await;
    let config_maps = config_maps(&playground);
    config_maps.create(&config_map("first")).await.unwrap();
    let args = ["get", "cm", "-n", "default", "-w", "--output-watch-events", "-l", "app=shop"];
    let mut table = Watching::start(&playground, program, "admin", &args);
    assert_eq!(table.words().await, ["EVENT", "NAME", "DATA", "AGE"]);
    assert_eq!(table.words().await[..3], ["ADDED", "first", "1"]);
    config_maps.create(&config_map("second")).await.unwrap();
    assert_eq!(table.words().await[..3], ["ADDED", "second", "1"]);
    let more = Patch::Merge(json!({"data": {"more": "2"}}));
    config_maps.patch("first", &more).await.unwrap();
    assert_eq!(table.words().await[..3], ["MODIFIED", "first", "2"]);
    // An object that the selector no longer matches is deleted from the watch.
    let other = Patch::Merge(json!({"metadata": {"labels": {"app": "other"}}}));
    config_maps.patch("second", &other).await.unwrap();
    assert_eq!(table.words().await[..2], ["DELETED", "second"]);
    config_maps.delete("first", &DeleteOptions::default()).await.unwrap();
    assert_eq!(table.words().await[..2], ["DELETED", "first"]);
}

fn config_maps(playground: &Playground) -> Api<Unstructured, DynamicPlace> {
    let config_maps = ResourceInfo {
        group: "".into(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
    };
    playground.client().dynamic(config_maps).namespace("default")
}

fn config_map(name: &str) -> Unstructured {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app": "shop"}}, "data": {"k": "1"},
    });
    serde_json::from_value(object).unwrap()
}
