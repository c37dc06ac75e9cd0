//! The severities of klog, with all its flags: `--help` lists them, `-v` and `--vmodule` select lines. The last call ends
//! the program with the exit code 255.

use std::ffi::OsString;

use clap::Parser;
use klient_klog::{LogFlags, error, fatal, info, warning};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    log: LogFlags,
}

fn main() {
    run(std::env::args_os().collect());
}

pub(crate) fn run(arguments: Vec<OsString>) {
    let cli = Cli::parse_from(arguments);
    let _klog = cli.log.init().unwrap_or_else(|error| panic!("{error}"));
    info!("Info");
    warning!("Warning");
    error!("Error");
    fatal!("Fatal");
}
