//! Pods whose containers the tests play, and comparisons of klient with kubectl on them.

use klient_api::core::v1::{Namespace, Pod};
use klient_apiserver::{ContainerCommand, ContainerLog, Containers, LogStream, Options, PodPort};
use klient_streams::BoxError;
use klient_streams::port_forward::Forwarded;
use klient_streams::remote_command::{ExitStatus, Stdio};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cases::Expected;
use crate::playground::{Playground, Program};

/// A playground with the namespace `shop`, whose containers have logs and run commands.
///
/// - `web`: one container, `nginx`; labels `app=web`;
/// - `db`: containers `main` and `side`, an init container `setup`; labels `app=db`;
/// - `pinned`: two containers, of which the annotation names `second`;
/// - `done`: a pod that has succeeded; `waiting`: one that is pending;
/// - the deployment `web` with the pods of `app=web`, and the service `db`.
pub(crate) async fn playground() -> Playground {
    let log = ContainerLog::default();
    for (second, line) in [(1, "one"), (2, "two"), (3, "three")] {
        let time = format!("2026-01-02T03:04:0{second}.000001Z").parse().unwrap();
        log.push(LogStream::Stdout, time, line);
    }
    log.push(LogStream::Stderr, "2026-01-02T03:04:09.500000Z".parse().unwrap(), b"\xff\xfe");
    log.close();
    let containers = Containers::new(run).log(move |request| {
        let is_known = !request.previous && request.container != "side";
        is_known.then(|| log.clone())
    });
    let containers = containers.attach(attach).port_forward(answer);
    let playground = Playground::with(Options { containers: Some(containers), ..Options::default() }).await;
    let client = playground.client();
    let shop: Namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
    client.api::<Namespace>().create(&shop).await.unwrap();
    let pods = client.api::<Pod>().namespace("shop");
    for (name, app, spec) in [
        (
            "web",
            "web",
            json!({"containers": [{
                "name": "nginx", "image": "nginx", "stdin": true, "tty": true,
                "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
            }]}),
        ),
        (
            "db",
            "db",
            json!({"containers": [container("main"), container("side")], "initContainers": [container("setup")]}),
        ),
        ("pinned", "pinned", json!({"containers": [container("first"), container("second")]})),
        ("done", "done", json!({"containers": [container("main")]})),
        ("waiting", "waiting", json!({"containers": [container("main")]})),
    ] {
        let mut metadata = json!({"name": name, "labels": {"app": app}});
        if name == "pinned" {
            metadata["annotations"] = json!({"kubectl.kubernetes.io/default-container": "second"});
        }
        let pod: Pod = serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap();
        let mut pod = pods.create(&pod).await.unwrap();
        let phase = match name {
            "done" => "Succeeded",
            "waiting" => "Pending",
            _ => "Running",
        };
        pod.status.phase = Some(phase.into());
        pods.update_status(&pod).await.unwrap();
    }
    playground.write(&[("objects.yaml".to_owned(), OBJECTS.to_owned())].into());
    playground.klient(&["apply", "-n", "shop", "-f", "objects.yaml"], None).await;
    playground
}

const OBJECTS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: web, port: 8080, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: colors}
";

fn container(name: &str) -> Value {
    json!({"name": name, "image": name})
}

