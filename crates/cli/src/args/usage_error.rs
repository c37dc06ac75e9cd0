//! Usage errors: clap's errors with kubectl's messages.

use std::error::Error as _;
use std::ffi::OsString;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};

use clap::builder::ArgAction;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use klient_apimachinery::go::quoted;
use klient_config_flags::InvalidRequestTimeout;

use crate::error::CliError;
use crate::flag_values::FlagValueError;

/// Converts an error of clap into kubectl's.
pub(super) fn from_clap(
    program: &str,
    command: &Command,
    arguments: &[OsString],
    error: &clap::Error,
) -> CliError {
    let arguments: Vec<_> = arguments.iter().skip(1).map(|argument| argument.to_string_lossy()).collect();
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let (commands, command) = named(program, command, &arguments);
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let is_diff = commands.ends_with(" diff");
    let usage = |text: String| {
        // kubectl prints another hint for diff.
        let hint = if is_diff { "-h' for help and examples" } else { "--help' for usage." };
        CliError::Message(format!("{text}\nSee '{commands} {hint}"))
    };
    let failure = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return CliError::Help(error.to_string());
        }
        ErrorKind::MissingSubcommand => return CliError::Help(command.clone().render_help().to_string()),
        ErrorKind::UnknownArgument => {
            let flag = context(ContextKind::InvalidArg);
            let flag = flag.split_whitespace().next().unwrap_or_default();
            match flag.strip_prefix('-').map(|rest| (rest, rest.strip_prefix('-'))) {
                Some((_, Some(_))) => usage(format!("unknown flag: {flag}")),
                Some((letter, None)) => usage(format!("unknown shorthand flag: '{letter}' in {flag}")),
                None => unexpected(flag, &commands),
            }
        }
        // A command without an action of its own (kubectl's `DefaultSubCommandRun`).
        ErrorKind::InvalidSubcommand if commands.contains(' ') && command.is_subcommand_required_set() => {
            let name = quoted(context(ContextKind::InvalidSubcommand));
            CliError::Message(format!("unknown command {name}\nSee '{commands} -h' for help and examples"))
        }
        // A command with an action of its own has no subcommand of this name.
        ErrorKind::InvalidSubcommand | ErrorKind::ArgumentConflict
            if commands.contains(' ') && error.get(ContextKind::InvalidSubcommand).is_some() =>
        {
            unexpected(&context(ContextKind::InvalidSubcommand), &commands)
        }
        ErrorKind::InvalidSubcommand => {
            let near = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(near)) if !near.is_empty() => {
                    format!("\n\nDid you mean this?\n\t{}", near.join("\n\t"))
                }
                _ => String::new(),
            };
            let name = context(ContextKind::InvalidSubcommand);
            CliError::Message(format!(
                "unknown command {name} for {commands}{near}",
                name = quoted(name),
                commands = quoted(commands)
            ))
        }
        // Only the last argument can lack a value: any other takes the next one.
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            let last = arguments.last().copied().unwrap_or_default();
            match last.strip_prefix("--") {
                Some(_) => usage(format!("flag needs an argument: {last}")),
                None => {
                    let letter = last.chars().last().unwrap_or_default();
                    usage(format!("flag needs an argument: '{letter}' in -{letter}"))
                }
            }
        }
        ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue);
            let flag = context(ContextKind::InvalidArg);
            let problem = match error.source() {
                Some(source) if source.is::<FlagValueError>() || source.is::<InvalidRequestTimeout>() => {
                    return in_diff(is_diff, CliError::message(source.to_string()));
                }
                Some(source) => match source.downcast_ref::<ParseIntError>().map(ParseIntError::kind) {
                    Some(IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => {
                        format!(
                            "strconv.ParseInt: parsing {value}: value out of range",
                            value = quoted(&value)
                        )
                    }
                    Some(_) => {
                        format!("strconv.ParseInt: parsing {value}: invalid syntax", value = quoted(&value))
                    }
                    None if source.is::<AddrParseError>() => {
                        format!("{source}: it must be like {}", default_of(command, &flag))
                    }
                    None => source.to_string(),
                },
                None => "invalid value".to_owned(),
            };
            usage(invalid_argument(command, &value, &flag, &problem))
        }
        ErrorKind::InvalidValue => {
            let values = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) => values.join(", "),
                _ => String::new(),
            };
            let (value, flag) = (context(ContextKind::InvalidValue), context(ContextKind::InvalidArg));
            usage(invalid_argument(command, &value, &flag, &format!("it must be one of: {values}")))
        }
        ErrorKind::MissingRequiredArgument => {
            usage(format!("required arguments are missing: {}", context(ContextKind::InvalidArg)))
        }
        _ => {
            let text = strip_styles(&error.to_string());
            usage(text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
    };
    in_diff(is_diff, failure)
}

