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
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env("KLIENT_PLAY", "behind:step1:from-written0:without-2");
    let output = command.output().unwrap();
    let trace = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{trace}");
    assert!(trace.contains("behind:step1:from-written0: no finding"), "{trace}");
    assert!(trace.contains("the step: create configmaps default/colors"), "{trace}");
    assert!(trace.contains("started again with caches that are behind"), "{trace}");
    assert!(!trace.contains("change it"), "{trace}");
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", name]).env("KLIENT_PLAY", "kill-now").output().unwrap();
    assert!(!output.status.success());
}
