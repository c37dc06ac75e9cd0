//! Commands in containers, which the embedded server runs in the test.

use std::sync::{Arc, Mutex};

use klient_apiserver::{ContainerCommand, Containers, Server};
use klient_client::{Client, Config, ErrorKind, ExecOptions, Proxy};
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Stdio, TerminalSize};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cluster::pod;
use crate::containers::{client_without_websocket, config_of, pods, server_of};
use crate::test_proxy::{Rules, TestProxy};

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
    let (server, client) = server_of(containers).await;
    pods(&client).create(&pod("web", "web")).await.unwrap();
    (server, client, commands)
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

#[tokio::test]
async fn the_default_container_is_that_of_the_annotation_or_the_first() {
    let (_server, client, commands) = server().await;
    for (name, annotation, expected) in
        [("a", json!({}), "one"), ("b", json!({"kubectl.kubernetes.io/default-container": "two"}), "two")]
    {
        let two = json!({
            "metadata": {"name": name, "annotations": annotation},
            "spec": {"containers": [{"name": "one", "image": "nginx"}, {"name": "two", "image": "nginx"}]}
        });
        pods(&client).create(&serde_json::from_value(two).unwrap()).await.unwrap();
        let process = pods(&client).exec(name, ["echo"], &ExecOptions::default()).await.unwrap();
        process.wait_with_output().await.unwrap();
        assert_eq!(commands.lock().unwrap().last().unwrap().container, expected);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_websocket_is_asked_for_spdy_first_from_then_on() {
    let (server, _client, _) = server().await;
    let (client, requested) = client_without_websocket(&server);
    for _ in 0..2 {
        let options = ExecOptions { stdin: true, ..Default::default() };
        let mut process = pods(&client).exec("web", ["cat"], &options).await.unwrap();
        process.stdin.take().unwrap().write_all(b"through").await.unwrap();
        assert_eq!(process.wait_with_output().await.unwrap().stdout, b"through");
    }
    assert_eq!(*requested.lock().unwrap(), ["websocket", "SPDY/3.1", "SPDY/3.1"]);
}

#[tokio::test]
async fn commands_run_through_every_kind_of_proxy() {
    let (server, _client, _) = server().await;
    for scheme in ["http", "https", "socks5"] {
        let proxy = TestProxy::start(scheme, server.address(), Rules::default()).await;
        let mut config = config_of(&server);
        config.url = Config::from_url(&format!("https://kubernetes.default.svc:{}", server.address().port()))
            .unwrap()
            .url;
        config.tls.ca = Some(format!("{}{}", server.ca_pem(), proxy.certificate).into());
        config.proxy = Proxy::url(&proxy.url("")).unwrap();
        let client = Client::new(config).unwrap();
        let mut process = pods(&client).exec("web", ["exit", "7"], &ExecOptions::default()).await.unwrap();
        assert_eq!(process.wait().await.unwrap().code(), 7, "{scheme}");
        assert_eq!(proxy.requests().len(), 1, "{scheme}");
    }
}

#[tokio::test]
async fn a_client_attaches_to_the_main_process_and_tells_sizes_while_it_waits() {
    let containers = Containers::default().attach(|command, mut stdio| async move {
        let sizes = stdio.resizes.as_mut().ok_or("no terminal")?;
        let (mut lines, stdout) = (Vec::new(), stdio.stdout.as_mut().ok_or("no output")?);
        for _ in 0..2 {
            let size = sizes.next().await.ok_or("no size")?;
            lines.push(format!("{} {}x{}", command.container, size.width, size.height));
        }
        stdout.write_all(lines.join("\r\n").as_bytes()).await?;
        Ok(ExitStatus::from(3))
    });
    let (_server, client) = server_of(containers).await;
    pods(&client).create(&pod("web", "web")).await.unwrap();
    let options = ExecOptions { tty: true, ..Default::default() };
    let mut process = pods(&client).attach("web", &options).await.unwrap();
    let mut terminal = process.terminal.take().unwrap();
    let sizes = async {
        for width in [80, 132] {
            terminal.resize(TerminalSize { width, height: 24 }).await.unwrap();
        }
    };
    let ((), output) = tokio::join!(sizes, process.wait_with_output());
    let output = output.unwrap();
    assert_eq!((&output.stdout[..], output.status.code()), (&b"web 80x24\r\nweb 132x24"[..], 3));
}
