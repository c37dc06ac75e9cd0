//! Settings that cannot be applied, and values that try to break lines.

use std::fmt;
use std::fs;
use std::sync::{Arc, Barrier};

use klient_klog::{Klog, LogFormat, Logger, Options, Recorder, bytes, error_s, info_s, json, kref, v};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

fn problem(options: Options) -> String {
    let made: Result<(_, Klog), _> = klient_klog::layer::<Registry>(options);
    made.err().expect("the options are invalid").to_string()
}

#[test]
fn settings_that_cannot_be_applied_are_one_error_with_the_flag() {
    let with = |change: fn(&mut Options)| {
        let mut options = Options { logtostderr: false, ..Options::default() };
        change(&mut options);
        problem(options)
    };
    assert_eq!(
        with(|options| {
            options.logtostderr = true;
            options.vmodule = "a=b".to_owned();
        }),
        "--vmodule: \"a=b\": syntax error: expect comma-separated list of filename=N"
    );
    let missing = with(|options| options.log_dir = Some("/no/such/folder".into()));
    assert_eq!(missing, "--log-dir: cannot create a file in /no/such/folder: no such file or directory");
    let folder = with(|options| options.log_file = Some("/".into()));
    assert_eq!(folder, "--log-file: cannot create /: is a directory");
    let not_writable = with(|options| options.log_file = Some("/proc/klog.log".into()));
    assert!(not_writable.starts_with("--log-file: cannot create /proc/klog.log: "), "{not_writable}");
    let backtrace = with(|options| {
        options.logtostderr = true;
        options.log_backtrace_at = "a".to_owned();
    });
    assert_eq!(backtrace, "--log-backtrace-at: \"a\": syntax error: expect file.rs:234");
    let flush = with(|options| {
        options.logtostderr = true;
        options.log_flush_frequency = Default::default();
    });
    assert_eq!(flush, "--log-flush-frequency: 0s: it must be greater than zero");
}

const FORGED: &str = "a\nI1129 14:35:31.123456   12345 main.rs:58] \"forged\"\r\n\u{1b}[2J\u{0}\u{2028}";

#[test]
fn no_value_forges_a_line() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let recorder = Recorder::with(Options { format, ..Options::default() }).unwrap();
        info_s!("x", value = FORGED);
        info_s!("x", value = %FORGED);
        info_s!("x", value = ?FORGED);
        info_s!("x", value = %json(&FORGED));
        info_s!("x", value = %kref(FORGED, FORGED));
        info_s!(FORGED);
        info_s!(logger: Logger::current().with_name(FORGED), "x");
        info_s!("x", "a\nI1129 forged" = 1);
        info_s!("x", value = %bytes(FORGED.as_bytes()));
        error_s!(std::io::Error::other(FORGED), "x");
        tracing::info!("{FORGED}");
        tracing::info_span!("s", value = FORGED).in_scope(|| info_s!("x"));
        for entry in recorder.entries() {
            for line in entry.text.lines().skip(1) {
                assert!(line.starts_with('\t') || line == " >", "{line:?}");
            }
            if format == LogFormat::Json {
                serde_json::from_str::<serde_json::Value>(&entry.text).unwrap();
            }
        }
    }
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a display panics");
    }
}

/// A value that fails in the middle.
struct Fails;

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        Err(fmt::Error)
    }
}

/// A value that logs while it is formatted.
struct Logs;

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_s!("inner", pod = %kref("shop", "web-0"));
        f.write_str("outer")
    }
}

