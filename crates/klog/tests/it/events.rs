//! Events of `tracing`'s macros, and records of the crate `log`.

use klient_klog::{Levels, Options, Recorder};

#[test]
fn levels_of_tracing_are_severities_and_verbosities() {
    for (verbosity, expected) in [
        (-1, vec!["E error", "W warn", "I info"]),
        (3, vec!["E error", "W warn", "I info"]),
        (4, vec!["E error", "W warn", "I info", "I debug"]),
        (5, vec!["E error", "W warn", "I info", "I debug", "I trace"]),
    ] {
        let recorder = Recorder::start(verbosity);
        tracing::error!("error");
        tracing::warn!("warn");
        tracing::info!("info");
        tracing::debug!("debug");
        tracing::trace!("trace");
        assert_eq!(recorder.lines(), expected, "-v={verbosity}");
    }
}

#[test]
fn a_field_v_is_the_verbosity() {
    let recorder = Recorder::start(2);
    tracing::info!(v = 2, "logged");
    tracing::info!(v = 3, "not logged");
    tracing::debug!(v = 1, pod = "web-0", "logged at its verbosity");
    tracing::trace!(v = -1, "logged");
    assert_eq!(
        recorder.lines(),
        [r#"I logged"#, r#"I "logged at its verbosity" pod="web-0""#, r#"I logged"#]
    );
    assert_eq!(recorder.entries()[0].verbosity, 2);
}

#[test]
fn levels_can_be_set_for_targets() {
    let mut options = Options { verbosity: 1, ..Options::default() };
    options.levels.debug = 1;
    options.targets.push(("noisy".to_owned(), Levels { info: 2, warn: Levels::NEVER, ..Levels::default() }));
    options.targets.push(("noisy::less".to_owned(), Levels::default()));
    let recorder = Recorder::with(options).unwrap();
    tracing::debug!("here");
    tracing::info!(target: "noisy", "no");
    tracing::warn!(target: "noisy::module", "no");
    tracing::error!(target: "noisy", "always");
    tracing::info!(target: "noisy::less", "less");
    tracing::info!(target: "noisyness", "another");
    assert_eq!(recorder.lines(), ["I here", "E always", "I less", "I another"]);
}

#[test]
fn crates_below_the_client_are_silent_up_to_10() {
    let recorder = Recorder::start(10);
    tracing::debug!(target: "hyper::proto", "no");
    tracing::trace!(target: "h2", "no");
    recorder.verbosity().set(12);
    tracing::trace!(target: "h2", "yes");
    assert_eq!(recorder.lines(), ["I yes"]);
}

#[test]
fn a_message_without_values_is_printed_unless_it_forges_a_line() {
    let recorder = Recorder::start(0);
    tracing::info!("say \"hello\"");
    tracing::info!("one\nI1129 00:00:00.000000       1 forged.rs:1] two");
    tracing::info!(a = 1, "say \"hello\"");
    tracing::info!(a = 1);
    assert_eq!(
        recorder.lines(),
        [
            r#"I say "hello""#,
            r#"I "one\nI1129 00:00:00.000000       1 forged.rs:1] two""#,
            r#"I "say \"hello\"" a=1"#,
            r#"I "" a=1"#,
        ]
    );
}
