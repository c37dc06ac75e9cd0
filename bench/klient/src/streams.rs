//! The case `streams`: commands in a pod, and connections to its ports.

use klient_api::core::v1::Pod;
use klient_client::{Api, Client, Config, ExecOptions, InNamespace, PortForwardOptions, PortForwarder};
use measure::streams::{ECHOES, SENDS, TAKES, download, hundreds, read, trips, upload, write};
use measure::{Args, Clock};
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt as _;

type Pods = Api<Pod, InNamespace>;

/// Runs `--what` with the pod of `--url`: `stdout`, `stdin`, `down` or `up` with `--mib`; `exec-trips` or
/// `forward-trips`, of which there are `--count`; or `forwards`, in `--rounds`.
pub async fn run(args: &Args, out: &mut Map<String, Value>) {
    let config = Config::from_url(&args.str("url", "")).unwrap();
    let pods = Client::new(config).unwrap().api::<Pod>().namespace("default");
    let bytes = args.num("mib", 256) << 20;
    let clock = Clock::start();
    match args.str("what", "").as_str() {
        "stdout" => stdout(&pods, bytes).await,
        "stdin" => stdin(&pods, bytes).await,
        "down" => download(forwarder(&pods).await.connect(SENDS).await.unwrap(), bytes).await,
        "up" => upload(forwarder(&pods).await.connect(TAKES).await.unwrap(), bytes).await,
        "exec-trips" => return exec_trips(&pods, args, out).await,
        "forward-trips" => {
            let connection = forwarder(&pods).await.connect(ECHOES).await.unwrap();
            let (reader, writer) = tokio::io::split(connection);
            return trips(reader, writer, args, out).await;
        }
        "forwards" => {
            let connect = |forwarder: &PortForwarder| {
                let forwarder = forwarder.clone();
                async move { forwarder.connect(ECHOES).await.unwrap() }
            };
            return hundreds(args, out, async || forwarder(&pods).await, connect).await;
        }
        what => panic!("nothing is known of {what}"),
    }
    clock.stop_bytes(bytes, out);
}

async fn stdout(pods: &Pods, bytes: usize) {
    let options = ExecOptions { stderr: false, ..Default::default() };
    let mut process = pods.exec("pod", ["send", &bytes.to_string()], &options).await.unwrap();
    assert_eq!(read(process.stdout.take().unwrap()).await, bytes);
    assert!(process.wait().await.unwrap().success());
}

async fn stdin(pods: &Pods, bytes: usize) {
    let options = ExecOptions { stdin: true, stderr: false, ..Default::default() };
    let mut process = pods.exec("pod", ["take", &bytes.to_string()], &options).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    write(&mut stdin, bytes).await;
    stdin.shutdown().await.unwrap();
    assert!(process.wait().await.unwrap().success());
}

async fn exec_trips(pods: &Pods, args: &Args, out: &mut Map<String, Value>) {
    let options = ExecOptions { stdin: true, stderr: false, ..Default::default() };
    let mut process = pods.exec("pod", ["cat"], &options).await.unwrap();
    let (stdout, stdin) = (process.stdout.take().unwrap(), process.stdin.take().unwrap());
    trips(stdout, stdin, args, out).await;
}

async fn forwarder(pods: &Pods) -> PortForwarder {
    pods.port_forward("pod", &PortForwardOptions::default()).await.unwrap()
}
