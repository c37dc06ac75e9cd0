//! The verbosity while a program runs.

use klient_klog::{Options, Recorder, enabled, info_s, v};

#[test]
fn the_verbosity_of_a_file_comes_before_that_of_the_program() {
    let recorder =
        Recorder::with(Options { vmodule: "verb*=3,other=9".to_owned(), ..Options::default() }).unwrap();
    let log = || {
        v!(1, "one");
        v!(3, "three");
        v!(4, "four");
        let level = 3;
        v!(_ = level, "dynamic");
        tracing::info!(v = 3, "field");
        assert_eq!((enabled!(3), enabled!(4)), (!recorder.verbosity().vmodule().is_empty(), false));
    };
    log();
    assert_eq!(recorder.lines(), [r#"I "one""#, r#"I "three""#, r#"I "dynamic""#, "I field"]);
    recorder.verbosity().set_vmodule("").unwrap();
    log();
    assert_eq!(recorder.lines().len(), 4);
}

#[test]
fn a_change_counts_for_call_sites_that_were_decided() {
    let recorder = Recorder::start(0);
    let log = |n: i64| {
        v!(2, "two", n);
        info_s!("always", n);
    };
    log(1);
    recorder.verbosity().set(2);
    log(2);
    recorder.verbosity().set(1);
    log(3);
    let error = recorder.verbosity().set_vmodule("a=b").unwrap_err();
    assert!(error.to_string().starts_with("--vmodule: \"a=b\": syntax error"), "{error}");
    assert_eq!(
        recorder.lines(),
        [r#"I "always" n=1"#, r#"I "two" n=2"#, r#"I "always" n=2"#, r#"I "always" n=3"#]
    );
}

#[test]
fn levels_are_compared_as_in_the_programs_of_go() {
    for (verbosity, expected) in [(-1, "-3 -2 -1"), (0, "-3 -2 -1 0"), (2, "-3 -2 -1 0 1 2")] {
        let recorder = Recorder::start(verbosity);
        for level in -3..6 {
            v!(_ = level, "klog", Level = %level);
        }
        let level = |line: &String| line.split('"').nth(3).unwrap().to_owned();
        let levels: Vec<String> = recorder.lines().iter().map(level).collect();
        assert_eq!(levels.join(" "), expected);
    }
}
