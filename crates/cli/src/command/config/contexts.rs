//! The commands of `klient config` for contexts.

use std::io::Write;

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_client::{Kubeconfig, LoadingRules};

use super::{default_file, exactly, find, find_or_add, remove};
use crate::configuration::{load, modify};
use crate::error::CliError;
use crate::print::TabWriter;
use crate::session::Session;

/// Arguments of `config get-contexts`.
#[derive(Args, Debug)]
pub(super) struct GetContextsArgs {
    /// Do not print headers
    #[arg(long)]
    no_headers: bool,
    /// Output format: name
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    output: String,
    /// Names of the contexts; the default is all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Arguments of `config set-context`. Flags of the connection have another meaning here: they are set in the context.
#[derive(Args, Debug)]
pub(super) struct SetContextArgs {
    /// Change the current context
    #[arg(long)]
    current: bool,
    /// Cluster of the context
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// User of the context
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Namespace of the context
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// Name of the context
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub(super) fn get(
    args: &GetContextsArgs,
    rules: &LoadingRules,
    session: &mut Session,
) -> Result<(), CliError> {
    let only_names = args.output == "name";
    if !only_names && !args.output.is_empty() {
        return Err(CliError::Message(format!(
            "--output {} is not available in {} config get-contexts; resetting to default output format",
            args.output, session.program
        )));
    }
    let kubeconfig = load(rules)?;
    let is_asked = |name: &str| args.names.is_empty() || args.names.iter().any(|asked| asked == name);
    let mut contexts: Vec<_> = kubeconfig.contexts.iter().filter(|context| is_asked(&context.name)).collect();
    contexts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = Vec::new();
    let mut tabs = TabWriter::new(&mut text);
    let write = || {
        if !args.no_headers && !only_names {
            writeln!(tabs, "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE")?;
        }
        for context in contexts {
            let (name, value) = (&context.name, &context.value);
            if only_names {
                writeln!(tabs, "{name}")?;
                continue;
            }
            let current = if *name == kubeconfig.current_context { "*" } else { " " };
            let namespace = value.namespace.as_deref().unwrap_or_default();
            writeln!(tabs, "{current}\t{name}\t{}\t{}\t{namespace}", value.cluster, value.user)?;
        }
        tabs.flush()
    };
    write().map_err(CliError::from_output)?;
    session.console.print(&String::from_utf8_lossy(&text))?;
    let is_missing = |name: &&String| kubeconfig.contexts.iter().all(|context| context.name != **name);
    let missing = args.names.iter().filter(is_missing);
    CliError::aggregate(missing.map(|name| CliError::Message(format!("context {name} not found"))).collect())
}

pub(super) fn current(rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let kubeconfig = load(rules)?;
    if kubeconfig.current_context.is_empty() {
        return Err(CliError::message("current-context is not set"));
    }
    session.console.println(&kubeconfig.current_context)
}

pub(super) fn switch([name]: [&str; 1], rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    modify(rules, |kubeconfig| {
        if name.is_empty() {
            return Err(CliError::message("empty context names are not allowed"));
        }
        if find(&mut kubeconfig.contexts, name).is_none() {
            return Err(CliError::Message(format!("no context exists with the name: {}", quoted(name))));
        }
        kubeconfig.current_context = name.to_owned();
        Ok(())
    })?;
    session.console.println(format_args!("Switched to context {}.", quoted(name)))
}

pub(super) fn set(
    args: &SetContextArgs,
    rules: &LoadingRules,
    session: &mut Session,
) -> Result<(), CliError> {
    let name = match &args.names[..] {
        [] => "",
        names => exactly::<1>(names)?[0],
    };
    match (name.is_empty(), args.current) {
        (true, false) => {
            return Err(CliError::message("you must specify a non-empty context name or --current"));
        }
        (false, true) => {
            return Err(CliError::message("you cannot specify both a context name and --current"));
        }
        _ => {}
    }
    let (name, exists) = modify(rules, |kubeconfig| {
        let name = match name {
            "" if kubeconfig.current_context.is_empty() => {
                return Err(CliError::message("no current context is set"));
            }
            "" => kubeconfig.current_context.clone(),
            name => name.to_owned(),
        };
        let exists = find(&mut kubeconfig.contexts, &name).is_some();
        let context = &mut find_or_add(&mut kubeconfig.contexts, &name).value;
        if let Some(cluster) = &args.cluster {
            context.cluster = cluster.clone();
        }
        if let Some(user) = &args.user {
            context.user = user.clone();
        }
        if args.namespace.is_some() {
            context.namespace = args.namespace.clone();
        }
        Ok((name, exists))
    })?;
    let operation = if exists { "modified" } else { "created" };
    session.console.println(format_args!("Context {} {operation}.", quoted(name)))
}

pub(super) fn delete([name]: [&str; 1], rules: &LoadingRules, session: &mut Session) -> Result<(), CliError> {
    let file = default_file(rules)?;
    modify(rules, |kubeconfig: &mut Kubeconfig| {
        remove(&mut kubeconfig.contexts, "context", name, &file)?;
        if kubeconfig.current_context == name {
            let program = &session.program;
            session.console.eprintln(format_args!(
                "warning: this removed your active context, use \"{program} config use-context\" to select a different one"
            ));
        }
        Ok(())
    })?;
    session.console.println(format_args!("deleted context {name} from {file}"))
}

pub(super) fn rename(
    [name, new]: [&str; 2],
    rules: &LoadingRules,
    session: &mut Session,
) -> Result<(), CliError> {
    if new.is_empty() {
        return Err(CliError::message("You must specify a new non-empty context name"));
    }
    let file = default_file(rules)?;
    let refuse = |problem: String| {
        Err(CliError::Message(format!("cannot rename the context {}, {problem}", quoted(name))))
    };
    modify(rules, |kubeconfig| {
        let exists = find(&mut kubeconfig.contexts, new).is_some();
        let Some(context) = find(&mut kubeconfig.contexts, name) else {
            return refuse(format!("it's not in {file}"));
        };
        if exists {
            return refuse(format!("the context {} already exists in {file}", quoted(new)));
        }
        context.name = new.to_owned();
        if kubeconfig.current_context == name {
            kubeconfig.current_context = new.to_owned();
        }
        Ok(())
    })?;
    session.console.println(format_args!("Context {} renamed to {}.", quoted(name), quoted(new)))
}
