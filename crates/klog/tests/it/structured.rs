//! Structured calls: their forms and values.

use std::time::Duration;

use klient_klog::{
    LogFormat, Logger, Options, Recorder, bytes, duration, error, error_s, info, info_s, json, kobjs, kref,
    v, warning,
};
use serde_json::json as value;

#[test]
fn each_form_of_a_call_is_a_line() {
    let recorder = Recorder::start(3);
    let error = std::io::Error::other("timeout");
    let logger = Logger::current().with_name("nodes");
    let level = 3;
    info_s!("a");
    info_s!("b", k = 1,);
    info_s!(v: 3, "c", k = 1);
    info_s!(v: -2, "d");
    info_s!(v: _ = level, "e", k = 1);
    info_s!(logger: logger, "f");
    info_s!(logger: logger, v: 3, "g", k = 1);
    info_s!(logger: logger, v: _ = level, "h");
    v!(3, "i", k = 1);
    v!(_ = level, "j");
    error_s!(error, "k");
    error_s!(error, "l", k = 1);
    error_s!(v: 3, error, "m", k = 1);
    error_s!(logger: logger, error, "n");
    error_s!(logger: logger, v: 3, error, "o", k = 1);
    error_s!(None, "p");
    error_s!(v: 3, None, "q", k = 1);
    error_s!(logger: logger, None, "r");
    error_s!(logger: logger, v: 3, None, "s");
    info!("t {}", 1);
    info!(v: 3, "u {level}");
    warning!("v");
    error!("w {error}");
    // Not logged, each in its form.
    info_s!(v: 4, "-");
    v!(4, "-");
    let level = 4;
    v!(_ = level, "-");
    info!(v: 4, "-");
    error_s!(v: 4, error, "-");
    assert_eq!(
        recorder.lines(),
        [
            r#"I "a""#,
            r#"I "b" k=1"#,
            r#"I "c" k=1"#,
            r#"I "d""#,
            r#"I "e" k=1"#,
            r#"I "f" logger="nodes""#,
            r#"I "g" logger="nodes" k=1"#,
            r#"I "h" logger="nodes""#,
            r#"I "i" k=1"#,
            r#"I "j""#,
            r#"E "k" err="timeout""#,
            r#"E "l" err="timeout" k=1"#,
            r#"E "m" err="timeout" k=1"#,
            r#"E "n" err="timeout" logger="nodes""#,
            r#"E "o" err="timeout" logger="nodes" k=1"#,
            r#"E "p""#,
            r#"E "q" k=1"#,
            r#"E "r" logger="nodes""#,
            r#"E "s" logger="nodes""#,
            "I t 1",
            "I u 3",
            "W v",
            "E w timeout",
        ]
    );
}

/// The values of a line in a format.
fn values(format: LogFormat) -> String {
    let recorder = Recorder::with(Options { format, ..Options::default() }).unwrap();
    let owned = "owned".to_owned();
    info_s!(
        "values",
        string = "a b",
        owned,
        "literal key" = true,
        signed = -1_i64,
        small = 7_u8,
        large = u128::MAX,
        float = 1.0,
        none = None::<i64>,
        some = Some(3),
        display = %"x\"y",
        debug = ?[1, 2],
        pod = %kref("shop", "web-0"),
        node = ?kref("", "n1"),
        pods = %kobjs([kref("shop", "a"), kref("", "b")]),
        no_pods = %kobjs([]),
        latency = %duration(Duration::from_millis(1500)),
        object = %json(&value!({"b": [1, 1.5, null], "a": "<&>"})),
        data = %bytes(b"a\xff\"\xc3\xa9"),
        last.dotted = 1,
    );
    recorder.lines().remove(0)
}

#[test]
fn values_are_written_as_klog_writes_them() {
    assert_eq!(
        values(LogFormat::Text),
        concat!(
            r#"I "values" string="a b" owned="owned" literal key=true signed=-1 small=7 "#,
            r#"large=340282366920938463463374607431768211455 float=1 some=3 display="x\"y" debug="[1, 2]" "#,
            r#"pod="shop/web-0" node="n1" pods=["shop/a","b"] no_pods=[] latency="1.5s" "#,
            r#"object={"a":"\u003c\u0026\u003e","b":[1,1.5,null]} data="a\xff\"\u00e9" last.dotted=1"#,
        )
    );
}

