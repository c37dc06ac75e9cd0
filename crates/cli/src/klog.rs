//! `-v`, `--vmodule`, and the log of klient's crates on standard error.

use std::num::ParseIntError;
use std::time::Duration;

use clap::Args;
use klient_klog::{Klog, Levels, Options, VModule};

use crate::flag_values::Timeout;

/// The flags of the log (those of klog and of component-base that kubectl has).
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct LogArgs {
    /// Verbosity of the log: from 4 retries, from 6 requests, from 7 their headers, from 8 the beginning of their
    /// bodies, from 9 curl commands and times, from 10 whole bodies
    #[arg(
        short = 'v',
        long = "v",
        global = true,
        value_name = "LEVEL",
        default_value_t = 0,
        value_parser = level
    )]
    verbosity: i32,
    /// Comma-separated list of pattern=N settings for file-filtered logging
    #[arg(long, global = true, value_name = "PATTERN=N,...", default_value = "", hide_default_value = true)]
    vmodule: VModule,
    /// Maximum number of seconds between log flushes. Lines go to standard error at once
    #[arg(
        long,
        alias = "log_flush_frequency",
        global = true,
        value_name = "DURATION",
        default_value = "5s",
        value_parser = flush_frequency
    )]
    log_flush_frequency: Duration,
}

/// Parses a verbosity, with errors that are worded as Go's.
fn level(text: &str) -> Result<i32, ParseIntError> {
    text.parse()
}

/// Parses a duration as Go's package `flag`, which words all its errors the same.
fn flush_frequency(text: &str) -> Result<Duration, &'static str> {
    let duration = text.parse::<Timeout>().map_err(|_| "parse error")?.0.to_std();
    duration.filter(|duration| !duration.is_zero()).ok_or("it must be greater than zero")
}

/// Levels of crates of which kubectl logs nothing.
const SILENT: Levels =
    Levels { warn: Levels::NEVER, info: Levels::NEVER, debug: Levels::NEVER, trace: Levels::NEVER };

impl LogArgs {
    /// Returns the log of commands: errors of klient's crates always, the rest if `-v` is set.
    fn options(&self) -> Options {
        let from = |verbosity| Levels { warn: 1, info: verbosity, debug: verbosity, ..SILENT };
        let targets = [
            ("klient_client", from(4)),
            ("klient_cache", from(4)),
            ("klient_proxy", from(4)),
            // Warnings of commands are kubectl's, which it prints at every verbosity.
            ("klient::command", Levels { warn: Levels::ALWAYS, ..SILENT }),
        ];
        let targets = targets.map(|(target, levels)| (target.to_owned(), levels)).to_vec();
        Options { levels: SILENT, targets, ..self.settings() }
    }

    /// Returns the log of a program that serves: its warnings always, its infos from a verbosity.
    fn server_options(&self, info: i32) -> Options {
        Options { levels: Levels { info, ..Levels::default() }, ..self.settings() }
    }

    fn settings(&self) -> Options {
        Options {
            verbosity: self.verbosity,
            vmodule: self.vmodule.to_string(),
            log_flush_frequency: self.log_flush_frequency,
            ..Options::default()
        }
    }
}

/// Writes the log of a command to standard error.
pub(crate) fn init(args: &LogArgs) -> Klog {
    start(args.options())
}

/// Writes the log of a program that serves to standard error. Its infos are for its operator.
pub(crate) fn init_server(args: &LogArgs) -> Klog {
    start(args.server_options(Levels::ALWAYS))
}

/// Writes the log of `klient demo` to standard error, whose own lines tell what its controllers do.
pub(crate) fn init_demo(args: &LogArgs) -> Klog {
    start(args.server_options(2))
}

fn start(options: Options) -> Klog {
    klient_klog::init(options).expect("the options are valid, and a program has one command")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use klient_klog::Recorder;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        log: LogArgs,
    }

    fn arguments(arguments: &[&str]) -> LogArgs {
        Cli::parse_from([&["klient"], arguments].concat()).log
    }

    /// Checks which levels of a target are logged.
    macro_rules! check {
        ($verbosity:literal, $target:expr, $levels:literal) => {{
            let options = arguments(&[concat!("-v=", $verbosity)]).options();
            let recorder = Recorder::with(options).expect("the options are valid");
            tracing::error!(target: $target, "error");
            tracing::warn!(target: $target, "warn");
            tracing::info!(target: $target, "info");
            tracing::debug!(target: $target, "debug");
            tracing::trace!(target: $target, "trace");
            let levels: Vec<String> = recorder.lines().iter().map(|line| line[2..].to_owned()).collect();
            assert_eq!(levels.join(" "), $levels, "-v={} {}", $verbosity, $target);
        }};
    }

    #[test]
    fn errors_are_printed_at_every_verbosity() {
        check!(-1, "klient_client::config::in_cluster", "error");
        check!(0, "klient_client::config::in_cluster", "error");
        check!(1, "klient_client", "error warn");
        check!(4, "klient_cache", "error warn info debug");
        check!(-1, "klient::command::get", "error warn");
        check!(10, "hyper::proto", "error");
    }
}
