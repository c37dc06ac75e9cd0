//! `klient`: kubectl's everyday verbs, an embedded API server, and a demo.

mod args;
mod cascade;
mod cluster;
mod command;
mod console;
mod dry_run;
mod failure;
mod gone;
mod last_applied;
mod manifest;
mod output;
mod print;
mod prune;
mod session;
mod target;
mod three_way;

use std::path::Path;
use std::process::ExitCode;

use args::{Cli, Command};
use console::Console;
use failure::Failure;
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

fn run(cli: Cli, program: String) -> Result<(), Failure> {
    let mut session = Session { program, console: Console::new(), connection: cli.connection };
    let mut runtime = match cli.command {
        // One request after another needs no threads; a server does.
        Command::Server(_) | Command::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Message(format!("cannot start: {error}")))?;
    runtime.block_on(command::run(cli.command, &mut session))
}
