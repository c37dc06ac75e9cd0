//! Contextual loggers and spans.

use klient_klog::{LogFormat, Logger, Options, Recorder, error_s, info, info_s, kref, with_values};
use tracing::info_span;

#[test]
fn names_are_joined_and_values_come_before_those_of_the_call() {
    let recorder = Recorder::start(0);
    let logger =
        with_values!(Logger::current().with_name("a").with_name("b"), pod = %kref("shop", "web-0"), n = 1);
    info_s!(logger: logger, "one", k = 2);
    info_s!(logger: logger, "the call's value counts", n = 3);
    error_s!(logger: with_values!(logger, n = 4), std::io::Error::other("no"), "both");
    info!("no context of the thread");
    logger.in_scope(|| {
        info_s!("in scope");
        tracing::warn!("an event");
        info!("printed lines have no values");
    });
    assert_eq!(
        recorder.lines(),
        [
            r#"I "one" logger="a.b" pod="shop/web-0" n=1 k=2"#,
            r#"I "the call's value counts" logger="a.b" pod="shop/web-0" n=3"#,
            r#"E "both" err="no" logger="a.b" pod="shop/web-0" n=4"#,
            "I no context of the thread",
            r#"I "in scope" logger="a.b" pod="shop/web-0" n=1"#,
            r#"W "an event" logger="a.b" pod="shop/web-0" n=1"#,
            "I printed lines have no values",
        ]
    );
}

#[test]
fn a_key_of_a_span_is_a_value_whatever_its_name() {
    let recorder = Recorder::start(0);
    let logger = with_values!(Logger::current(), v = 3, message = "m", "log.file" = "a.rs", err = "no");
    info_s!(logger: logger, "one");
    error_s!(logger: logger, "bad", "two");
    assert_eq!(
        recorder.lines(),
        [
            r#"I "one" v=3 message="m" log.file="a.rs" err="no""#,
            r#"E "two" v=3 message="m" log.file="a.rs" err="no""#,
        ]
    );
}

#[test]
fn json_has_the_name_before_the_position_and_values_before_the_verbosity() {
    let recorder = Recorder::with(Options { format: LogFormat::Json, ..Options::default() }).unwrap();
    let logger = with_values!(Logger::current().with_name("a").with_name("b"), pod = %kref("shop", "web-0"));
    info_s!(logger: logger, "one", k = 2);
    let line = &recorder.lines()[0];
    assert!(line.contains(r#","logger":"a.b","caller":"it/context.rs:"#), "{line}");
    assert!(
        line.ends_with(r#","msg":"one","pod":{"name":"web-0","namespace":"shop"},"v":0,"k":2}"#),
        "{line}"
    );
}

#[tokio::test]
async fn the_values_of_a_logger_follow_its_future() {
    let recorder = Recorder::start(0);
    let worker = |name: &'static str| {
        let logger = with_values!(Logger::current(), worker = name);
        logger.instrument(async move {
            info_s!("begin");
            tokio::task::yield_now().await;
            info_s!("end");
        })
    };
    tokio::join!(worker("a"), worker("b"));
    let mut lines = recorder.lines();
    // Which future is polled first is up to tokio.
    lines[2..].sort();
    assert_eq!(
        lines,
        [
            r#"I "begin" worker="a""#,
            r#"I "begin" worker="b""#,
            r#"I "end" worker="a""#,
            r#"I "end" worker="b""#
        ]
    );
}

#[test]
fn spans_of_tracing_are_contexts_if_they_are_no_profiles() {
    let recorder = Recorder::start(9);
    let span = info_span!("reconcile", key = "shop/web-0", outcome = tracing::field::Empty);
    let _entered = span.enter();
    let detail = tracing::debug_span!("request", url = "https://h/");
    let _detail = detail.enter();
    info_s!("one");
    span.record("outcome", "done");
    info_s!("two");
    span.record("outcome", "done again");
    info_s!("three");
    assert_eq!(
        recorder.lines(),
        [
            r#"I "one" key="shop/web-0""#,
            r#"I "two" key="shop/web-0" outcome="done""#,
            r#"I "three" key="shop/web-0" outcome="done again""#,
        ]
    );
}