#[test]
fn values_are_written_as_kube_apiserver_writes_them_in_json() {
    let line = values(LogFormat::Json);
    let (head, rest) = line.split_at(line.find(",\"msg\"").unwrap());
    assert!(head.starts_with("{\"ts\":1") && head.contains(",\"caller\":\"it/structured.rs:"), "{head}");
    assert_eq!(
        rest,
        concat!(
            r#","msg":"values","v":0,"string":"a b","owned":"owned","literal key":true,"signed":-1,"small":7,"#,
            r#""large":340282366920938463463374607431768211455,"float":1,"some":3,"display":"x\"y","#,
            r#""debug":"[1, 2]","pod":{"name":"web-0","namespace":"shop"},"node":{"name":"n1"},"#,
            r#""pods":[{"name":"a","namespace":"shop"},{"name":"b"}],"no_pods":[],"latency":"1.5s","#,
            r#""object":{"a":"<&>","b":[1,1.5,null]},"data":"Yf8iw6k=","last.dotted":1}"#,
        )
    );
    serde_json::from_str::<serde_json::Value>(&line).unwrap();
}

#[test]
fn errors_have_their_causes_whatever_holds_them() {
    #[derive(Debug)]
    struct Outer(std::io::Error);

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot sync")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    /// Any error, as that of the crate `anyhow`: it leads to a trait object, and implements no trait of errors.
    struct AnyError(Outer);

    impl std::ops::Deref for AnyError {
        type Target = dyn std::error::Error + Send + Sync;

        fn deref(&self) -> &Self::Target {
            &self.0
        }
    }

    let recorder = Recorder::start(0);
    let outer = || Outer(std::io::Error::other("connection refused"));
    error_s!(outer(), "value");
    error_s!(&outer(), "reference");
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(outer());
    error_s!(boxed, "box");
    let local: Box<dyn std::error::Error> = Box::new(outer());
    error_s!(local, "local box");
    let shared = std::sync::Arc::new(outer());
    error_s!(shared, "shared");
    error_s!(&boxed, "reference to a box");
    let result: Result<(), Box<dyn std::error::Error + Send + Sync>> = Err(boxed);
    if let Err(error) = &result {
        error_s!(error, "reference");
        error_s!(&&error, "reference to it");
        error_s!(error.as_ref(), "object");
        error_s!(**error, "object by place");
        error_s!(Some(error), "optional box");
        error_s!(v: 0, result.as_ref().err(), "optional box");
    }
    error_s!(Some(outer()), "optional");
    let mut last: Option<&str> = None;
    error_s!(last, "none", n = 1);
    last = Some("a string");
    error_s!(last, "optional", n = 1);
    error_s!(None::<Box<dyn std::error::Error>>, "none");
    let any = AnyError(outer());
    error_s!(any, "any");
    error_s!(&any, "reference to any");
    error_s!(Some(&any), "optional any");
    error_s!("a string", "string");
    error_s!("two\nlines", "string");
    tracing::error!(error = &outer() as &dyn std::error::Error, "event");
    assert_eq!(
        recorder.lines(),
        [
            r#"E "value" err="cannot sync: connection refused""#,
            r#"E "reference" err="cannot sync: connection refused""#,
            r#"E "box" err="cannot sync: connection refused""#,
            r#"E "local box" err="cannot sync: connection refused""#,
            r#"E "shared" err="cannot sync: connection refused""#,
            r#"E "reference to a box" err="cannot sync: connection refused""#,
            r#"E "reference" err="cannot sync: connection refused""#,
            r#"E "reference to it" err="cannot sync: connection refused""#,
            r#"E "object" err="cannot sync: connection refused""#,
            r#"E "object by place" err="cannot sync: connection refused""#,
            r#"E "optional box" err="cannot sync: connection refused""#,
            r#"E "optional box" err="cannot sync: connection refused""#,
            r#"E "optional" err="cannot sync: connection refused""#,
            r#"E "none" n=1"#,
            r#"E "optional" err="a string" n=1"#,
            r#"E "none""#,
            r#"E "any" err="cannot sync: connection refused""#,
            r#"E "reference to any" err="cannot sync: connection refused""#,
            r#"E "optional any" err="cannot sync: connection refused""#,
            r#"E "string" err="a string""#,
            "E \"string\" err=<\n\ttwo\n\tlines\n >",
            r#"E "event" error="cannot sync: connection refused""#,
        ]
    );
}

