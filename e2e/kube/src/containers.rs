//! Commands in a container and ports of a pod, on a server whose pods run: `e2e-kube containers`.

use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, AttachParams, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const NAME: &str = "kube-web";

/// Fails if kube and the server do not understand each other.
pub(crate) async fn run(client: Client) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client, super::NAMESPACE);
    let pod = json!({
        "metadata": {"name": NAME},
        "spec": {"containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}]},
    });
    pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
    await_condition(pods.clone(), NAME, conditions::is_pod_running()).await?;
    ports(&pods).await?;
    commands(&pods).await
}

/// A port that answers, and one at which nobody listens.
async fn ports(pods: &Api<Pod>) -> Result<()> {
    let mut forwarder = pods.portforward(NAME, &[80, 81]).await?;
    let error = forwarder.take_error(81).ok_or("port 81 has no error")?.await;
    let error = error.ok_or("port 81 has failed without an error")?;
    expect(error.ends_with("connect: connection refused"), &error)?;
    let mut stream = forwarder.take_stream(80).ok_or("port 80 has no stream")?;
    stream.write_all(b"GET /kube HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    expect(answer.ends_with("Hello from default/kube-web, port 80: GET /kube\n"), &answer)
}

/// A command that copies its input, and one that fails.
async fn commands(pods: &Api<Pod>) -> Result<()> {
    let params = AttachParams::default().stdin(true).stderr(false);
    let mut cat = pods.exec(NAME, ["cat"], &params).await?;
    let (mut stdin, mut stdout) = (cat.stdin().ok_or("no input")?, cat.stdout().ok_or("no output")?);
    stdin.write_all(b"hello").await?;
    stdin.shutdown().await?;
    drop(stdin);
    let mut output = String::new();
    stdout.read_to_string(&mut output).await?;
    expect(output == "hello", &output)?;
    let mut exit = pods.exec(NAME, ["sh", "-c", "exit 7"], &AttachParams::default()).await?;
    let status = exit.take_status().ok_or("no status")?.await.ok_or("the command has no status")?;
    let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    let code = code.and_then(|cause| cause.message.as_deref());
    expect(code == Some("7"), &format!("{code:?}"))
}

fn expect(holds: bool, seen: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(format!("kube has got: {seen}").into()) }
}
