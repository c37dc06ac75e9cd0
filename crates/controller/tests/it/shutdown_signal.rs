//! Signals to a process of its own: the test binary, which runs one test as the program.

use std::process::{ExitStatus, Stdio};

use klient_controller::shutdown_signal;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::cluster::soon;

/// Set for the process that is the program.
const IS_PROGRAM: &str = "KLIENT_TEST_SHUTDOWN_SIGNAL";

/// The program, which tells of its signal and does not end by itself.
#[tokio::test]
async fn program() {
    if std::env::var_os(IS_PROGRAM).is_none() {
        return;
    }
    let signal = shutdown_signal();
    println!("runs");
    signal.await;
    println!("ends");
    std::future::pending().await
}

/// The program, whose runtime waits for a blocking task when it is dropped.
#[test]
fn program_that_hangs_at_its_end() {
    if std::env::var_os(IS_PROGRAM).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let signal = shutdown_signal();
        println!("runs");
        signal.await;
        tokio::task::spawn_blocking(|| {
            loop {
                std::thread::park();
            }
        });
        // Another call tells of the same signal.
        shutdown_signal().await;
    });
    println!("ends");
    drop(runtime);
}

struct Program(Child, Lines<BufReader<ChildStdout>>);

impl Program {
    fn start(name: &str) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", &format!("shutdown_signal::{name}"), "--nocapture"]).env(IS_PROGRAM, "");
        let mut child = program.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Program(child, lines)
    }

    async fn says(&mut self, text: &str) {
        let line = async { while !self.1.next_line().await.unwrap().expect("it runs").contains(text) {} };
        soon(text, line).await;
    }

    async fn signal(&self, name: &str) {
        let id = self.0.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().await.unwrap().success());
    }

    async fn end(&mut self) -> ExitStatus {
        soon("the end of the program", self.0.wait()).await.unwrap()
    }
}

#[tokio::test]
async fn the_first_signal_is_told_and_the_second_ends_the_program() {
    for [first, second] in [["TERM", "INT"], ["INT", "TERM"], ["TERM", "TERM"]] {
        let mut program = Program::start("program");
        program.says("runs").await;
        program.signal(first).await;
        program.says("ends").await;
        program.signal(second).await;
        assert_eq!(program.end().await.code(), Some(1), "{first}, {second}");
    }
}

#[tokio::test]
async fn the_second_signal_ends_a_program_that_hangs_in_a_blocking_task_at_its_end() {
    let mut program = Program::start("program_that_hangs_at_its_end");
    program.says("runs").await;
    program.signal("TERM").await;
    program.says("ends").await;
    program.signal("TERM").await;
    assert_eq!(program.end().await.code(), Some(1));
}
