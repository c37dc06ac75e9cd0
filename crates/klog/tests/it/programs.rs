//! The examples, run as programs: a child of the test is the program, since some of them end it.

#[path = "../../examples/client_verbosity.rs"]
mod client_verbosity;
#[path = "../../examples/contextual.rs"]
mod contextual;
#[path = "../../examples/custom_flags.rs"]
mod custom_flags;
#[path = "../../examples/levels.rs"]
mod levels;
#[path = "../../examples/objects.rs"]
mod objects;
#[path = "../../examples/severities.rs"]
mod severities;
#[path = "../../examples/structured.rs"]
mod structured;

use std::ffi::OsString;
use std::fs;
use std::process::{Command, Output};

use klient_klog::{Recorder, error, info};

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
            let path = arguments[1].clone();
            let options = klient_klog::Options {
                logtostderr: false,
                log_file: Some(path.into()),
                skip_log_headers: true,
                ..Default::default()
            };
            let klog = klient_klog::init(options).unwrap();
            info!("before the panic");
            // Its drop would flush, too.
            std::mem::forget(klog);
            panic!("the program panics");
        }
        "log" => {
            let klog =
                klient_klog::init(klient_klog::Options { verbosity: 4, ..Default::default() }).unwrap();
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
        "unheard" => klient_klog::exit!("nobody hears this"),
        program => panic!("no program {program}"),
    }
}

fn run(program: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "programs::child", "--nocapture", "--test-threads=1"])
        .env(PROGRAM, program)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
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
    for flag in
        ["-v, --v", "--vmodule", "--logtostderr", "--log-dir", "--log-file-max-size", "--logging-format"]
    {
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
    assert!(stack.contains("severities::run"), "{stack}");
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
    for (program, highest) in [("levels", 2), ("levels -v=-1", -1), ("levels --v 4", 4)] {
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
    let format = problem("severities --logging-format=xml");
    assert!(format.contains("invalid log format \"xml\": permitted formats: json, text"), "{format}");
    let vmodule = problem("severities --vmodule=a");
    assert!(vmodule.contains("--vmodule: \"a\": syntax error"), "{vmodule}");
    let folder = problem("severities --logtostderr=false --log-dir=/no/such/folder");
    assert!(folder.contains("--log-dir: cannot create /no/such/folder/"), "{folder}");
    let threshold = problem("severities --stderrthreshold=loud");
    assert!(threshold.contains("invalid severity \"loud\""), "{threshold}");
}

#[test]
fn a_panic_flushes_log_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    run(&format!("panics {}", path.display()));
    assert!(fs::read_to_string(path).unwrap().ends_with("] before the panic\n"));
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
fn a_program_without_a_log_is_told_why_it_ends() {
    let output = run("unheard");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("klog: the program ends by a fatal line"), "{stderr}");
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
        client_verbosity::run(config, verbosity).await.unwrap();
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
