//! `klient config`: commands that print and change kubeconfig files.

mod clusters;
mod contexts;
mod credentials;
mod exec_flags;
mod help;
mod property;
mod users;
mod view;

use clap::{Args, Subcommand};
use klient_client::{LoadingRules, Named};

use crate::args;
use crate::configuration;
use crate::error::CliError;
use crate::session::Session;

/// The files that are read and written, in the help of the command.
pub(crate) const FILES: &str = "\
The kubeconfig is read from:
  1. the file of --kubeconfig, alone, if the flag is set;
  2. else the files in $KUBECONFIG, a list of paths, which are merged;
  3. else ~/.kube/config.
A change is written to the file that has the entry. A new entry is written to the first file of the list that exists, \
or else to the last.

Examples:
  # List the contexts, and make another one current
  klient config get-contexts
  klient config use-context kind

  # Print what the current context needs
  klient config view --minify";

/// Arguments of `config`.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the merged kubeconfig, or a specified file
    #[command(after_help = help::VIEW)]
    View(view::ViewArgs),
    /// Print one or many contexts
    #[command(override_usage = help::GET_CONTEXTS_USAGE, after_help = help::GET_CONTEXTS)]
    GetContexts(contexts::GetContextsArgs),
    /// Print the names of the clusters
    #[command(after_help = help::GET_CLUSTERS)]
    GetClusters(Unused),
    /// Print the names of the users
    #[command(after_help = help::GET_USERS)]
    GetUsers(Unused),
    /// Print the current context
    #[command(after_help = help::CURRENT_CONTEXT)]
    CurrentContext(Unused),
    /// Set the current context
    #[command(alias = "use")]
    #[command(mut_arg("names", |arg| arg.value_name("CONTEXT").help("Name of the context")))]
    #[command(override_usage = help::USE_CONTEXT_USAGE, after_help = help::USE_CONTEXT)]
    UseContext(Names),
    /// Set fields of a context; it is created if it does not exist
    #[command(override_usage = help::SET_CONTEXT_USAGE, after_help = help::SET_CONTEXT)]
    SetContext(contexts::SetContextArgs),
    /// Set fields of a cluster; it is created if it does not exist
    #[command(override_usage = help::SET_CLUSTER_USAGE, after_help = help::SET_CLUSTER)]
    SetCluster(clusters::SetClusterArgs),
    /// Set fields of a user; it is created if it does not exist
    #[command(override_usage = help::SET_CREDENTIALS_USAGE, after_help = help::SET_CREDENTIALS)]
    SetCredentials(credentials::SetCredentialsArgs),
    /// Set a single field, such as `clusters.my-cluster.server`
    #[command(override_usage = help::SET_USAGE, after_help = help::SET)]
    Set(property::SetArgs),
    /// Remove a single field or entry, such as `contexts.my-context.namespace`
    #[command(mut_arg("names", |arg| arg.value_name("PROPERTY").help("Path of the field or entry")))]
    #[command(override_usage = help::UNSET_USAGE, after_help = help::UNSET)]
    Unset(Names),
    /// Delete a context
    #[command(mut_arg("names", |arg| arg.help("Name of the context")))]
    #[command(override_usage = help::DELETE_CONTEXT_USAGE, after_help = help::DELETE_CONTEXT)]
    DeleteContext(Names),
    /// Delete a cluster
    #[command(mut_arg("names", |arg| arg.help("Name of the cluster")))]
    #[command(override_usage = help::DELETE_CLUSTER_USAGE, after_help = help::DELETE_CLUSTER)]
    DeleteCluster(Names),
    /// Delete a user
    #[command(mut_arg("names", |arg| arg.help("Name of the user")))]
    #[command(override_usage = help::DELETE_USER_USAGE, after_help = help::DELETE_USER)]
    DeleteUser(Names),
    /// Rename a context
    #[command(mut_arg("names", |arg| arg.value_name("CONTEXT").help("Present name and new name of the context")))]
    #[command(override_usage = help::RENAME_CONTEXT_USAGE, after_help = help::RENAME_CONTEXT)]
    RenameContext(Names),
}

