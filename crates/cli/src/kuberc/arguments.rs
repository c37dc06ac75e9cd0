//! Aliases of commands and defaults of flags, which change the arguments of the program before they are parsed.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Arg, Command};
use klient_apimachinery::go::quoted;
use serde::Deserialize;

/// A name for a command, with arguments and defaults of its flags.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Alias {
    name: String,
    command: String,
    prepend_args: Vec<String>,
    append_args: Vec<String>,
    #[serde(alias = "flags")]
    options: Vec<OptionDefault>,
}

/// Defaults of the flags of a command.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CommandDefaults {
    command: String,
    #[serde(alias = "flags")]
    options: Vec<OptionDefault>,
}

/// The default of a flag.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OptionDefault {
    name: String,
    default: String,
}

/// Checks names, with kubectl's messages.
pub(super) fn check(aliases: &[Alias], defaults: &[CommandDefaults]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for alias in aliases {
        if alias.name.is_empty() || !alias.name.chars().all(|letter| letter.is_ascii_alphabetic()) {
            return Err("invalid alias name, can only include alphabetical characters".to_owned());
        }
        check_names(&alias.options)?;
        if !names.insert(&alias.name) {
            return Err(format!("duplicate alias name {}", alias.name));
        }
    }
    defaults.iter().try_for_each(|defaults| check_names(&defaults.options))
}

fn check_names(options: &[OptionDefault]) -> Result<(), String> {
    match options.iter().find(|option| option.name.starts_with('-')) {
        Some(option) => Err(format!("flag name {} should be in long form without dashes", option.name)),
        None => Ok(()),
    }
}

/// The arguments, whose first is the program, with the alias that they name and with defaults.
///
/// # Errors
///
/// If an alias or a default is for a command or a flag that does not exist, with kubectl's message.
pub(super) fn apply(
    root: &Command,
    aliases: &[Alias],
    defaults: &[CommandDefaults],
    mut arguments: Vec<OsString>,
) -> Result<Vec<OsString>, String> {
    let Some(Found { at, command, words }) = find(root, &arguments) else { return Ok(arguments) };
    if words.is_empty() {
        let name = arguments[at].to_string_lossy();
        let Some(alias) = aliases.iter().find(|alias| alias.name == name) else { return Ok(arguments) };
        let words: Vec<&str> = alias.command.split_whitespace().collect();
        let named = words.iter().try_fold(root, |command, word| command.find_subcommand(word));
        let Some(command) = named.filter(|_| !words.is_empty()) else {
            let words = words.join(" ");
            let (command, name) = (quoted(&alias.command), quoted(&alias.name));
            return Err(format!("command {command} not found to set alias {name}: [{words}]"));
        };
        let program = arguments[0].to_string_lossy().into_owned();
        let refuse = |flag: &str| format!("invalid alias flag {flag} in alias {program}");
        let flags = flags(command, &alias.options, &arguments, refuse)?;
        let prepended = words.into_iter().map(str::to_owned).chain(alias.prepend_args.iter().cloned());
        let inserted: Vec<OsString> = prepended.chain(flags).map(OsString::from).collect();
        arguments.splice(at..=at, inserted);
        arguments.extend(alias.append_args.iter().map(OsString::from));
        return Ok(arguments);
    }
    let mut inserted = Vec::new();
    for defaults in
        defaults.iter().filter(|defaults| defaults.command.split_whitespace().eq(words.iter().copied()))
    {
        let refuse = |flag: &str| format!("invalid flag {flag} for command {}", defaults.command);
        inserted.extend(flags(command, &defaults.options, &arguments, refuse)?);
    }
    arguments.splice(at + 1..=at, inserted.into_iter().map(OsString::from));
    Ok(arguments)
}

/// The flags for the defaults of options that the arguments do not have.
fn flags(
    command: &Command,
    options: &[OptionDefault],
    arguments: &[OsString],
    refuse: impl Fn(&str) -> String,
) -> Result<Vec<String>, String> {
    let mut flags = Vec::new();
    for option in options {
        let known = command.get_arguments().find(|argument| argument.get_long() == Some(&option.name));
        let argument = known.ok_or_else(|| refuse(&option.name))?;
        if !is_given(argument, &option.name, arguments) {
            flags.push(format!("--{}={}", option.name, option.default));
        }
    }
    Ok(flags)
}

fn is_given(argument: &Arg, name: &str, arguments: &[OsString]) -> bool {
    let (long, short) = (format!("--{name}"), argument.get_short().map(|short| format!("-{short}")));
    arguments.iter().skip(1).map(|given| given.to_string_lossy()).any(|given| {
        given.strip_prefix(&long).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
            || short.as_ref().is_some_and(|short| given.starts_with(short.as_str()))
    })
}

/// The command that arguments name.
struct Found<'a> {
    /// The index of its last word, or of the first word if that is no command.
    at: usize,
    command: &'a Command,
    words: Vec<&'a str>,
}

fn find<'a>(root: &'a Command, arguments: &[OsString]) -> Option<Found<'a>> {
    let mut found = Found { at: 0, command: root, words: Vec::new() };
    let mut index = 1;
    while let Some(argument) = arguments.get(index) {
        let text = argument.to_string_lossy();
        if text == "--" {
            break;
        } else if text.len() > 1 && text.starts_with('-') {
            index += usize::from(takes_next(found.command, &text));
        } else if let Some(command) = found.command.find_subcommand(&*text) {
            found.words.push(command.get_name());
            (found.at, found.command) = (index, command);
        } else {
            if found.words.is_empty() {
                found.at = index;
            }
            break;
        }
        index += 1;
    }
    (found.at > 0).then_some(found)
}

/// Returns true if the value of a flag is the argument behind it.
fn takes_next(command: &Command, flag: &str) -> bool {
    let is_named = |argument: &&Arg| match flag.strip_prefix("--") {
        Some(long) => argument.get_long() == Some(long),
        None => argument.get_short().is_some_and(|short| flag.strip_prefix('-') == Some(&*short.to_string())),
    };
    command
        .get_arguments()
        .find(is_named)
        .is_some_and(|argument| argument.get_action().takes_values() && !argument.is_require_equals_set())
}