/// The commands of containers: `echo`, `cat`, `both`, `exit CODE`, `sleep`, programs of this machine, and `size`, which shows the keys up to a `q`.
async fn run(command: ContainerCommand, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
    match args[..] {
        ["cat"] => {
            if let Some(stdin) = &mut stdio.stdin {
                tokio::io::copy(stdin, stdio.stdout.as_mut().unwrap()).await?;
            }
        }
        ["echo", ref words @ ..] => {
            let text = format!("{}/{}: {}\n", command.pod, command.container, words.join(" "));
            stdio.stdout.as_mut().unwrap().write_all(text.as_bytes()).await?;
        }
        ["size"] => {
            let size = stdio.resizes.as_mut().unwrap().next().await.unwrap();
            let text = format!("{}x{}\r\n", size.width, size.height);
            let stdout = stdio.stdout.as_mut().unwrap();
            stdout.write_all(text.as_bytes()).await?;
            let mut keys = Vec::new();
            while keys.last() != Some(&b'q') {
                keys.push(stdio.stdin.as_mut().unwrap().read_u8().await?);
            }
            let keys: Vec<String> = keys.iter().map(|key| format!("{key:02x}")).collect();
            stdout.write_all(format!("got {}\r\n", keys.join(" ")).as_bytes()).await?;
            return Ok(ExitStatus::from(7));
        }
        ["both"] => {
            stdio.stdout.as_mut().unwrap().write_all(b"to stdout\n").await?;
            stdio.stderr.as_mut().unwrap().write_all(b"to stderr\n").await?;
        }
        // The files of containers are those of this machine.
        ["tar" | "sh" | "test" | "yes", ..] => return program(&args, stdio).await,
        ["exit", code] => return Ok(ExitStatus::from(code.parse::<u8>()?)),
        ["sleep"] => {
            stdio.stdout.as_mut().unwrap().write_all(b"sleeping\n").await?;
            std::future::pending().await
        }
        _ => return Err(format!("exec: {:?}: not found", args.join(" ")).into()),
    }
    Ok(ExitStatus::SUCCESS)
}

/// Runs a program of this machine.
async fn program(args: &[&str], mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let mut command = tokio::process::Command::new(args[0]);
    command.args(&args[1..]).kill_on_drop(true);
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn()?;
    let (mut stdin, mut stdout, mut stderr) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let input = async {
        if let Some(from) = &mut stdio.stdin {
            // A program that needs no more input closes it.
            let _ = tokio::io::copy(from, &mut stdin).await;
        }
        drop(stdin);
    };
    let output = async {
        if let Some(to) = &mut stdio.stdout {
            let _ = tokio::io::copy(&mut stdout, to).await;
        }
    };
    let errors = async {
        if let Some(to) = &mut stdio.stderr {
            let _ = tokio::io::copy(&mut stderr, to).await;
        }
    };
    tokio::join!(input, output, errors);
    let code = child.wait().await?.code().unwrap_or(255);
    Ok(ExitStatus::from(u8::try_from(code).unwrap_or(255)))
}

/// The main process of each container: it tells its name, and sends its input back.
async fn attach(command: ContainerCommand, mut stdio: Stdio) -> Result<ExitStatus, BoxError> {
    let stdout = stdio.stdout.as_mut().unwrap();
    stdout.write_all(format!("attached to {}/{}\r\n", command.pod, command.container).as_bytes()).await?;
    if let Some(stdin) = &mut stdio.stdin {
        tokio::io::copy(stdin, stdout).await?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Ports that tell their number and send back what they get. Nothing listens on 81.
async fn answer(port: PodPort, mut connection: Forwarded) -> Result<(), BoxError> {
    if port.port == 81 {
        return Err("connection refused".into());
    }
    connection.write_all(format!("{}:{}\n", port.pod, port.port).as_bytes()).await?;
    let mut sent = Vec::new();
    connection.read_to_end(&mut sent).await?;
    connection.write_all(&sent).await?;
    connection.shutdown().await?;
    Ok(())
}

/// The mark of arguments to which kubectl 1.33 answers in words that are older than those of klient.
const NEWER: &str = "1.37:";

/// Runs klient, and kubectl if the machine has it, which must give the same, unless the arguments have the mark `1.37:`.
pub(crate) async fn as_kubectl(playground: &Playground, args: &[&str], stdin: Option<&str>) -> Expected {
    let is_compared = !args.contains(&NEWER);
    let args: Vec<String> = args.iter().filter(|arg| **arg != NEWER).map(|arg| (*arg).to_owned()).collect();
    let klient = playground.run_lossy(&Program::klient(), &args, stdin).await;
    if let Some(program) = Program::kubectl().filter(|_| is_compared) {
        let kubectl = playground.run_lossy(&program, &args, stdin).await;
        assert_eq!(klient, kubectl, "{args:?}");
    }
    klient
}
