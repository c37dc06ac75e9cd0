//! Log files.

use std::fs;
use std::path::Path;

use klient_klog::{Klog, LogFormat, Options, Severity, error, info, warning};
use tracing_subscriber::layer::SubscriberExt as _;

/// Runs a function with a log of options.
fn log(options: Options, f: impl FnOnce(&Klog)) -> Klog {
    let (layer, klog) = klient_klog::layer(options).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || f(&klog));
    klog
}

fn options() -> Options {
    // Above all, so that tests are silent.
    Options { logtostderr: false, stderrthreshold: Severity::Fatal, ..Options::default() }
}

fn three() {
    info!("one");
    warning!("two");
    error!("three");
}

/// The messages of the file that a link in a folder leads to.
fn messages(folder: &Path, severity: &str) -> Option<String> {
    let link = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_symlink() && path.extension().is_some_and(|extension| extension == severity))?;
    let text = fs::read_to_string(link).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("Log line format"));
    let messages: Vec<&str> =
        lines.filter_map(|line| line.split_once("] ")).map(|(_, message)| message).collect();
    Some(messages.join(" "))
}

#[test]
fn a_folder_has_a_file_for_each_severity_with_the_lines_of_higher_ones() {
    let folder = tempfile::tempdir().unwrap();
    drop(log(Options { log_dir: Some(folder.path().to_owned()), ..options() }, |_| three()));
    let messages = |severity| messages(folder.path(), severity);
    assert_eq!(messages("INFO").as_deref(), Some("one two three"));
    assert_eq!(messages("WARNING").as_deref(), Some("two three"));
    assert_eq!(messages("ERROR").as_deref(), Some("three"));
    assert_eq!(messages("FATAL"), None);
    let names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".log."))
        .collect();
    assert_eq!(names.len(), 3);
    let process = std::process::id().to_string();
    assert!(names.iter().all(|name| name.ends_with(&process)), "{names:?}");
}

#[test]
fn one_output_is_the_severity_alone() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { log_dir: Some(folder.path().to_owned()), one_output: true, ..options() };
    drop(log(options, |_| three()));
    let messages = |severity| messages(folder.path(), severity);
    assert_eq!(messages("INFO").as_deref(), Some("one"));
    assert_eq!(messages("WARNING").as_deref(), Some("two"));
    assert_eq!(messages("ERROR").as_deref(), Some("three"));
}

#[test]
fn one_file_has_all_lines_behind_a_head_and_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    for _ in 0..2 {
        drop(log(Options { log_file: Some(path.clone()), ..options() }, |_| three()));
    }
    let text = fs::read_to_string(&path).unwrap();
    let heads: Vec<&str> =
        text.lines().map(|line| line.split_once(": ").map_or(&line[..1], |(name, _)| name)).collect();
    let head = ["Log file created at", "Running on machine", "Binary", "Log line format", "I", "W", "E"];
    assert_eq!(heads, [head, head].concat());
    drop(log(Options { log_file: Some(path.clone()), skip_log_headers: true, ..options() }, |_| {
        info!("four")
    }));
    assert!(fs::read_to_string(&path).unwrap().ends_with("] four\n"));
}

#[test]
fn lines_are_buffered_until_they_are_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options { log_file: Some(path.clone()), skip_log_headers: true, ..options() };
    let _klog = log(options, |klog| {
        info!("one");
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        klog.flush();
        assert!(fs::read_to_string(&path).unwrap().ends_with("] one\n"));
        info!("two");
        klient_klog::flush();
        assert!(fs::read_to_string(&path).unwrap().ends_with("] two\n"));
    });
}

#[test]
fn a_file_of_its_size_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options {
        log_file: Some(path.clone()),
        log_file_max_size: 1,
        skip_log_headers: true,
        skip_headers: true,
        ..options()
    };
    let line = "a".repeat(99_999);
    drop(log(options.clone(), |_| (0..25).for_each(|_| info!("{line}"))));
    // Ten lines fit into a megabyte.
    assert_eq!(fs::metadata(&path).unwrap().len(), 500_000);

    let unlimited = Options { log_file_max_size: 0, ..options };
    drop(log(unlimited, |_| (0..25).for_each(|_| info!("{line}"))));
    assert_eq!(fs::metadata(&path).unwrap().len(), 3_000_000);
}

/// The line of the call below.
const LOGGED_LINE: u32 = line!() + 3;

fn log_at_the_line() {
    info!("with the stack");
}

/// A stack begins with the function that logs, of which a closure of the macro is a part.
#[track_caller]
fn check_stack<'a>(lines: impl Iterator<Item = &'a str>) {
    let frames: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("at ")).take(2).collect();
    assert!(frames[0].starts_with("   0: "), "{frames:?}");
    assert!(frames.iter().any(|frame| frame.contains("log_at_the_line")), "{frames:?}");
}

#[test]
fn the_position_of_a_backtrace_gets_the_stack() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let log_backtrace_at = format!("files.rs:{LOGGED_LINE}");
    let klog = log(Options { log_file: Some(path.clone()), log_backtrace_at, ..options() }, |_| {
        log_at_the_line();
        info!("without");
    });
    klog.flush();
    let text = fs::read_to_string(&path).unwrap();
    let (_, behind) = text.split_once("with the stack\n").unwrap();
    let (stack, _) = behind.split_once("without\n").unwrap();
    check_stack(stack.lines());
    let (stack, header) = stack.rsplit_once('\n').unwrap();
    assert!(stack.lines().all(|line| !line.is_empty()) && header.starts_with('I'), "{stack}\n{header}");
}

#[test]
fn the_stack_is_a_value_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let log_backtrace_at = format!("files.rs:{LOGGED_LINE}");
    let options =
        Options { log_file: Some(path.clone()), log_backtrace_at, format: LogFormat::Json, ..options() };
    drop(log(options, |_| {
        log_at_the_line();
        info!("without");
    }));
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    let lines: Vec<_> = lines.collect();
    assert_eq!((lines.len(), &lines[0]["msg"]), (2, &"with the stack".into()));
    let stack = lines[0]["stacktrace"].as_str().unwrap();
    check_stack(stack.lines());
    assert!(!stack.ends_with('\n'), "{stack}");
    assert_eq!(lines[1].get("stacktrace"), None);
}

#[test]
fn a_file_that_another_program_empties_goes_on_at_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options {
        log_file: Some(path.clone()),
        log_file_max_size: 1,
        skip_log_headers: true,
        skip_headers: true,
        ..options()
    };
    let line = "a".repeat(600_000);
    drop(log(options, |klog| {
        for _ in 0..3 {
            info!("{line}");
            klog.flush();
            // It began anew, and now logrotate's copytruncate takes it.
            fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        }
        info!("one");
    }));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
}

#[test]
fn headers_have_folders_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options =
        Options { log_file: Some(path.clone()), add_dir_header: true, skip_log_headers: true, ..options() };
    drop(log(options, |_| info!("one")));
    assert!(fs::read_to_string(&path).unwrap().contains(" it/files.rs:"));
}
