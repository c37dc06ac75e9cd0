//! The command line: commands and flags, named as kubectl names them.

mod problem;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::builder::ArgAction;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use klient_apimachinery::go::quoted;

use crate::cascade::Cascade;
use crate::command::{api_resources, apply, convert, create, delete, demo, diff, get, server, version};
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::failure::Failure;

/// Work with Kubernetes objects, on any cluster or on the API server in this very program.
#[derive(Debug, Parser)]
#[command(name = "klient", disable_help_subcommand = true, args_override_self = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the objects of files what the files say, creating those that are missing
    Apply(apply::ApplyArgs),
    /// Create objects from files or stdin, or a namespace or ConfigMap from flags
    Create(create::CreateArgs),
    /// Show what applying files would change
    Diff(diff::DiffArgs),
    /// Delete objects by files, names, or selectors
    Delete(delete::DeleteArgs),
    /// Show objects
    Get(get::GetArgs),
    /// Turn built-in objects and lists from one encoding into another, without a server
    Convert(convert::ConvertArgs),
    /// List the resources the server serves
    #[command(name = "api-resources")]
    ApiResources(api_resources::ApiResourcesArgs),
    /// Print the version of this program and of the server
    Version(version::VersionArgs),
    /// Run an API server: no etcd, no containers, nothing kept when it ends
    Server(server::ServerArgs),
    /// See it work: apply an application, list it, watch it change
    Demo(demo::DemoArgs),
}

/// How to reach the cluster.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConnectionArgs {
    /// The kubeconfig file to use
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The cluster of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// The user of the kubeconfig to be
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The namespace of this request
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// The URL of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A bearer token for the API server
    #[arg(long, global = true)]
    pub(crate) token: Option<Token>,
    /// A file with the certificate of the authority to trust
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// A file with a client certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) client_certificate: Option<PathBuf>,
    /// A file with the key of the client certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) client_key: Option<PathBuf>,
    /// Believe any server; this makes the connection insecure
    #[arg(long, global = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// The name the server's certificate must be for
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// How long a request may take, such as 30s; 0 for as long as it takes
    #[arg(long, global = true, value_name = "DURATION", default_value = "0", value_parser = request_timeout)]
    pub(crate) request_timeout: Timeout,
    /// The user to act as, such as bob or system:serviceaccount:NAMESPACE:NAME
    #[arg(long = "as", global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) impersonate: String,
    /// The uid of the user to act as
    #[arg(long = "as-uid", global = true, value_name = "UID", default_value = "", hide_default_value = true)]
    pub(crate) impersonate_uid: String,
    /// A group of the user to act as; can be given more than once
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub(crate) impersonate_groups: Vec<String>,
    /// What else is known of the user to act as; can be given more than once
    #[arg(long = "as-user-extra", global = true, value_name = "KEY=VALUE")]
    pub(crate) impersonate_user_extra: Vec<String>,
}

/// A bearer token. It is not shown in `Debug`.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Token(text.to_owned())
    }
}

/// A span of time as Go writes it (`1m30s`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) klient_apimachinery::Duration);

impl std::str::FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |_| match text.parse::<f64>() {
            Ok(_) => format!("time: missing unit in duration {text}", text = quoted(text)),
            Err(_) => format!("time: invalid duration {text}", text = quoted(text)),
        };
        if text == "0" { Ok(Timeout::default()) } else { text.parse().map(Timeout).map_err(refuse) }
    }
}

/// A time-out of requests: a span of time, or whole seconds.
fn request_timeout(text: &str) -> Result<Timeout, Refusal> {
    let with_unit = if text.parse::<u64>().is_ok() { format!("{text}s") } else { text.to_owned() };
    with_unit.parse().map_err(|_| {
        Refusal::new(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
             corresponding time unit (e.g. 1s | 2m | 3h)",
        )
    })
}

/// Why the value of a flag is refused, in words that need no more around them.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(String);

impl Refusal {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Refusal(text.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Reads a boolean as Go does.
pub(crate) fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text}: invalid syntax", text = quoted(text))),
    }
}

/// Reads the command line.
///
/// # Errors
///
/// If it cannot be understood, in kubectl's words.
pub(crate) fn parse(program: &str, arguments: Vec<OsString>) -> Result<Cli, Failure> {
    let mut command = as_pflag(Cli::command()).bin_name(program.to_owned());
    // Aliases and global flags are known below a command only when it is built.
    command.build();
    let matches = command.clone().try_get_matches_from(&arguments);
    let parsed = matches.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, deprecations(&matches))));
    let (cli, deprecations) =
        parsed.map_err(|error| problem::failure(program, &command, &arguments, &error))?;
    for warning in deprecations {
        Console::new().note(warning);
    }
    Ok(cli)
}

/// What is said of values of flags that are deprecated.
fn deprecations(matches: &ArgMatches) -> Vec<String> {
    let mut matches = matches;
    while let Some((_, of_subcommand)) = matches.subcommand() {
        matches = of_subcommand;
    }
    let of = |flag: &str, deprecation: fn(&str) -> Option<String>| {
        // Most commands have no such flag.
        let values = matches.try_get_raw(flag).ok().flatten();
        values.and_then(|mut values| values.next()).and_then(|value| deprecation(&value.to_string_lossy()))
    };
    [of("dry_run", DryRun::deprecation), of("cascade", Cascade::deprecation)].into_iter().flatten().collect()
}

/// Lets flags take values as pflag, which kubectl reads its command line with: a boolean can be given as
/// `--flag=false` too, and a value that must follow may begin with a hyphen.
fn as_pflag(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .value_name("BOOL")
            .value_parser(go_bool),
        ArgAction::Set | ArgAction::Append if !arg.is_positional() && !arg.is_require_equals_set() => {
            arg.allow_hyphen_values(true)
        }
        _ => arg,
    });
    command.mut_subcommands(as_pflag)
}
