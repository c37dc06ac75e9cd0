//! `-v`, and the log of klient's crates on standard error.

use clap::Args;
use klient_client::HttpTrace;
use klient_klog::{Klog, Levels, Options};

/// The flags of the log (kubectl's flags of klog).
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct LogArgs {
    /// Verbosity of the log: from 4 retries, from 6 requests, from 7 their headers, from 8 the beginning of their
    /// bodies, from 9 curl commands and times, from 10 whole bodies
    #[arg(short = 'v', long = "v", global = true, value_name = "LEVEL", default_value_t = 0)]
    verbosity: i32,
}

/// Levels of crates of which kubectl logs nothing.
const SILENT: Levels =
    Levels { warn: Levels::NEVER, info: Levels::NEVER, debug: Levels::NEVER, trace: Levels::NEVER };

impl LogArgs {
    /// Returns the detail of the HTTP trace; `None` if it is off.
    pub(crate) fn http_trace(self) -> Option<HttpTrace> {
        HttpTrace::from_verbosity(u8::try_from(self.verbosity.clamp(0, 10)).unwrap_or_default())
    }

    /// Returns the log of commands: errors of klient's crates always, the rest if `-v` is set.
    fn options(self) -> Options {
        let from = |verbosity| Levels { warn: 1, info: verbosity, debug: verbosity, ..SILENT };
        let targets = [
            (HttpTrace::TARGET, from(6)),
            ("klient_client", from(4)),
            ("klient_cache", from(4)),
            ("klient_proxy", from(4)),
            // Warnings of commands are kubectl's, which it prints at every verbosity.
            ("klient::command", Levels { warn: Levels::ALWAYS, ..SILENT }),
        ];
        Options {
            verbosity: self.verbosity,
            levels: SILENT,
            targets: targets.map(|(target, levels)| (target.to_owned(), levels)).to_vec(),
            ..Options::default()
        }
    }

    /// Returns the log of `klient server`: its warnings always, the rest if `-v` is set.
    fn server_options(self) -> Options {
        let levels = Levels { info: 2, debug: 4, trace: 6, ..Levels::default() };
        Options { verbosity: self.verbosity, levels, ..Options::default() }
    }
}

/// Writes the log of a command to standard error.
pub(crate) fn init(args: LogArgs) -> Klog {
    start(args.options())
}

/// Writes the log of `klient server` to standard error.
pub(crate) fn init_server(args: LogArgs) -> Klog {
    start(args.server_options())
}

fn start(options: Options) -> Klog {
    klient_klog::init(options).expect("the options are valid, and a program has one command")
}

#[cfg(test)]
mod tests {
    use klient_klog::Recorder;

    use super::*;

    /// Checks which levels of a target are logged.
    macro_rules! check {
        ($verbosity:literal, $target:expr, $levels:literal) => {{
            let options = LogArgs { verbosity: $verbosity }.options();
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
        check!(0, HttpTrace::TARGET, "error");
        check!(5, HttpTrace::TARGET, "error warn");
        check!(6, HttpTrace::TARGET, "error warn info debug");
        check!(-1, "klient::command::get", "error warn");
        check!(10, "hyper::proto", "error");
    }
}
