//! The examples, run as programs: a child of the test is the program, since some of them end it.

#[path = "../../examples/client_verbosity.rs"]
mod client_verbosity;
#[path = "../../examples/contextual.rs"]
mod contextual;
#[path = "../../examples/custom_flags.rs"]
mod custom_flags;
#[path = "../../examples/custom_logger.rs"]
mod custom_logger;
#[path = "../../examples/levels.rs"]
mod levels;
#[path = "../../examples/objects.rs"]
mod objects;
#[path = "../../examples/severities.rs"]
mod severities;
#[path = "../../examples/structured.rs"]
mod structured;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::sync::Barrier;

use klient_klog::{Options, Recorder, error, info, info_s, kref};
use rustix::process::{Resource, Rlimit};

use crate::composition::Lines;

/// A value that logs when its thread ends.
struct LogsAtTheEnd;

impl Drop for LogsAtTheEnd {
    fn drop(&mut self) {
        info!("at the end");
    }
}

thread_local! {
    static LOGS_AT_THE_END: LogsAtTheEnd = const { LogsAtTheEnd };
}

/// The variable with the name of the program and its arguments.
const PROGRAM: &str = "KLIENT_KLOG_PROGRAM";

/// Is the program that the variable names; a test without it.
#[test]
fn child() {
    let Ok(program) = std::env::var(PROGRAM) else { return };
    let arguments: Vec<OsString> = program.split(' ').map(Into::into).collect();
    match program.split(' ').next().unwrap() {
        "severities" => severities::run(arguments),
        "structured" => structured::run(),
        "contextual" => contextual::run(),
        "levels" => levels::run(arguments),
        "custom_flags" => custom_flags::run(arguments),
        "panics" => {
            let klog = klient_klog::init(file_options(&arguments[1])).unwrap();
            info!("before the panic");
            // Its drop would flush, too.
            std::mem::forget(klog);
            panic!("the program panics");
        }
        "log" => {
            let klog = klient_klog::init(Options { verbosity: 4, ..Options::default() }).unwrap();
            log::warn!("a warning of the crate log");
            log::info!(target: "hyper::client", "an info");
            log::debug!("a debug");
            log::trace!("not logged");
            klog.verbosity().set(0);
            log::debug!("not logged");
            klog.verbosity().set_vmodule("programs=4").unwrap();
            log::debug!("by its file");
            assert!(klient_klog::init(Default::default()).unwrap_err().to_string().contains("already"));
        }
        "lines" => {
            let _klog = klient_klog::init(Options::default()).unwrap();
            (0..2000).for_each(|n| info!("{n} {}", "a".repeat(1000)));
        }
        "ends" => {
            let _klog = klient_klog::init(Options::default()).unwrap();
            std::thread::spawn(|| {
                LOGS_AT_THE_END.with(|_| ());
                info!("before the end");
            })
            .join()
            .unwrap();
        }
        "foreign" => {
            let _klog = klient_klog::init(Options::default()).unwrap();
            let record = log::Record::builder()
                .level(log::Level::Info)
                .target("foreign")
                .file(Some("a.rs:1]\nI1129 14:35:31.123456   12345 b.rs"))
                .line(Some(3))
                .args(format_args!("one\nI1129 two"))
                .build();
            log::logger().log(&record);
        }
        "full" => {
            let klog = klient_klog::init(file_options(&arguments[1])).unwrap();
            info!("one");
            klog.flush();
            info!("two");
            info!("three");
            match arguments[2].to_str() {
                Some("exit") => klient_klog::exit!("four"),
                _ => drop(klog),
            }
        }
        "limited" => {
            let limit = rustix::process::getrlimit(Resource::Fsize);
            rustix::process::setrlimit(Resource::Fsize, Rlimit { current: Some(4), ..limit }).unwrap();
            let klog = klient_klog::init(file_options(&arguments[1])).unwrap();
            info!("one");
            klog.flush();
            info!("two");
            rustix::process::setrlimit(Resource::Fsize, limit).unwrap();
        }
        "dropped" => {
            drop(klient_klog::init(file_options(&arguments[1])).unwrap());
            info!("one");
            std::thread::spawn(|| info!("two")).join().unwrap();
        }
        "fatals" => {
            let _klog = klient_klog::init(Options::default()).unwrap();
            let barrier = Barrier::new(8);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        barrier.wait();
                        klient_klog::fatal!("the end")
                    });
                }
            });
        }
        "changes" => {
            let verbosity = klient_klog::init(Options::default()).unwrap().verbosity();
            for _ in 0..500 {
                let barrier = Barrier::new(2);
                std::thread::scope(|scope| {
                    for level in [0, 9] {
                        let (barrier, verbosity) = (&barrier, verbosity.clone());
                        scope.spawn(move || {
                            barrier.wait();
                            verbosity.set(level);
                        });
                    }
                });
                let level =
                    if verbosity.get() == 9 { log::LevelFilter::Trace } else { log::LevelFilter::Info };
                assert_eq!(log::max_level(), level);
            }
        }
        "nests" => {
            let klog = klient_klog::init(file_options(&arguments[1])).unwrap();
            info!("outer {Nests}");
            info_s!("outer", value = %Nests, values = ?[Nests]);
            drop(klog);
            info_s!("end", value = %Ends);
        }
        "unheard" => {
            let (port, mut count) = (6443, 0);
            info!("nothing");
            klient_klog::exit!("cannot listen on port {port} {}", {
                count += 1;
                count
            })
        }
        program => panic!("no program {program}"),
    }
}

