//! klog's flags in the command line of a program.

use clap::{CommandFactory as _, Parser};
use klient_klog::{LogFlags, LogFormat};

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

#[test]
fn a_flag_that_is_repeated_has_its_last_value() {
    let arguments =
        ["a", "-v=1", "--v=2", "-v3", "--vmodule=a=1", "--vmodule=b=2", "--log_file=a", "--log-file=b"];
    let LogFlags { v, vmodule, log_file, .. } = Cli::parse_from(arguments).log;
    assert_eq!((v, &*vmodule.to_string(), log_file), (3, "b=2", Some("b".into())));
}

#[test]
fn an_empty_value_is_none() {
    let arguments =
        ["a", "--log-file=", "--log-dir=", "--vmodule=", "--log-backtrace-at=", "--logging-format="];
    let options = Cli::parse_from(arguments).log.options();
    assert_eq!((options.log_file, options.log_dir), (None, None));
    assert_eq!((&*options.vmodule, &*options.log_backtrace_at, options.format), ("", "", LogFormat::Text));
}

#[test]
fn a_flag_that_cannot_be_applied_is_an_error_of_the_command_line() {
    for (argument, expected) in [
        ("-v=x", "invalid value 'x' for '-v <LEVEL>': invalid digit found in string"),
        (
            "--vmodule=a",
            "invalid value 'a' for '--vmodule <PATTERN=N,...>': syntax error: expect comma-separated list of filename=N",
        ),
        (
            "--log_backtrace_at=main.rs",
            "invalid value 'main.rs' for '--log-backtrace-at <FILE:N>': syntax error: expect file.rs:234",
        ),
        (
            "--log-flush-frequency=0",
            "invalid value '0' for '--log-flush-frequency <DURATION>': it must be greater than zero",
        ),
        (
            "--log-flush-frequency=-1s",
            "invalid value '-1s' for '--log-flush-frequency <DURATION>': it must be greater than zero",
        ),
        (
            "--logging-format=xml",
            "invalid value 'xml' for '--logging-format <FORMAT>': permitted formats: json, text",
        ),
        (
            "--stderrthreshold=loud",
            "invalid value 'loud' for '--stderrthreshold <SEVERITY>': it must be INFO, WARNING, ERROR, FATAL, or a number \
             from 0 to 3",
        ),
    ] {
        let error = Cli::try_parse_from(["a", argument]).unwrap_err();
        assert_eq!(error.to_string().lines().next().unwrap(), format!("error: {expected}"));
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn the_program_in_the_readme_is_that_of_the_documentation() {
    let documentation = include_str!("../../src/flags.md");
    let program = documentation.split("```\n").nth(1).unwrap().replace("klient_klog", "klient::klog");
    assert!(
        include_str!("../../../../README.md").contains(&format!("```rust,ignore\n{program}```\n")),
        "{program}"
    );
}
