//! Verbosities: lines up to that of `-v` are logged; the program sets another default. A verbosity can be asked for once,
//! and may be negative.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser};
use klient_klog::{LogFlags, enabled, info_s, v};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    log: LogFlags,
}

fn main() {
    run(std::env::args_os().collect());
}

pub(crate) fn run(arguments: Vec<OsString>) {
    // `-v` has another default than klog's.
    let command = Cli::command().mut_arg("v", |v| v.default_value("2"));
    let matches = command.get_matches_from(arguments);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let _klog = cli.log.init().unwrap_or_else(|error| panic!("{error}"));
    for level in -3..6 {
        v!(_ = level, "klog", Level = %level);
    }
    if enabled!(1) {
        for number in -3..6 {
            info_s!(v: 1, "klog", Number = %number);
        }
    }
}
