//! `klient`: kubectl's everyday verbs, an embedded API server, and a demo.

mod args;
mod attachment;
mod cascade;
mod cluster;
mod command;
mod configuration;
mod console;
mod dry_run;
mod error;
mod exec_options;
mod flag_values;
mod go_form;
mod image_reference;
mod interrupt;
mod klog;
mod kuberc;
mod last_applied;
mod manifest;
mod pod_containers;
mod pod_order;
mod pod_target;
mod pod_wait;
mod print;
mod prune;
mod raw;
mod remote_session;
mod resource_args;
mod result_printer;
mod session;
mod terminal;
mod three_way;
mod wait_deleted;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use args::Cli;
use command::Command;
use console::Console;
use error::CliError;
use exec_options::ExecOptions;
use interrupt::Interrupt;
use session::Session;

/// A quarter of the server's time went into glibc's allocator: objects are trees of many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let called = arguments.first().map(Path::new).and_then(Path::file_stem);
    let program = called.map_or_else(|| "klient".to_owned(), |name| name.to_string_lossy().into_owned());
    let result = args::parse(&program, arguments).and_then(|cli| run(cli, program));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::Help(text)) => match Console::new().print(&text) {
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        },
        Err(failure) => {
            Console::new().eprint(&failure.stderr_text());
            failure.end_program()
        }
    }
}

/// Time in which a command that a signal ends can remove its temporary directories, and write what it has begun.
const CLEANUP_GRACE_PERIOD: Duration = Duration::from_secs(1);

fn run(cli: Cli, program: String) -> Result<(), CliError> {
    let _klog = match cli.command {
        Command::Server(_) | Command::Gateway(_) => klog::init_server(&cli.log),
        Command::Demo(_) => klog::init_demo(&cli.log),
        _ => klog::init(&cli.log),
    };
    let handles_signals = matches!(cli.command, Command::Server(_) | Command::Demo(_) | Command::Gateway(_));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if !handles_signals {
        // Requests run one after another on this thread; the worker serves their connections while it is blocked.
        runtime.worker_threads(1);
    }
    let not_started = |error| CliError::Message(format!("cannot start the runtime: {error}"));
    let runtime = runtime.enable_all().build().map_err(not_started)?;
    let end_by = cli.command.end_by();
    let end = move |signal| match end_by(signal) {
        Ok(()) => std::process::exit(0),
        Err(failure) => failure.end_program(),
    };
    let grace = (!handles_signals).then_some(CLEANUP_GRACE_PERIOD);
    let interrupt = Interrupt::listen(grace, end).map_err(not_started)?;
    let mut session = Session {
        program,
        console: Console::new(),
        connection: cli.connection,
        exec: ExecOptions { policy: cli.plugin_policy, reads_stdin: cli.reads_stdin },
        interrupt: interrupt.clone(),
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = command::run(cli.command, &mut session) => result,
            signal = interrupt.wait(), if !handles_signals => end_by(signal),
        }
    });
    // Do not wait for a blocking read of standard input.
    runtime.shutdown_background();
    result
}