#[test]
fn a_key_of_a_call_is_a_value_whatever_its_name() {
    let error = std::io::Error::other("timeout");
    let log = || {
        let level = 0;
        info_s!("a", v = 5, message = "m", "log.level" = "debug", logger = "l");
        v!(_ = level, "b", v = 5_u64);
        error_s!(None, "c", n = 1, err = "e", v = 9);
        error_s!(error, "d", n = 1, err = "e");
        tracing::info!(v = "1.37", "log.target" = "x", "e");
        tracing::info!(message = 7);
        tracing::info!(message = 0.5);
    };
    let recorder = Recorder::start(0);
    log();
    assert_eq!(
        recorder.lines(),
        [
            r#"I "a" v=5 message="m" log.level="debug" logger="l""#,
            r#"I "b" v=5"#,
            r#"E "c" n=1 err="e" v=9"#,
            r#"E "d" n=1 err="e""#,
            r#"I "e" v="1.37" log.target="x""#,
            "I 7",
            "I 0.5",
        ]
    );
    let recorder = Recorder::with(Options { format: LogFormat::Json, ..Options::default() }).unwrap();
    log();
    let ends = [
        r#","msg":"a","v":0,"v":5,"message":"m","log.level":"debug","logger":"l"}"#,
        r#","msg":"b","v":0,"v":5}"#,
        r#","msg":"c","n":1,"err":"e","v":9}"#,
        r#","msg":"d","n":1,"err":"e","err":"timeout"}"#,
    ];
    for (line, end) in recorder.lines().iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
}

#[test]
fn a_value_beside_other_text_prints_as_it_does_elsewhere() {
    #[derive(Debug)]
    struct Lost(klient_klog::ObjectRef<'static>);

    impl std::fmt::Display for Lost {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{} is lost", self.0)
        }
    }

    impl std::error::Error for Lost {}

    let pod = || kref("shop", "web-0");
    let log = || {
        info!("Deleted {} after {}", pod(), duration(Duration::from_secs(90)));
        info_s!("x", pod = ?Some(pod()), pods = ?[pod(), pod()]);
        info_s!("x", lost = %Lost(pod()));
        error_s!(Lost(pod()), "x");
        tracing::error!(error = &Lost(pod()) as &dyn std::error::Error, "x");
    };
    let recorder = Recorder::start(0);
    log();
    assert_eq!(
        recorder.lines(),
        [
            "I Deleted shop/web-0 after 1m30s",
            r#"I "x" pod="Some(shop/web-0)" pods="[shop/web-0, shop/web-0]""#,
            r#"I "x" lost="shop/web-0 is lost""#,
            r#"E "x" err="shop/web-0 is lost""#,
            r#"E "x" error="shop/web-0 is lost""#,
        ]
    );
    let recorder = Recorder::with(Options { format: LogFormat::Json, ..Options::default() }).unwrap();
    log();
    let lines = recorder.lines();
    assert!(lines[0].contains(r#","msg":"Deleted shop/web-0 after 1m30s","#), "{}", lines[0]);
    assert!(
        lines[1].ends_with(r#","pod":"Some(shop/web-0)","pods":"[shop/web-0, shop/web-0]"}"#),
        "{}",
        lines[1]
    );
    assert!(lines[3].ends_with(r#","err":"shop/web-0 is lost"}"#), "{}", lines[3]);
}

#[test]
fn errors_are_last_in_json_and_have_no_verbosity() {
    let recorder = Recorder::with(Options { format: LogFormat::Json, ..Options::default() }).unwrap();
    error_s!(std::io::Error::other("timeout"), "failed", pod = "web-0");
    error!("printed\n");
    let lines = recorder.lines();
    assert!(lines[0].ends_with(r#","msg":"failed","pod":"web-0","err":"timeout"}"#), "{}", lines[0]);
    assert!(lines[1].ends_with(r#","msg":"printed"}"#), "{}", lines[1]);
}