#[test]
fn a_display_that_panics_or_logs_leaves_whole_lines() {
    let recorder = Recorder::start(0);
    info_s!("x", before = 1, value = %Panics, after = %kref("shop", "web-0"));
    assert_eq!(recorder.lines(), [r#"I "x" before=1 value="<panic: a display panics>" after="shop/web-0""#]);
    let recorder = Recorder::with(Options { format: LogFormat::Json, ..Options::default() }).unwrap();
    info_s!("x", value = %Panics);
    assert!(recorder.lines()[0].ends_with(r#""v":0,"valueError":"PANIC=a display panics"}"#));

    let recorder = Recorder::start(0);
    klient_klog::info!("{Panics}");
    tracing::info!("{Panics}");
    tracing::info_span!("s", value = %Panics).in_scope(|| info_s!("x"));
    info_s!("x", value = %Fails);
    assert_eq!(
        recorder.lines(),
        [
            "I <panic: a display panics>",
            "I <panic: a display panics>",
            r#"I "x" value="<panic: a display panics>""#,
            r#"I "x" value="half""#,
        ]
    );

    let recorder = Recorder::start(0);
    info_s!("x", value = %Logs, after = 1);
    let lines = recorder.lines();
    assert_eq!(lines.last().unwrap(), r#"I "x" value="outer" after=1"#);
}

#[test]
fn a_hundred_threads_write_whole_lines() {
    const THREADS: usize = 100;
    const LINES: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options {
        logtostderr: false,
        log_file: Some(path.clone()),
        skip_log_headers: true,
        ..Options::default()
    };
    let (layer, klog) = klient_klog::layer(options).unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let barrier = Arc::new(Barrier::new(THREADS));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (dispatch, barrier) = (dispatch.clone(), barrier.clone());
            scope.spawn(move || {
                let _set = tracing::dispatcher::set_default(&dispatch);
                barrier.wait();
                for n in 0..LINES {
                    info_s!("line", thread, n, text = "abcdefghijklmnopqrstuvwxyz");
                    v!(1, "not logged");
                }
            });
        }
    });
    drop(klog);
    let text = fs::read_to_string(path).unwrap();
    let mut seen = [0; THREADS];
    for line in text.lines() {
        let rest = line.split_once("] \"line\" thread=").expect(line).1;
        let (thread, rest) = rest.split_once(" n=").expect(line);
        let thread: usize = thread.parse().unwrap();
        assert_eq!(rest, format!("{} text=\"abcdefghijklmnopqrstuvwxyz\"", seen[thread]));
        seen[thread] += 1;
    }
    assert_eq!(seen, [LINES; THREADS]);
}

#[test]
fn a_value_of_ten_megabytes_is_one_line() {
    let long = "a\u{1}\u{e9}".repeat(2_500_000);
    for format in [LogFormat::Text, LogFormat::Json] {
        let recorder = Recorder::with(Options { format, ..Options::default() }).unwrap();
        info_s!("x", value = %long, behind = 1);
        let lines = recorder.lines();
        assert!(lines[0].len() > long.len() && lines[0].ends_with(['1', '}']), "{}", lines[0].len());
    }
}

#[test]
fn a_line_of_a_hundred_megabytes_is_whole_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options {
        logtostderr: false,
        log_file: Some(path.clone()),
        log_file_max_size: 1,
        skip_log_headers: true,
        ..Options::default()
    };
    let (layer, klog) = klient_klog::layer(options).unwrap();
    let long = "a".repeat(100 << 20);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info_s!("before");
        info_s!("long", value = %long);
        assert!(fs::metadata(&path).unwrap().len() > long.len() as u64, "it does not wait in memory");
        klog.flush();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("] \"long\" value=\"aaa") && text.ends_with("aaa\"\n"));
        info_s!("after");
    });
    drop(klog);
    assert!(fs::read_to_string(&path).unwrap().ends_with("] \"after\"\n"));
    assert!(fs::metadata(&path).unwrap().len() < 100);
}

#[test]
fn a_span_is_entered_and_closed_on_other_threads() {
    let recorder = Recorder::start(0);
    let dispatch = tracing::dispatcher::get_default(tracing::Dispatch::clone);
    let span = tracing::info_span!("s", value = 1, more = tracing::field::Empty);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let (span, dispatch) = (span.clone(), dispatch.clone());
            scope.spawn(move || {
                let _set = tracing::dispatcher::set_default(&dispatch);
                for n in 0..100 {
                    span.in_scope(|| info_s!("x", n));
                    span.record("more", n);
                }
            });
        }
    });
    drop(span);
    info_s!("outside");
    let lines = recorder.lines();
    let (last, inside) = lines.split_last().unwrap();
    assert_eq!((last.as_str(), inside.len()), (r#"I "outside""#, 800));
    assert!(inside.iter().all(|line| line.starts_with(r#"I "x" value=1"#)), "{inside:?}");
}

#[test]
fn a_file_begins_anew_between_whole_lines_of_eight_threads() {
    const THREADS: usize = 8;
    const LINES: usize = 5000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options {
        logtostderr: false,
        log_file: Some(path.clone()),
        log_file_max_size: 1,
        skip_log_headers: true,
        ..Options::default()
    };
    let (layer, klog) = klient_klog::layer(options).unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                let _set = tracing::dispatcher::set_default(&dispatch);
                (0..LINES).for_each(|n| info_s!("line", thread, n, text = "abcdefghijklmnopqrstuvwxyz"));
            });
        }
    });
    drop(klog);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.len() < 1024 * 1024, "{}", text.len());
    let mut next = [None; THREADS];
    for line in text.lines() {
        let rest = line.split_once("] \"line\" thread=").expect(line).1;
        let (thread, rest) = rest.split_once(" n=").expect(line);
        let n = rest.strip_suffix(" text=\"abcdefghijklmnopqrstuvwxyz\"").expect(line);
        let (thread, n): (usize, usize) = (thread.parse().unwrap(), n.parse().unwrap());
        assert_eq!(next[thread].unwrap_or(n), n, "{line}");
        next[thread] = Some(n + 1);
    }
    assert!(next.iter().flatten().all(|next| *next == LINES), "{next:?}");
}

#[test]
fn a_full_disk_does_not_end_the_program() {
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let options = Options { logtostderr: false, log_file: Some(full.to_owned()), ..Options::default() };
    let (layer, klog) = klient_klog::layer(options).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for n in 0..100 {
            info_s!("line", n);
            klog.flush();
        }
    });
}
