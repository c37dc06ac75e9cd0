//! `klient`: kubectl's everyday verbs, an embedded API server, and a demo.

mod args;
mod cascade;
mod cluster;
mod command;
mod configuration;
mod connection;
mod console;
mod dry_run;
mod failure;
mod flag_values;
mod gone;
mod interrupt;
mod last_applied;
mod manifest;
mod output;
mod print;
mod prune;
mod raw;
mod session;
mod target;
mod three_way;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use args::Cli;
use command::Command;
use console::Console;
use failure::Failure;
use interrupt::Interrupt;
use session::Session;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let called = arguments.first().map(Path::new).and_then(Path::file_stem);
    let program = called.map_or_else(|| "klient".to_owned(), |name| name.to_string_lossy().into_owned());
    let result = args::parse(&program, arguments).and_then(|cli| run(cli, program));
    match result {
        Ok(()) | Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(Failure::Help(text)) => match Console::new().write(&text) {
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        },
        Err(failure) => {
            Console::new().complain(&failure.text());
            ExitCode::from(failure.exit_code())
        }
    }
}

/// How long a command that a signal ends has to remove what it has put into temporary folders.
const GRACE: Duration = Duration::from_secs(1);

fn run(cli: Cli, program: String) -> Result<(), Failure> {
    let cleans_up = matches!(cli.command, Command::Server(_) | Command::Demo(_));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if !cleans_up {
        // One request after another needs no threads, but signals are taken while the command blocks.
        runtime.worker_threads(1);
    }
    let runtime = runtime.enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Message(format!("cannot start: {error}")))?;
    let interrupt = Interrupt::listen(&runtime, (!cleans_up).then_some(GRACE));
    let mut session = Session {
        program,
        console: Console::new(),
        connection: cli.connection,
        interrupt: interrupt.clone(),
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = command::run(cli.command, &mut session) => result,
            signal = interrupt.wait(), if !cleans_up => Err(Failure::Interrupted(signal)),
        }
    });
    // Who reads from a pipe on another thread is not waited for.
    runtime.shutdown_background();
    result
}
