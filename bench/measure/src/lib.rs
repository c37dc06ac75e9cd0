//! What every case of every Rust program here measures: time, processor and memory of its own process.

mod reconciles;
pub mod streams;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

pub use reconciles::Reconciles;

/// Flags: `--name value` or `--name=value`.
pub struct Args(pub BTreeMap<String, String>);

impl Args {
    /// Reads flags.
    pub fn parse(it: impl Iterator<Item = String>) -> Args {
        let mut m = BTreeMap::new();
        let mut it = it.peekable();
        while let Some(a) = it.next() {
            let k = a.trim_start_matches('-').to_string();
            if let Some((k, v)) = k.split_once('=') {
                m.insert(k.to_string(), v.to_string());
                continue;
            }
            let v = match it.peek() {
                Some(v) if !v.starts_with("--") => it.next().unwrap(),
                _ => "true".to_string(),
            };
            m.insert(k, v);
        }
        Args(m)
    }
    /// A flag, or its default.
    pub fn str(&self, k: &str, d: &str) -> String {
        self.0.get(k).cloned().unwrap_or_else(|| d.to_string())
    }
    /// A number.
    pub fn num(&self, k: &str, d: usize) -> usize {
        self.0.get(k).map(|v| v.parse().expect(k)).unwrap_or(d)
    }
    /// Whether it is set.
    pub fn flag(&self, k: &str) -> bool {
        self.str(k, "false") == "true"
    }
}

/// Milliseconds of user and system time.
pub fn cpu() -> (f64, f64) {
    unsafe {
        let mut ru: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut ru);
        let f = |t: libc::timeval| t.tv_sec as f64 * 1e3 + t.tv_usec as f64 / 1e3;
        (f(ru.ru_utime), f(ru.ru_stime))
    }
}

/// The monotonic clock in nanoseconds, which is the same in all processes.
pub fn monotonic() -> i64 {
    unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time);
        time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

/// A line of `/proc/self/status`, in KiB.
pub fn vm(field: &str) -> u64 {
    status("self", field)
}

fn status(process: &str, field: &str) -> u64 {
    let s = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    s.lines()
        .find_map(|l| l.strip_prefix(field)?.strip_prefix(':')?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Another process of this machine.
#[derive(Clone, Copy)]
pub struct Process(pub usize);

impl Process {
    /// Milliseconds of user and system time, with those of all its threads.
    pub fn cpu(self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        // Behind the name, which may contain spaces; in ticks of 10 ms.
        let (_, behind_name) = stat.rsplit_once(')').unwrap();
        let fields = behind_name.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<f64>().unwrap() * 10.0).sum()
    }

    /// A line of its `status`, in KiB.
    pub fn vm(self, field: &str) -> u64 {
        status(&self.0.to_string(), field)
    }
}

/// Measures from its start to its stop.
#[derive(Clone, Copy)]
pub struct Clock(Instant, f64, f64);

impl Clock {
    /// Begins.
    pub fn start() -> Clock {
        let (u, s) = cpu();
        Clock(Instant::now(), u, s)
    }
    /// Writes wall and processor time, and gives the wall time in milliseconds.
    pub fn stop(&self, out: &mut Map<String, Value>) -> f64 {
        let wall = self.0.elapsed().as_secs_f64() * 1e3;
        let (u, s) = cpu();
        out.insert("wall_ms".into(), json!(wall));
        out.insert("user_ms".into(), json!(u - self.1));
        out.insert("sys_ms".into(), json!(s - self.2));
        out.insert("cpu_ms".into(), json!(u - self.1 + s - self.2));
        wall
    }
    /// Writes the same, and both in relation to bytes that were sent.
    pub fn stop_bytes(&self, bytes: usize, out: &mut Map<String, Value>) {
        let wall = self.stop(out);
        out.insert("mb_per_s".into(), json!(bytes as f64 / 1e3 / wall));
        for (of, per_gib) in [("cpu_ms", "cpu_ms_per_gib"), ("user_ms", "user_ms_per_gib")] {
            let time = out[of].as_f64().unwrap();
            out.insert(per_gib.into(), json!(time * (1u64 << 30) as f64 / bytes as f64));
        }
    }
}

/// Writes the memory of the process: its peak, now, and when what is free was given back.
pub fn memory(out: &mut Map<String, Value>) {
    out.insert("peak_rss_kb".into(), json!(vm("VmHWM")));
    out.insert("end_rss_kb".into(), json!(vm("VmRSS")));
    unsafe {
        libc::malloc_trim(0);
    }
    std::thread::sleep(Duration::from_millis(50));
    out.insert("steady_rss_kb".into(), json!(vm("VmRSS")));
}

/// The middle one.
pub fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

/// Writes the median of times, and that which one in a hundred exceeds.
pub fn percentiles(mut micros: Vec<f64>, out: &mut Map<String, Value>) {
    micros.sort_by(f64::total_cmp);
    out.insert("p50_us".into(), json!(micros[micros.len() / 2]));
    out.insert("p99_us".into(), json!(micros[micros.len() * 99 / 100]));
}

/// Sends `--count` requests, `--conc` of them in flight, after some that are not measured, and tells how many were
/// answered per second, at which CPU time.
pub async fn in_flight<F>(
    args: &Args,
    out: &mut Map<String, Value>,
    request: impl Fn(usize) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let (count, conc) = (args.num("count", 20_000), args.num("conc", 1));
    send(conc * 20, conc, request.clone()).await;
    let clock = Clock::start();
    send(count, conc, request).await;
    let wall = clock.stop(out);
    out.insert("req_per_s".into(), json!(count as f64 / wall * 1e3));
    let cpu = out["cpu_ms"].as_f64().unwrap();
    out.insert("cpu_us_per_req".into(), json!(cpu * 1e3 / count as f64));
}

async fn send<F>(count: usize, conc: usize, request: impl Fn(usize) -> F + Clone + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..conc {
        let (next, request) = (next.clone(), request.clone());
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                request(number).await;
            }
        });
    }
    workers.join_all().await;
}
