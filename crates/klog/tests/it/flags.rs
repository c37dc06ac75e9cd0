//! klog's flags in the command line of a program.

use clap::{CommandFactory as _, Parser};
use klient_klog::LogFlags;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    log: LogFlags,
}

#[test]
fn the_help_of_a_program_begins_with_the_program() {
    let help = Cli::command().render_long_help().to_string();
    assert!(help.starts_with("Usage: "), "{help}");
    assert!(help.contains("Log options:\n  -v"), "{help}");
}
