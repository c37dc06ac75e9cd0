//! log-bench writes lines to a file and prints one JSON line with the figures.
//!
//!   log-bench klog --lines 1000000 --threads 4 --file data/log [--format json] [--disabled] [--vmodule] [--allocations]
//!   log-bench fmt  --lines 1000000 --threads 4 --file data/log [--disabled] [--allocations]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::BufWriter;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use klient_klog::{LogFormat, Options, Severity, duration, info_s, kref, v};
use measure::Args;
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;

/// Counts allocations while it is told to, so that runs that measure time do not pay for it.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.load(Ordering::Relaxed) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if COUNTS.load(Ordering::Relaxed) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// 250 ms, a value of each line.
const LATENCY: Duration = Duration::from_millis(250);

fn klog_lines(lines: usize) {
    for attempt in 0..lines {
        info_s!("Synced pod", pod = %kref("shop", "web-0"), node = "n1", attempt, latency = %duration(LATENCY));
    }
}

fn klog_disabled(lines: usize) {
    for attempt in 0..lines {
        v!(4, "Synced pod", pod = %kref("shop", "web-0"), node = "n1", attempt, latency = %duration(LATENCY));
    }
}

fn fmt_lines(lines: usize) {
    for attempt in 0..lines {
        tracing::info!(pod = "shop/web-0", node = "n1", attempt, latency = ?LATENCY, "Synced pod");
    }
}

fn fmt_disabled(lines: usize) {
    for attempt in 0..lines {
        tracing::debug!(pod = "shop/web-0", node = "n1", attempt, latency = ?LATENCY, "Synced pod");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().expect("usage: log-bench CASE [flags]");
    let args = Args::parse(arguments);
    let (lines, threads) = (args.num("lines", 1_000_000), args.num("threads", 1));
    let file = args.str("file", "data/log");
    let _ = std::fs::remove_file(&file);
    let write: fn(usize) = match (case.as_str(), args.flag("disabled")) {
        ("klog", false) => klog_lines,
        ("klog", true) => klog_disabled,
        ("fmt", false) => fmt_lines,
        ("fmt", true) => fmt_disabled,
        _ => panic!("no case {case}"),
    };
    let klog = (case == "klog").then(|| {
        let format = args.str("format", "text").parse::<LogFormat>().expect("text or json");
        let vmodule = if args.flag("vmodule") { "other=9,another*=4" } else { "" };
        let options = Options {
            format,
            vmodule: vmodule.to_owned(),
            logtostderr: false,
            stderrthreshold: Severity::Fatal,
            log_file: Some(file.clone().into()),
            skip_log_headers: true,
            ..Options::default()
        };
        klient_klog::init(options).expect("the options are valid")
    });
    if case == "fmt" {
        let file = File::create(&file).expect("the folder is there");
        let writer = Mutex::new(BufWriter::with_capacity(256 * 1024, file));
        tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_ansi(false).with_writer(writer).init();
    }
    write(1000);
    COUNTS.store(args.flag("allocations"), Ordering::Relaxed);
    let barrier = Barrier::new(threads + 1);
    let seconds = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    write(lines / threads);
                })
            })
            .collect();
        barrier.wait();
        let began = Instant::now();
        running.into_iter().for_each(|thread| thread.join().expect("writing does not panic"));
        began.elapsed().as_secs_f64()
    });
    COUNTS.store(false, Ordering::Relaxed);
    drop(klog);
    let _ = std::fs::remove_file(&file);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) as f64 / lines as f64;
    let figures = json!({
        "peer": case,
        "ns_per_line": seconds * 1e9 / lines as f64,
        "allocations_per_line": allocations,
    });
    println!("{figures}");
}
