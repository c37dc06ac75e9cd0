//! The case `live`: clients on a live table of pods, which change, and the time from a write to the events of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use klient_api::core::v1::Pod;
use klient_client::{Client, Config, Patch};
use measure::{Args, Process};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The label that a write sets to its number.
const LABEL: &str = "tick";

/// The longest wait for the last event.
const PATIENCE: Duration = Duration::from_secs(20);

/// `--rate` pods change in a second, in `--seconds` seconds, while `--clients` clients have the table of all `--count` pods
/// open.
pub(crate) async fn run(args: &Args, out: &mut Map<String, Value>) {
    let (count, clients) = (args.num("count", 10_000), args.num("clients", 100));
    let (rate, seconds) = (args.num("rate", 100), args.num("seconds", 10));
    let process = Process(args.num("pid", 0));
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let pods = Client::new(config).unwrap().api::<Pod>().namespace("default");
    let writes = rate * seconds;

    let mut streams = Vec::new();
    for _ in 0..clients {
        streams.push(open(args).await);
    }
    let times = Arc::new(Times::new(writes));
    let mut reading = JoinSet::new();
    for stream in streams {
        let times = times.clone();
        reading.spawn(async move { read(stream, &times).await });
    }
    let (begin, cpu) = (Instant::now(), process.cpu());
    let mut writing = JoinSet::new();
    let mut interval = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate).unwrap());
    // A write of the same labels as in an earlier run would change nothing.
    let run = format!("{:x}", std::process::id());
    for number in 0..writes {
        interval.tick().await;
        let (pods, times, run) = (pods.clone(), times.clone(), run.clone());
        writing.spawn(async move {
            let labels = json!({ LABEL: number.to_string(), "run": run });
            let patch = Patch::Merge(json!({ "metadata": { "labels": labels } }));
            let name = format!("web-{:05}", number * 7 % count);
            times.sent[number].store(times.now(), Ordering::Relaxed);
            pods.patch(&name, &patch).await.unwrap();
            times.answered[number].store(times.now(), Ordering::Relaxed);
        });
    }
    writing.join_all().await;
    let arrived = tokio::time::timeout(PATIENCE, reading.join_all()).await.expect("all events come");
    let wall = begin.elapsed().as_secs_f64();
    let cpu = process.cpu() - cpu;

    let since = |written: &[AtomicU64]| {
        let arrivals = arrived.iter().flatten().zip((0..writes).cycle());
        let mut times: Vec<f64> = arrivals
            // An event may be here before the answer.
            .map(|(at, number)| at.saturating_sub(written[number].load(Ordering::Relaxed)) as f64 / 1e3)
            .collect();
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], times[times.len() * 99 / 100])
    };
    let (answer, request) = (since(&times.answered), since(&times.sent));
    out.insert("p50_us".into(), json!(answer.0));
    out.insert("p99_us".into(), json!(answer.1));
    out.insert("request_p50_us".into(), json!(request.0));
    out.insert("request_p99_us".into(), json!(request.1));
    out.insert("events_per_s".into(), json!((writes * clients) as f64 / wall));
    out.insert("cpu_ms_per_s".into(), json!(cpu / wall));
    out.insert("cpu_us_per_event".into(), json!(cpu * 1e3 / (writes * clients) as f64));
    out.insert("rss_kib".into(), json!(process.vm("VmRSS")));
    out.insert("peak_kib".into(), json!(process.vm("VmHWM")));
}

/// Nanoseconds since the beginning, by the number of a write.
struct Times {
    begin: Instant,
    sent: Vec<AtomicU64>,
    answered: Vec<AtomicU64>,
}

impl Times {
    fn new(writes: usize) -> Self {
        let none = || (0..writes).map(|_| AtomicU64::new(0)).collect();
        Times { begin: Instant::now(), sent: none(), answered: none() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap()
    }
}

/// Opens a stream of changes, and reads the head of the response and its first bytes.
async fn open(args: &Args) -> BufReader<TcpStream> {
    let (address, token) = (args.str("address", "127.0.0.1:28888"), args.str("token", "none"));
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /v1/changes/core/v1/pods HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while !line.starts_with("retry: ") {
        line.clear();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0);
    }
    stream
}

/// Reads the events of all writes, and returns when each has come.
async fn read(mut stream: BufReader<TcpStream>, times: &Times) -> Vec<u64> {
    let mut arrived = vec![0; times.sent.len()];
    let mut missing = arrived.len();
    let mut line = Vec::new();
    let label = format!("\"{LABEL}\":\"");
    while missing > 0 {
        line.clear();
        assert_ne!(stream.read_until(b'\n', &mut line).await.unwrap(), 0, "the stream ends");
        assert!(!line.starts_with(b"event: reset"));
        if !line.starts_with(b"data: ") {
            continue;
        }
        let now = times.now();
        let text = std::str::from_utf8(&line).unwrap();
        let Some((_, behind)) = text.split_once(&label) else { continue };
        let number: usize = behind.split('"').next().unwrap().parse().unwrap();
        assert_eq!(std::mem::replace(&mut arrived[number], now), 0, "an event comes twice");
        missing -= 1;
    }
    arrived
}
