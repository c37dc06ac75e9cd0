//! The command line: commands and flags with kubectl's names.

mod usage_error;

use std::any::TypeId;
use std::ffi::OsString;

use clap::builder::ArgAction;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use klient_client::PluginPolicy;
use klient_config_flags::ConfigFlags;

use crate::cascade::Cascade;
use crate::command::{Command, run};
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::flag_values::{go_bool, go_int};
use crate::klog::LogArgs;
use crate::kuberc;

/// Create, read, change and delete Kubernetes objects, on any cluster or on the embedded API server (`klient server`).
#[derive(Debug, Parser)]
#[command(name = "klient", disable_help_subcommand = true, args_override_self = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) connection: ConfigFlags,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The policy of kuberc for credential plugins.
    #[arg(skip)]
    pub(crate) plugin_policy: PluginPolicy,
    /// A manifest is read from standard input.
    #[arg(skip)]
    pub(crate) reads_stdin: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Reads the command line.
///
/// # Errors
///
/// A usage error with kubectl's message, or [`CliError::Help`].
pub(crate) fn parse(program: &str, arguments: Vec<OsString>) -> Result<Cli, CliError> {
    let command = built(program);
    let arguments = help_as_flag(arguments);
    let (arguments, plugin_policy) = match kuberc::is_disabled() {
        false => kuberc::apply(&command, arguments)?,
        true => (arguments, PluginPolicy::AllowAll),
    };
    let matches = command.clone().try_get_matches_from(&arguments);
    let parsed = matches.and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        let cli = Cli { reads_stdin: reads_stdin(&matches), plugin_policy, ..cli };
        Ok((cli, deprecations(&matches)))
    });
    let (cli, deprecations) =
        parsed.map_err(|error| usage_error::from_clap(program, &command, &arguments, &error))?;
    for warning in deprecations {
        Console::new().eprintln(warning);
    }
    Ok(cli)
}

/// Puts the flag `--help` in the place of the command `help`, which has the names of a command as its arguments.
fn help_as_flag(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// Returns the matches of the last subcommand.
fn of_subcommand(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, of_subcommand)| self::of_subcommand(of_subcommand))
}

/// Returns true if `-f` names standard input.
fn reads_stdin(matches: &ArgMatches) -> bool {
    let files = of_subcommand(matches).try_get_many::<String>("filename").ok().flatten();
    files.into_iter().flatten().any(|file| file == "-")
}

fn built(program: &str) -> clap::Command {
    let mut command = with_all_flags().bin_name(program.to_owned());
    // Aliases and global flags are known below a command only when it is built.
    command.build();
    let end = format!(
        "Use \"{program} options\" for a list of global command-line options (applies to all commands)."
    );
    without_global_options(command, program, &end)
}

fn with_all_flags() -> clap::Command {
    let command = as_pflag(Cli::command());
    if kuberc::is_disabled() { command } else { command.arg(kuberc::flag()) }
}

/// Leaves the global options out of the help of each command, which ends with a sentence in their place. Its usage has
/// `[OPTIONS]` for them.
fn without_global_options(mut command: clap::Command, program: &str, end: &str) -> clap::Command {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    // Those of `override_usage` have the name of the binary.
    let forms = usage.lines().map(|form| match form.trim_start().strip_prefix("klient ") {
        Some(arguments) => format!("{program} {arguments}"),
        None => form.trim_start().to_owned(),
    });
    let usage = forms.collect::<Vec<_>>().join("\n       ");
    let help = command.get_after_help().map(|help| format!("{help}\n\n{end}"));
    command
        .override_usage(usage)
        .after_help(help.unwrap_or_else(|| end.to_owned()))
        .mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg })
        .mut_subcommands(|command| without_global_options(command, program, end))
}

/// Returns the global options, each with its description.
pub(crate) fn global_options() -> String {
    let flags = with_all_flags();
    let global = flags.get_arguments().filter(|arg| arg.is_global_set()).cloned();
    let mut command = clap::Command::new("options").disable_help_flag(true).help_template("{options}");
    command = command.next_line_help(true).args(global);
    command.render_help().to_string()
}

