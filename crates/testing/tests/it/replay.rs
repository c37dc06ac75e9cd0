//! The environment variable with the one play to run.

use std::env;
use std::process::Command;

use klient_client::Client;
use klient_testing::CrashTest;

use crate::copies::{change, create};

/// Runs as a test of its own, too.
#[test]
fn one_play_is_run_and_traced() {
    let controller = async |_: Client| std::future::pending::<()>().await;
    let test = CrashTest::new(controller).step("create it", create).step("change it", change);
    if env::var_os("KLIENT_PLAY").is_some() {
        return drop(test.run());
    }
    let name = "replay::one_play_is_run_and_traced";
    let run = |play: &str| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", name, "--nocapture"]).env("KLIENT_PLAY", play);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (is_ok, trace) = run("behind:step1:from-written0:without-2");
    assert!(is_ok, "{trace}");
    assert!(trace.contains("behind:step1:from-written0: no finding"), "{trace}");
    assert!(trace.contains("the step: create configmaps default/colors"), "{trace}");
    assert!(trace.contains("started again with caches that are behind"), "{trace}");
    assert!(!trace.contains("change it"), "{trace}");
    for (play, problem) in [
        ("kill-now", r#"KLIENT_PLAY is "kill-now", which is no play: take the line of a finding"#),
        ("restart:step1:without-", "whose end is not the numbers of steps in their order"),
        ("restart:step1:without-2-1", "whose end is not the numbers of steps in their order"),
        ("restart:step1:without-x", "whose end is not the numbers of steps in their order"),
        ("restart:step1:without-3", "but there is no step 3: the test has 2"),
        (
            "kill-after:write7",
            r#"KLIENT_PLAY is "kill-after:write7", which the test does not have. Its plays are:"#,
        ),
        (
            "restart:step2:without-2",
            r#"KLIENT_PLAY is "restart:step2:without-2", which the test does not have."#,
        ),
    ] {
        let (is_ok, text) = run(play);
        assert!(!is_ok, "{play}");
        assert!(text.contains(problem), "{text}");
    }
    let (_, text) = run("kill-after:write7");
    assert!(text.contains("\n  restart: step0 step1 step2\n"), "{text}");
    assert!(text.contains("\n  merged-steps: step2\n"), "{text}");
}
