//! The calls of a table, beside the recorded lines of klog and of kube-apiserver's JSON in Go: `cargo xtask e2e klog`.

#[rustfmt::skip]
#[allow(clippy::approx_constant, reason = "the table has such a number")]
mod calls;

use std::fs;

use klient_klog::{LogFormat, Options, Severity};
use tracing_subscriber::layer::SubscriberExt as _;

/// The lines of the calls in a file.
fn lines(format: LogFormat) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let options = Options {
        verbosity: 4,
        format,
        logtostderr: false,
        stderrthreshold: Severity::Fatal,
        log_file: Some(path.clone()),
        skip_log_headers: true,
        ..Options::default()
    };
    let (layer, klog) = klient_klog::layer(options).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), calls::make);
    drop(klog);
    fs::read_to_string(path).unwrap()
}

#[track_caller]
fn check(ours: &str, go: &str) {
    for (number, (ours, go)) in ours.lines().zip(go.lines()).enumerate() {
        assert_eq!(ours, go, "line {}", number + 1);
    }
    assert_eq!(ours.lines().count(), go.lines().count());
}

#[test]
fn text_is_that_of_klog() {
    let header = regex::Regex::new(
        r"(?m)^([IWEF])(0[1-9]|1[0-2])[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d\.\d{6} ( *\d+) calls\.rs:\d+\] ",
    )
    .unwrap();
    let ours = lines(LogFormat::Text);
    let process = header.captures(&ours).unwrap()[3].to_owned();
    assert_eq!(process, format!("{:>7}", std::process::id()));
    check(&header.replace_all(&ours, "$1 "), include_str!("table/go.text"));
}

#[test]
fn json_is_that_of_kube_apiserver() {
    let head = regex::Regex::new(r#"(?m)^\{"ts":\d{13}(?:\.\d{1,4})?,(.*?)"caller":"table/calls\.rs:\d+","#)
        .unwrap();
    check(&head.replace_all(&lines(LogFormat::Json), "{$1"), include_str!("table/go.json"));
}