/// Returns the help of a command, by the names of the commands above it and its own.
pub(crate) fn help(program: &str, names: &[&str]) -> String {
    let mut command = built(program);
    let named = names.iter().try_fold(&mut command, |command, name| command.find_subcommand_mut(name));
    named.expect("callers name commands that exist").render_help().to_string()
}

/// Returns the warnings about deprecated flags, and deprecated values of flags.
fn deprecations(matches: &ArgMatches) -> Vec<String> {
    let matches = of_subcommand(matches);
    let of = |flag: &str, deprecation: fn(&str) -> Option<String>| {
        // Most commands do not have these flags.
        let values = matches.try_get_raw(flag).ok().flatten();
        values.and_then(|mut values| values.next()).and_then(|value| deprecation(&value.to_string_lossy()))
    };
    let filename = |_: &str| {
        Some(
            "Flag --filename has been deprecated, it is ignored by kubectl run and will be removed in a future release"
                .to_owned(),
        )
    };
    let warnings = [
        of(run::IGNORED_FILENAME, filename),
        of("dry_run", DryRun::deprecation),
        of("cascade", Cascade::deprecation),
    ];
    warnings.into_iter().flatten().collect()
}

/// Makes flags take values as in pflag, kubectl's parser: a boolean can be set with `--flag=false`, and the value of
/// another flag can begin with a hyphen, and a whole number can be hexadecimal.
fn as_pflag(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_value_parser().type_id() == TypeId::of::<i64>() {
        true => arg.value_parser(go_int),
        false => arg,
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands of help, each with its names.
    fn commands<'a>(command: &'a clap::Command, names: &str) -> Vec<(String, &'a clap::Command)> {
        let of = |command: &'a clap::Command| {
            let names = format!("{names} {}", command.get_name());
            [vec![(names.clone(), command)], commands(command, &names)].concat()
        };
        command.get_subcommands().flat_map(of).collect()
    }

    /// The words of a line of a shell, up to a redirection.
    fn words(line: &str) -> Vec<OsString> {
        let (mut words, mut is_quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                _ => words.last_mut().expect("there is one").push(c),
            }
        }
        let is_end = |word: &String| matches!(word.as_str(), "<" | ">" | "&" | "|");
        let words = words.into_iter().filter(|word| !word.is_empty());
        words.take_while(|word| !is_end(word)).map(OsString::from).collect()
    }

    #[test]
    fn each_help_has_examples_that_the_parser_takes() {
        let built = built("klient");
        for (names, command) in commands(&built, "klient") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.split_once("Examples:\n").map(|(_, examples)| examples).unwrap_or_default();
            let examples = examples.replace("\\\n", "");
            let examples: Vec<&str> =
                examples.lines().map(str::trim).filter(|line| line.starts_with("klient ")).collect();
            assert!(examples.iter().any(|line| line.starts_with(&names)), "{names}: {help}");
            for example in examples {
                let matches = built.clone().try_get_matches_from(words(example));
                let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches).map(drop));
                assert_eq!(parsed.map_err(|error| error.to_string()), Ok(()), "{example}");
            }
        }
    }

    #[test]
    fn usage_tells_the_order_of_arguments() {
        let mut built = built("kubectl");
        let names: Vec<String> = commands(&built, "kubectl").into_iter().map(|(names, _)| names).collect();
        for names in names {
            let path = names.split(' ').skip(1);
            let command = path.fold(&mut built, |command, name| {
                command.find_subcommand_mut(name).expect("it is one of the commands")
            });
            let usage = command.render_usage().to_string();
            assert!(usage.starts_with(&format!("Usage: {names} ")), "{usage}");
            // Positional arguments are behind the options in usage that clap makes.
            assert!(!usage.replace("[OPTIONS] [--", "").contains("[OPTIONS] ["), "{usage}");
        }
    }
}
