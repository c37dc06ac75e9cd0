//! The manifest and the documentation of `klient gateway`, which name its options.

use std::collections::BTreeSet;

use klient_apimachinery::Unstructured;
use klient_client::{Client, Config};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::playground::{Playground, Program, soon};

const MANIFEST: &str = include_str!("../../../../examples/gateway/gateway.yaml");
const USERS: [&str; 3] = [
    include_str!("../../../../examples/gateway/read-only.yaml"),
    include_str!("../../../../examples/gateway/bearer.yaml"),
    include_str!("../../../../examples/gateway/impersonate.yaml"),
];
const EXAMPLE: &str = include_str!("../../../klient/examples/gateway_in_axum.rs");
const PAGE: &str = include_str!("../../../../docs/gateway.md");

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_runs_a_program_that_takes_its_arguments_and_answers_its_probes() {
    let objects = Unstructured::from_manifest(MANIFEST).unwrap();
    let deployment = objects.iter().find(|object| object.kind() == "Deployment").unwrap();
    let container = &deployment.at(&["spec", "template", "spec", "containers"]).unwrap()[0];
    let playground = Playground::new().await;
    let token = playground.write_bytes("token", b"0123456789abcdef\n");
    for manifest in USERS {
        answers_its_probes(&playground, container, &token, &Unstructured::from_manifest(manifest).unwrap())
            .await;
    }
}

/// Runs the program of the container with the variables of a config map, and probes it.
async fn answers_its_probes(playground: &Playground, container: &Value, token: &str, users: &[Unstructured]) {
    let settings = users.iter().find(|object| object.kind() == "ConfigMap").unwrap();
    let variables = container["env"].as_array().unwrap().iter().map(|variable| {
        let key = variable["valueFrom"]["configMapKeyRef"]["key"].as_str().unwrap();
        let value = settings.at(&["data", key]).unwrap_or_else(|| panic!("{settings:?} has no {key}"));
        (format!("$({})", variable["name"].as_str().unwrap()), value.as_str().unwrap())
    });
    let variables: Vec<_> = variables.collect();
    let arguments = container["args"].as_array().unwrap().iter().map(|argument| {
        let argument = argument.as_str().unwrap().replace("--port=8888", "--port=0");
        let argument = variables.iter().fold(argument, |text, (name, value)| text.replace(name, value));
        argument.replace("/run/gateway/token", token)
    });
    let mut command = Command::from(playground.command(&Program::klient(), "admin"));
    let mut gateway = command.args(arguments).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
    let line = soon("the address", lines.next_line()).await.unwrap().unwrap();
    let port =
        line.strip_prefix("Serving at http://127.0.0.1:").and_then(|rest| rest.split_once('/')).unwrap().0;

    // The kubelet names the pod by its address, which no option has.
    for probe in ["livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().unwrap();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: 10.1.2.3:8888\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"),
            "{path}: {answer}"
        );
    }
    let client = Client::new(Config::from_url(&format!("http://127.0.0.1:{port}")).unwrap()).unwrap();
    let refused = client.request(http::Method::GET).request_uri("/v1/kinds").send().await.unwrap_err();
    assert_eq!(refused.code(), Some(401));
}

#[test]
fn the_program_of_the_page_is_that_of_the_example() {
    let (_, program) = PAGE.split_once("\n```rust\n").unwrap();
    let (program, _) = program.split_once("\n```\n").unwrap();
    assert!(EXAMPLE.contains(program), "{program}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_every_option() {
    let playground = Playground::new().await;
    let mut command = Command::from(playground.command(&Program::klient(), "admin"));
    let help = command.args(["gateway", "--help"]).output().await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let own = help.lines().map(str::trim);
    let own = own.filter(|line| line.starts_with('-') && !line.contains("--help"));
    let own = own.flat_map(|line| line.split(' ').find(|word| word.starts_with("--")));
    let own: BTreeSet<&str> = own.map(|option| option.split(['[', '=']).next().unwrap()).collect();
    assert!(own.len() > 10, "{help}");

    let table =
        PAGE.split("\n## Options\n").nth(1).and_then(|behind| behind.split("\n\nThe flags").next()).unwrap();
    let told: BTreeSet<&str> = (table.lines())
        .filter_map(|row| row.strip_prefix("| ")?.split('|').next())
        .flat_map(|cell| cell.split('`').filter(|word| word.starts_with("--")))
        .collect();
    assert_eq!(told, own);
}