/// A value that logs and flushes while it is formatted.
#[derive(Debug)]
struct Nests;

impl fmt::Display for Nests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_s!("inner", pod = %kref("shop", "web-0"));
        klient_klog::flush();
        f.write_str("value")
    }
}

/// A value that ends the program while it is formatted.
struct Ends;

impl fmt::Display for Ends {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        klient_klog::exit!("the end")
    }
}

/// A log in one file, without its head.
fn file_options(path: &OsStr) -> Options {
    Options { logtostderr: false, log_file: Some(path.into()), skip_log_headers: true, ..Options::default() }
}

fn run(program: &str) -> Output {
    command(program).output().unwrap()
}

fn command(program: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "programs::child", "--nocapture", "--test-threads=1"])
        .env(PROGRAM, program)
        .env("RUST_BACKTRACE", "0");
    command
}

/// The lines of a program without what differs in their headers.
fn lines(output: &Output) -> Vec<String> {
    let header =
        regex::Regex::new(r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} {1,7}\d+ (\w+\.rs):\d+\] ").unwrap();
    let head = regex::Regex::new(r#"^\{"ts":[0-9.]+,"caller":"\w+/(\w+\.rs):\d+","#).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = stderr.lines().map(|line| header.replace(line, "$1 $2] ").into_owned());
    lines.map(|line| head.replace(&line, "{$1,").into_owned()).collect()
}

#[test]
fn severities_end_with_the_fatal_line_and_255() {
    let output = run("severities");
    assert_eq!(
        lines(&output),
        [
            "I severities.rs] Info",
            "W severities.rs] Warning",
            "E severities.rs] Error",
            "F severities.rs] Fatal"
        ]
    );
    assert_eq!(output.status.code(), Some(255));
    let help = run("severities --help");
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in [
        "-v <LEVEL>",
        "--v]",
        "--vmodule",
        "--logtostderr",
        "--log-dir",
        "--log-file-max-size",
        "--logging-format",
    ] {
        assert!(help.contains(flag), "{help}");
    }
}

#[test]
fn a_fatal_line_in_a_file_is_flushed_with_the_stack() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let output = run(&format!("severities --logtostderr=false --log_file={}", path.display()));
    assert_eq!(output.status.code(), Some(255));
    let text = fs::read_to_string(path).unwrap();
    let (_, stack) = text.split_once("] Fatal\n").unwrap();
    // A frame is a path with its module, or a function and its file, by the debug information.
    assert!(stack.contains("severities"), "{stack}");
    // Errors and worse also go to standard error.
    assert_eq!(lines(&output)[..2], ["E severities.rs] Error", "F severities.rs] Fatal"]);
}

#[test]
fn structured_lines_are_those_of_the_program_in_go() {
    assert_eq!(
        lines(&run("structured")),
        [
            r#"I structured.rs] "Received HTTP request" method="GET" URL="/metrics" latency="1s""#,
            r#"I structured.rs] "Request finished" request="GET""#,
            r#"I structured.rs] "Request finished" request={"Method":"GET","Timeout":30}"#,
            r#"E structured.rs] "Failed to update pod status" err="timeout""#,
        ]
    );
}