/// Names of entries.
#[derive(Args, Debug)]
struct Names {
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Arguments that are ignored, as in kubectl.
#[derive(Args, Debug)]
struct Unused {
    #[arg(hide = true)]
    _unused: Vec<String>,
}

impl Names {
    /// Returns the names.
    ///
    /// # Errors
    ///
    /// If their number is another.
    fn get<const N: usize>(&self) -> Result<[&str; N], CliError> {
        exactly(&self.names)
    }

    /// Returns the one name.
    ///
    /// # Errors
    ///
    /// If there is none or another, it is the help of the command, as in kubectl.
    fn one_or_help(&self, command: &str, session: &Session) -> Result<[&str; 1], CliError> {
        self.get().map_err(|_| CliError::Help(args::help(&session.program, &["config", command])))
    }
}

fn exactly<const N: usize>(names: &[String]) -> Result<[&str; N], CliError> {
    let given: Vec<&str> = names.iter().map(String::as_str).collect();
    given
        .try_into()
        .map_err(|given: Vec<&str>| CliError::Message(format!("Unexpected args: [{}]", given.join(" "))))
}

/// Runs a command of `config`.
pub(crate) fn run(args: ConfigArgs, session: &mut Session) -> Result<(), CliError> {
    let rules = session.connection.loading_rules();
    match args.command {
        ConfigCommand::View(args) => view::view(&args, &rules, session),
        ConfigCommand::GetContexts(args) => contexts::get(&args, &rules, session),
        ConfigCommand::GetClusters(_) => clusters::get(&rules, session),
        ConfigCommand::GetUsers(_) => users::get(&rules, session),
        ConfigCommand::CurrentContext(_) => contexts::current(&rules, session),
        ConfigCommand::UseContext(args) => contexts::switch(args.get()?, &rules, session),
        ConfigCommand::SetContext(args) => contexts::set(&args, &rules, session),
        ConfigCommand::SetCluster(args) => clusters::set(&args, &rules, session),
        ConfigCommand::SetCredentials(args) => credentials::set(&args, &rules, session),
        ConfigCommand::Set(args) => property::set(&args, &rules, session),
        ConfigCommand::Unset(args) => property::unset(args.get()?, &rules, session),
        ConfigCommand::DeleteContext(args) => {
            contexts::delete(args.one_or_help("delete-context", session)?, &rules, session)
        }
        ConfigCommand::DeleteCluster(args) => {
            clusters::delete(args.one_or_help("delete-cluster", session)?, &rules, session)
        }
        ConfigCommand::DeleteUser(args) => users::delete(&args.names, &rules, session),
        ConfigCommand::RenameContext(args) => contexts::rename(args.get()?, &rules, session),
    }
}

/// The file that messages name.
fn default_file(rules: &LoadingRules) -> Result<String, CliError> {
    Ok(rules.default_file().map_err(configuration::unusable)?.display().to_string())
}

/// Finds the entry of a name.
fn find<'a, T>(entries: &'a mut [Named<T>], name: &str) -> Option<&'a mut Named<T>> {
    entries.iter_mut().find(|entry| entry.name == name)
}

/// Finds the entry of a name, or adds an empty one.
fn find_or_add<'a, T: Default>(entries: &'a mut Vec<Named<T>>, name: &str) -> &'a mut Named<T> {
    let at = entries.iter().position(|entry| entry.name == name).unwrap_or_else(|| {
        entries.push(Named::new(name, T::default()));
        entries.len() - 1
    });
    &mut entries[at]
}

/// Removes the entry of a name.
///
/// # Errors
///
/// If there is none.
fn remove<T>(entries: &mut Vec<Named<T>>, kind: &str, name: &str, file: &str) -> Result<(), CliError> {
    let count = entries.len();
    entries.retain(|entry| entry.name != name);
    if entries.len() == count {
        return Err(CliError::Message(format!("cannot delete {kind} {name}, not in {file}")));
    }
    Ok(())
}

/// Prints the names of entries in alphabetical order.
fn print_names<'a>(names: impl Iterator<Item = &'a str>, session: &mut Session) -> Result<(), CliError> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let lines: String = names.into_iter().map(|name| format!("{name}\n")).collect();
    session.console.print(&format!("NAME\n{lines}"))
}
