//! Commands in containers, which the embedded server runs in the test.

use std::sync::{Arc, Mutex};

use klient_api::core::v1::{Namespace, Pod};
use klient_apiserver::{ContainerCommand, Containers, Options, Server};
use klient_client::{Api, Client, Config, ErrorKind, ExecOptions};
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Stdio, TerminalSize};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cluster::pod;

/// A container with a few commands.
async fn run(command: ContainerCommand, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
    match args[..] {
        ["cat"] => {
            tokio::io::copy(stdio.stdin.as_mut().unwrap(), stdio.stdout.as_mut().unwrap()).await?;
        }
        ["echo", ref words @ ..] => {
            stdio.stdout.as_mut().unwrap().write_all(words.join(" ").as_bytes()).await?
        }
        ["exit", code] => return Ok(ExitStatus::from(code.parse::<u8>()?)),
        ["size"] => {
            let size = stdio.resizes.as_mut().unwrap().next().await.unwrap();
            let text = format!("{}x{}", size.width, size.height);
            stdio.stdout.as_mut().unwrap().write_all(text.as_bytes()).await?;
        }
        ["sleep"] => std::future::pending().await,
        _ => return Err(format!("{}: not found", args.join(" ")).into()),
    }
    Ok(ExitStatus::SUCCESS)
}

/// A server with the pod `web` in the namespace `shop`, and the commands that it has run.
async fn server() -> (Server, Client, Arc<Mutex<Vec<ContainerCommand>>>) {
    let commands = Arc::<Mutex<Vec<ContainerCommand>>>::default();
    let seen = commands.clone();
    let containers = Containers::new(move |command, stdio| {
        seen.lock().unwrap().push(command.clone());
        run(command, stdio)
    });
    let options = Options { containers: Some(containers), ..Options::default() };
    let server = Server::start(options).await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    let namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
    client.api::<Namespace>().create(&namespace).await.unwrap();
    client.api::<Pod>().namespace("shop").create(&pod("web", "web")).await.unwrap();
    (server, client, commands)
}

fn pods(client: &Client) -> Api<Pod, klient_client::InNamespace> {
    client.api::<Pod>().namespace("shop")
}

#[tokio::test]
async fn a_command_has_its_arguments_output_and_exit_code() {
    let (_server, client, commands) = server().await;
    let pods = pods(&client);
    let process = pods.exec("web", ["echo", "a b", "&c=d"], &ExecOptions::default()).await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    assert_eq!((&output.stdout[..], output.status.code()), (&b"a b &c=d"[..], 0));
    let mut process = pods.exec("web", ["exit", "7"], &ExecOptions::default()).await.unwrap();
    assert_eq!(process.wait().await.unwrap().code(), 7);
    let mut process = pods.exec("web", ["nothing"], &ExecOptions::default()).await.unwrap();
    let error = process.wait().await.unwrap_err();
    assert_eq!(error.kind(), klient_streams::ErrorKind::Refused);
    assert!(error.to_string().ends_with("nothing: not found"), "{error}");
    let commands = commands.lock().unwrap();
    let first = &commands[0];
    assert_eq!((first.namespace.as_str(), first.pod.as_str(), first.tty), ("shop", "web", false));
    assert_eq!(first.args, ["echo", "a b", "&c=d"]);
}

#[tokio::test]
async fn standard_input_ends_and_terminals_have_sizes() {
    let (_server, client, _) = server().await;
    let options = ExecOptions { stdin: true, ..Default::default() };
    let mut process = pods(&client).exec("web", ["cat"], &options).await.unwrap();
    let sent = vec![7; 1_000_000];
    let mut stdin = process.stdin.take().unwrap();
    let write = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let ((), output) = tokio::join!(write, process.wait_with_output());
    assert!(output.unwrap().stdout == sent);
    let options = ExecOptions { tty: true, ..Default::default() };
    let mut process = pods(&client).exec("web", ["size"], &options).await.unwrap();
    assert!(process.stderr.is_none());
    process.resize(TerminalSize { width: 80, height: 24 }).await.unwrap();
    let mut text = String::new();
    process.stdout.take().unwrap().read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "80x24");
    assert!(process.wait().await.unwrap().success());
}

#[tokio::test]
async fn refusals_are_those_of_other_requests() {
    let (_server, client, _) = server().await;
    let error = pods(&client).exec("none", ["ls"], &ExecOptions::default()).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let options = ExecOptions { container: Some("other".to_owned()), ..Default::default() };
    let error = pods(&client).exec("web", ["ls"], &options).await.unwrap_err();
    assert!(error.is_bad_request(), "{error}");
    assert!(error.to_string().contains("container other is not valid for pod web"), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_commands() {
    let (server, client, _) = server().await;
    let mut process = pods(&client).exec("web", ["sleep"], &ExecOptions::default()).await.unwrap();
    server.stop().await;
    let error = process.wait().await.unwrap_err();
    assert_eq!(error.kind(), klient_streams::ErrorKind::Connection, "{error}");
    let error = pods(&client).exec("web", ["ls"], &ExecOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}