#[test]
fn a_contextual_logger_has_its_name_and_values() {
    let line = |attempt| format!(r#"I contextual.rs] "Trying" logger="foo" attempt={attempt}"#);
    assert_eq!(lines(&run("contextual")), [line(0), line(1), line(2)]);
}

#[test]
fn levels_are_those_of_the_flag_or_of_the_program() {
    for (program, highest) in [("levels", 2), ("levels -v=0", 0), ("levels -v=-1", -1), ("levels --v 4", 4)] {
        let levels = (-3..=highest).map(|level| format!(r#"I levels.rs] "klog" Level="{level}""#));
        let numbers = (-3..6).filter(|_| highest >= 1);
        let numbers = numbers.map(|number| format!(r#"I levels.rs] "klog" Number="{number}""#));
        assert_eq!(lines(&run(program)), levels.chain(numbers).collect::<Vec<_>>(), "{program}");
    }
}

#[test]
fn a_program_can_have_its_own_flags() {
    let error = r#"{custom_flags.rs,"msg":"error log test","err":"timeout"}"#;
    let one = r#"{custom_flags.rs,"msg":"I am V(1)","v":1}"#;
    let two = r#"{custom_flags.rs,"msg":"Kubernetes server info","v":2,"version":"v1.37.1","platform":"linux/amd64"}"#;
    let three = r#"{custom_flags.rs,"msg":"I am V(3)","v":3}"#;
    assert_eq!(lines(&run("custom_flags")), [error, one, two]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let output = run(&format!("custom_flags --log_level=3 --log_file={}", path.display()));
    assert_eq!(lines(&output), [error, one, two, three]);
    assert_eq!(fs::read_to_string(path).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(
        lines(&run("custom_flags --log-format=text --log_level=0")),
        Vec::<String>::new(),
        "the error is at level 2"
    );
}

#[test]
fn flags_that_cannot_be_applied_end_the_program_with_one_error() {
    let problem = |program: &str| String::from_utf8(run(program).stderr).unwrap();
    let folder = problem("severities --logtostderr=false --log-dir=/no/such/folder");
    assert!(folder.contains("--log-dir: cannot create a file in /no/such/folder: "), "{folder}");
    let vmodule = run("severities --vmodule=a");
    assert_eq!(vmodule.status.code(), Some(2), "{vmodule:?}");
}

#[test]
fn a_panic_flushes_log_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    run(&format!("panics {}", path.display()));
    assert!(fs::read_to_string(path).unwrap().ends_with("] before the panic\n"));
}

#[test]
fn lines_that_a_full_disk_does_not_take_are_counted_at_the_end() {
    let told =
        "log: /dev/full: cannot write: no space left on device; lines are kept until it can be written again";
    let lost = |lines| {
        format!(
            "log: /dev/full: cannot write: no space left on device; {lines} lines were lost at the end of the log"
        )
    };
    let dropped = run("full /dev/full drop");
    assert_eq!(lines(&dropped), [told, &lost(3)]);
    assert_eq!(dropped.status.code(), Some(0));
    let exited = run("full /dev/full exit");
    assert_eq!(lines(&exited), [told, "F programs.rs] four", &lost(4)]);
    assert_eq!(exited.status.code(), Some(1));
}

#[test]
fn lines_that_fit_at_the_end_are_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let child = command(&format!("limited {}", path.display()));
    // The signal of a file that is too large is ignored, as those are that inherit this.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(child.get_program()).args(child.get_args());
    shell.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    let told = "cannot write: file too large; lines are kept until it can be written again";
    assert_eq!(lines(&output), [format!("log: {}: {told}", path.display())]);
    assert!(fs::read_to_string(path).unwrap().contains("] one\nI") && output.status.success());
}

#[test]
fn lines_behind_the_end_of_a_log_are_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    assert_eq!(lines(&run(&format!("dropped {}", path.display()))), Vec::<String>::new());
    let text = fs::read_to_string(path).unwrap();
    let messages: Vec<&str> = text.lines().map(|line| line.split_once("] ").unwrap().1).collect();
    assert_eq!(messages, ["one", "two"]);
}

#[test]
fn threads_that_end_the_program_at_once_write_whole_lines() {
    let output = run("fatals");
    assert_eq!(output.status.code(), Some(255));
    let lines = lines(&output);
    assert!(!lines.is_empty() && lines.iter().all(|line| line == "F programs.rs] the end"), "{lines:?}");
}

#[test]
fn the_level_of_the_crate_log_is_that_of_the_last_change() {
    let output = run("changes");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_value_logs_and_ends_the_program_while_it_is_formatted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let output = run(&format!("nests {}", path.display()));
    assert_eq!((lines(&output), output.status.code()), (vec!["F programs.rs] the end".to_owned()], Some(1)));
    let text = fs::read_to_string(path).unwrap();
    let messages: Vec<&str> = text.lines().map(|line| line.split_once("] ").unwrap().1).collect();
    let inner = r#""inner" pod="shop/web-0""#;
    assert_eq!(
        messages,
        [inner, "outer value", inner, r#""outer" value="value" values="[Nests]""#, "the end"]
    );
}

#[test]
fn records_of_the_crate_log_are_lines_with_their_positions() {
    assert_eq!(
        lines(&run("log")),
        [
            "W programs.rs] a warning of the crate log",
            "I programs.rs] an info",
            "I programs.rs] a debug",
            "I programs.rs] by its file",
        ]
    );
}

#[test]
fn a_record_of_the_crate_log_forges_no_line() {
    let stderr = String::from_utf8(run("foreign").stderr).unwrap();
    assert!(stderr.ends_with("] \"one\\nI1129 two\"\n"), "{stderr}");
    assert!(stderr.contains(" ???:1] ") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_thread_logs_until_its_end() {
    let output = run("ends");
    assert_eq!(lines(&output), ["I programs.rs] before the end", "I programs.rs] at the end"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_program_goes_on_when_nobody_reads_its_log() {
    let (reader, writer) = UnixStream::pair().unwrap();
    drop(reader);
    let status = command("lines").stdout(Stdio::null()).stderr(OwnedFd::from(writer)).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_slow_reader_of_a_non_blocking_stream_gets_whole_lines() {
    let (mut reader, writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    let mut command = command("lines");
    let mut child = command.stdout(Stdio::null()).stderr(OwnedFd::from(writer)).spawn().unwrap();
    drop(command);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let numbers = text.lines().map(|line| {
        assert!(line.ends_with(&"a".repeat(1000)), "{line}");
        line.split_once("] ").unwrap().1.split(' ').next().unwrap().parse::<u32>().unwrap()
    });
    assert_eq!(numbers.collect::<Vec<_>>(), (0..2000).collect::<Vec<_>>());
}

#[test]
fn a_program_without_a_log_is_told_why_it_ends() {
    let output = run("unheard");
    assert_eq!(output.status.code(), Some(1));
    let hint = "klog: no log has written the line above: call klient_klog::init";
    assert_eq!(lines(&output), ["F programs.rs] cannot listen on port 6443 1", hint]);
}

#[tokio::test]
async fn objects_of_a_cluster_are_references() {
    let server = klient_apiserver::TestServer::start().await.unwrap();
    let config = klient_client::Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    let client = klient_client::Client::new(config).unwrap();
    let recorder = Recorder::start(0);
    objects::run(&client).await.unwrap();
    let lines = recorder.lines();
    assert!(lines[0].starts_with(r#"I "Kubernetes server info" version="v1."#), "{lines:?}");
    assert_eq!(lines.last().unwrap(), r#"I "Random namespace" namespace="default""#);
}

#[tokio::test]
async fn another_logger_has_the_lines_of_klog_and_of_the_client() {
    let server = klient_apiserver::TestServer::start().await.unwrap();
    let config = klient_client::Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    custom_logger::run(config, move || writer.clone()).await.unwrap();
    let lines = lines.text();
    for part in [
        "}: klient::http: Request Body body=\"\"",
        "}: klient::http: Response status=\"200 OK\"",
        " INFO it::programs::custom_logger: Kubernetes server info version=v1.",
        "ERROR it::programs::custom_logger: error log test err=timeout",
    ] {
        assert!(lines.contains(part), "{lines}");
    }
}

#[tokio::test]
async fn the_verbosity_selects_the_detail_of_the_http_trace() {
    let server = klient_apiserver::TestServer::start().await.unwrap();
    let milliseconds = regex::Regex::new(r"illiseconds=\d+").unwrap();
    for (verbosity, messages) in [
        (5, vec![]),
        (6, vec!["Response"]),
        (7, vec!["Request", "Response"]),
        (8, vec!["Request Body", "Request", "Response", "Response Body"]),
        (9, vec!["Request Body", "Request", "HTTP Trace: Dial succeed", "Response", "Response Body"]),
        (10, vec!["Request Body", "Request", "HTTP Trace: Dial succeed", "Response", "Response Body"]),
    ] {
        let recorder = Recorder::start(verbosity);
        let config = klient_client::Config::from_kubeconfig(&server.kubeconfig()).unwrap();
        client_verbosity::run(config, recorder.verbosity()).await.unwrap();
        let lines = recorder.lines();
        let found: Vec<&str> = lines.iter().map(|line| line.split('"').nth(1).unwrap()).collect();
        assert_eq!(found, messages, "-v={verbosity}");
        assert!(lines.iter().all(|line| !line.contains(server.admin_token())), "{lines:?}");
        if verbosity == 6 {
            let line = milliseconds.replace(&lines[0], "illiseconds=_");
            let url = format!("{}/api/v1/namespaces/default", server.url().trim_end_matches('/'));
            assert_eq!(
                line,
                format!(r#"I "Response" verb="GET" url="{url}" status="200 OK" milliseconds=_"#)
            );
        }
        if verbosity == 7 {
            assert!(lines[0].contains(" headers=<\n\tAccept: "), "{}", lines[0]);
            assert!(lines[0].contains("\n\tAuthorization: Bearer <masked>\n"), "{}", lines[0]);
        }
    }
    error!("no context is left");
}