/// pflag's message about a value that a flag does not take.
fn invalid_argument(command: &Command, value: &str, flag: &str, problem: &str) -> String {
    let flag = name_of(flag);
    let flag = find(command, flag).map_or_else(|| flag.to_owned(), pflag_name);
    format!("invalid argument {} for {} flag: {problem}", quoted(value), quoted(flag))
}

/// Returns the default value of a flag.
fn default_of(command: &Command, flag: &str) -> String {
    let values = find(command, name_of(flag)).map(Arg::get_default_values).unwrap_or_default();
    values.iter().map(|value| value.to_string_lossy()).collect()
}

/// Returns the name of a flag in an error of clap, such as `--output` of `--output <FORMAT>`.
fn name_of(flag: &str) -> &str {
    flag.split([' ', '=', '[']).next().unwrap_or_default()
}

/// Wraps an error of `diff`, whose exit code is 2.
fn in_diff(is_diff: bool, failure: CliError) -> CliError {
    if is_diff { CliError::Diff(Box::new(failure)) } else { failure }
}

fn unexpected(argument: &str, commands: &str) -> CliError {
    let problem = match commands.rsplit(' ').next() {
        Some("version") => return CliError::Message(format!("extra arguments: [{argument}]")),
        Some("api-resources" | "api-versions") => "unexpected arguments",
        _ => "Unexpected args",
    };
    CliError::Message(format!("{problem}: [{argument}]\nSee '{commands} -h' for help and examples"))
}

/// Returns the names of the command and subcommands in the arguments, and the innermost command.
fn named<'a>(program: &str, command: &'a Command, arguments: &[&str]) -> (String, &'a Command) {
    let (mut commands, mut command) = (program.to_owned(), command);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument.starts_with('-') {
            if takes_next(command, argument) {
                arguments.next();
            }
            continue;
        }
        let Some(next) = command.find_subcommand(argument) else { break };
        commands = format!("{commands} {}", next.get_name());
        command = next;
    }
    (commands, command)
}

/// Returns true if the value of a flag is the next argument.
fn takes_next(command: &Command, argument: &str) -> bool {
    let takes_value = |arg: &Arg| {
        matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !arg.is_require_equals_set()
    };
    if argument.starts_with("--") {
        return find(command, argument).is_some_and(takes_value);
    }
    let letters: Vec<char> = argument.chars().skip(1).collect();
    let first = letters.iter().position(|letter| {
        command.get_arguments().any(|arg| arg.get_short() == Some(*letter) && takes_value(arg))
    });
    first.is_some_and(|at| at + 1 == letters.len())
}

/// Finds a flag by a name such as `--output` or `-o`.
fn find<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| match flag.strip_prefix("--") {
        Some(name) => arg.get_long() == Some(name),
        None => {
            arg.get_short().is_some()
                && arg.get_short() == flag.strip_prefix('-').and_then(|rest| rest.chars().next())
        }
    })
}

/// Returns the name of a flag in pflag's messages: `-o, --output`.
fn pflag_name(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_default();
    match arg.get_short() {
        Some(short) => format!("-{short}, --{long}"),
        None => format!("--{long}"),
    }
}

/// Removes the escape sequences of a terminal.
fn strip_styles(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}
