//! Flags as a command line of other people has them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use clap::{Parser, Subcommand};
use klient_config_flags::ConfigFlags;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    config: ConfigFlags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run,
}

const KUBECONFIG: &str = "{current-context: a,
    contexts: [{name: a, context: {cluster: a, user: u, namespace: shop}}, {name: b, context: {cluster: b, user: u}}],
    clusters: [{name: a, cluster: {server: 'http://a'}}, {name: b, cluster: {server: 'http://b'}}],
    users: [{name: u, user: {}}]}";

#[test]
fn the_help_of_a_program_begins_with_the_program() {
    use clap::CommandFactory as _;
    let help = Cli::command().render_long_help().to_string();
    assert!(help.starts_with("Usage: "), "{help}");
    assert!(help.contains("Global options:\n      --kubeconfig <FILE>"), "{help}");
}

#[test]
fn flags_before_and_after_a_subcommand_select_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    fs::write(&file, KUBECONFIG).unwrap();
    for (flags, expected) in [
        ("run", "http://a/ shop None None"),
        ("--context b run", "http://b/ default None None"),
        ("run --context b -n x", "http://b/ x None None"),
        ("run --cluster=b --request-timeout=5", "http://b/ shop Some(5s) None"),
        ("run -s http://c --request-timeout 1m30s --context=", "http://c/ shop Some(90s) None"),
        ("run --as bob --as-user-extra=k=v --as-user-extra=none", "http://a/ shop None Some(\"bob\")"),
        ("run --request-timeout 0 --insecure-skip-tls-verify", "http://a/ shop None None"),
    ] {
        let kubeconfig = format!("--kubeconfig={}", file.display());
        let arguments = ["tool", &kubeconfig].into_iter().chain(flags.split(' '));
        let cli = Cli::try_parse_from(arguments).unwrap();
        assert!(matches!(cli.command, Command::Run));
        let config = cli.config.load().unwrap();
        let user = config.impersonate.map(|impersonate| impersonate.user);
        let shown = format!("{} {} {:?} {user:?}", config.url, config.namespace, config.timeouts.whole);
        assert_eq!(shown, expected, "{flags}");
    }
    for (flag, expected) in
        [(None, true), (Some("--disable-compression"), true), (Some("--disable-compression=false"), false)]
    {
        let cli = Cli::try_parse_from(["tool", "run", "-s", "http://a"].into_iter().chain(flag)).unwrap();
        assert_eq!(cli.config.load().unwrap().disable_compression, expected, "{flag:?}");
    }
    let cli = Cli::try_parse_from(["tool", "run", "--kubeconfig=/no/such/file"]).unwrap();
    let error = cli.config.load().unwrap_err().to_string();
    assert_eq!(error, "kubeconfig /no/such/file: cannot be used: No such file or directory (os error 2)");
}

#[test]
fn a_secret_is_not_shown_and_a_wrong_value_is_refused() {
    let cli = Cli::try_parse_from(["tool", "run", "--token", "s3cret", "--password=s3cret"]).unwrap();
    let shown = format!("{cli:?} {:?}", cli.config.overrides());
    assert!(!shown.contains("s3cret"), "{shown}");
    for (flag, problem) in [
        ("--request-timeout=x", "Invalid timeout value. Timeout must be a single integer in seconds"),
        ("--insecure-skip-tls-verify=x", "strconv.ParseBool: parsing \"x\": invalid syntax"),
    ] {
        let error = Cli::try_parse_from(["tool", "run", flag]).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
