//! The command line: commands and flags, named as kubectl names them.

use std::path::PathBuf;

use clap::builder::ArgAction;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command::{api_resources, apply, convert, create, delete, demo, diff, get, server, version};
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
    #[arg(long, global = true, value_name = "DURATION", default_value = "0")]
    pub(crate) request_timeout: Timeout,
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

/// A span of time as Go writes it (`1m30s`), or whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) klient_apimachinery::Duration);

impl std::str::FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let with_unit = if text.parse::<u64>().is_ok() { format!("{text}s") } else { text.to_owned() };
        let refuse =
            |_| format!("invalid duration {text:?}: expected a number with a unit, such as 30s or 5m");
        with_unit.parse().map(Timeout).map_err(refuse)
    }
}

/// Reads the command line.
///
/// # Errors
///
/// If it cannot be understood, in kubectl's words.
pub(crate) fn parse(program: &str, arguments: Vec<std::ffi::OsString>) -> Result<Cli, Failure> {
    let command = bools_take_values(Cli::command()).bin_name(program.to_owned());
    let matches = command.try_get_matches_from(arguments).map_err(|error| failure(program, &error))?;
    Cli::from_arg_matches(&matches).map_err(|error| failure(program, &error))
}

/// Lets every boolean flag be given as `--flag=false` too, as kubectl's can.
fn bools_take_values(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .value_name("BOOL")
            .value_parser(clap::value_parser!(bool)),
        _ => arg,
    });
    command.mut_subcommands(bools_take_values)
}

/// What clap found wrong, as kubectl says it.
fn failure(program: &str, error: &clap::Error) -> Failure {
    use clap::error::{ContextKind, ErrorKind};
    let told = |kind| error.get(kind).map(ToString::to_string);
    // The usage line begins with the commands that were understood.
    let usage = told(ContextKind::Usage).map(|usage| strip_styles(&usage)).unwrap_or_default();
    let commands = usage
        .trim_start_matches("Usage: ")
        .split_whitespace()
        .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let commands = commands.collect::<Vec<_>>().join(" ");
    let commands = if commands.is_empty() { program.to_owned() } else { commands };
    let failure = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Failure::Help(error.to_string())
        }
        ErrorKind::UnknownArgument => {
            let flag = told(ContextKind::InvalidArg).unwrap_or_default();
            let flag = flag.split_whitespace().next().unwrap_or_default();
            let kind = if flag.starts_with("--") { "flag" } else { "shorthand flag" };
            if flag.starts_with('-') {
                Failure::Message(format!("unknown {kind}: {flag}\nSee '{commands} --help' for usage."))
            } else {
                unexpected(flag, &commands)
            }
        }
        ErrorKind::InvalidSubcommand => {
            let name = told(ContextKind::InvalidSubcommand).unwrap_or_default();
            if commands.contains(' ') {
                // A command that does something itself takes no such arguments.
                return unexpected(&name, &commands);
            }
            let near = match error.get(ContextKind::SuggestedSubcommand) {
                Some(clap::error::ContextValue::Strings(near)) if !near.is_empty() => {
                    format!("\n\nDid you mean this?\n\t{}", near.join("\n\t"))
                }
                _ => String::new(),
            };
            Failure::Message(format!("unknown command {name:?} for {commands:?}{near}"))
        }
        _ => {
            let text = strip_styles(&error.to_string());
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Failure::Message(format!("{first}\nSee '{commands} --help' for usage."))
        }
    };
    match failure {
        // It ends with 1 where objects differ, and kubectl gives another hint.
        Failure::Message(text) if commands.ends_with(" diff") => {
            let [hint, other] =
                [format!("{commands} --help' for usage."), format!("{commands} -h' for help and examples")];
            Failure::Trouble(Box::new(Failure::Message(text.replace(&hint, &other))))
        }
        failure => failure,
    }
}

fn unexpected(argument: &str, commands: &str) -> Failure {
    Failure::Message(format!("Unexpected args: [{argument}]\nSee '{commands} -h' for help and examples"))
}

/// Text without the escape sequences of a terminal.
fn strip_styles(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}
