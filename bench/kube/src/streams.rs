//! The case `streams`: commands in a pod, and connections to its ports, which are channels over WebSocket.

use std::any::Any;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams};
use kube::{Client, Config};
use measure::streams::{ECHOES, SENDS, TAKES, download, hundreds, read, trips, upload, write};
use measure::{Args, Clock};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// The room of standard streams, whose default is 1 KiB.
const BUFFER: Option<usize> = Some(64 * 1024);

/// Runs `--what` with the pod of `--url`: `stdout`, `stdin`, `down` or `up` with `--mib`; `exec-trips` or
/// `forward-trips`, of which there are `--count`; or `forwards`, in `--rounds`.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let mut config = Config::new(args.str("url", "").parse().unwrap());
    config.proxy_url = None;
    let pods = Api::<Pod>::namespaced(Client::try_from(config).unwrap(), "default");
    let bytes = args.num("mib", 256) << 20;
    let clock = Clock::start();
    match args.str("what", "").as_str() {
        "stdout" => stdout(&pods, bytes).await,
        "stdin" => stdin(&pods, bytes).await,
        "down" => download(connect(pods, SENDS).await, bytes).await,
        "up" => upload(connect(pods, TAKES).await, bytes).await,
        "exec-trips" => {
            let mut process = pods.exec("pod", ["cat"], &params(true)).await.unwrap();
            let (stdout, stdin) = (process.stdout().unwrap(), process.stdin().unwrap());
            trips(stdout, stdin, args, out).await;
            return Box::new(());
        }
        "forward-trips" => {
            let (reader, writer) = tokio::io::split(connect(pods, ECHOES).await);
            trips(reader, writer, args, out).await;
            return Box::new(());
        }
        "forwards" => {
            hundreds(args, out, async || (), |()| connect(pods.clone(), ECHOES)).await;
            return Box::new(());
        }
        what => panic!("nothing is known of {what}"),
    }
    clock.stop_bytes(bytes, out);
    Box::new(())
}

fn params(stdin: bool) -> AttachParams {
    AttachParams {
        stdin,
        stderr: false,
        max_stdin_buf_size: BUFFER,
        max_stdout_buf_size: BUFFER,
        ..Default::default()
    }
}

async fn stdout(pods: &Api<Pod>, bytes: usize) {
    let mut process = pods.exec("pod", ["send", &bytes.to_string()], &params(false)).await.unwrap();
    let status = process.take_status().unwrap();
    assert_eq!(read(process.stdout().unwrap()).await, bytes);
    assert_eq!(status.await.unwrap().status.as_deref(), Some("Success"));
}

async fn stdin(pods: &Api<Pod>, bytes: usize) {
    let mut process = pods.exec("pod", ["take", &bytes.to_string()], &params(true)).await.unwrap();
    let status = process.take_status().unwrap();
    let mut stdin = process.stdin().unwrap();
    write(&mut stdin, bytes).await;
    stdin.shutdown().await.unwrap();
    assert_eq!(status.await.unwrap().status.as_deref(), Some("Success"));
}

/// A connection to a port, over one of its own to the server: kube can have a port once in each.
async fn connect(pods: Api<Pod>, port: u16) -> impl AsyncRead + AsyncWrite + Unpin + Send {
    let mut forwarder = pods.portforward("pod", &[port]).await.unwrap();
    forwarder.take_stream(port).unwrap()
}
