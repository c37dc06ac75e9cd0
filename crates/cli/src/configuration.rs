//! The client's configuration: the kubeconfig, and the flags that override it.

use std::io::{self, IsTerminal as _};

use klient_apimachinery::go::{os_error, quoted};
use klient_client::{
    Config, ConfigurationInvalid, Error, ErrorKind, Kubeconfig, LoadErrors, LoadingRules, WarningHandler,
    WarningWriterOptions,
};
use klient_config_flags::ConfigFlags;

use crate::error::CliError;

/// Reads the kubeconfig and applies the flags. An empty value of a flag is ignored.
///
/// # Errors
///
/// If a file cannot be read, or a flag names a cluster, context or user that the kubeconfig does not have.
pub(crate) fn config(flags: &ConfigFlags) -> Result<Config, CliError> {
    let kubeconfig = flags.loading_rules().load().map_err(|error| unloadable(&error))?;
    // kubectl asks for the namespace first, which checks the entries.
    kubeconfig.confirm_usable(&flags.overrides()).map_err(unusable)?;
    client_config(&kubeconfig, flags)
}

/// The same, for commands that need no namespace: kubectl has other words there for a context, cluster or user that the
/// kubeconfig does not have.
///
/// # Errors
///
/// As [`config`].
pub(crate) fn rest_config(flags: &ConfigFlags) -> Result<Config, CliError> {
    client_config(&flags.loading_rules().load().map_err(|error| unloadable(&error))?, flags)
}

fn client_config(kubeconfig: &Kubeconfig, flags: &ConfigFlags) -> Result<Config, CliError> {
    kubeconfig.config_or_in_cluster(&flags.overrides()).map(with_warnings).map_err(unusable)
}

/// Reads the kubeconfig for the commands of `config`, to which a missing file is an empty one.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn load(rules: &LoadingRules) -> Result<Kubeconfig, CliError> {
    rules.load_or_default().map_err(|error| unloadable(&error))
}

/// Changes the kubeconfig.
///
/// # Errors
///
/// If a file cannot be read, locked or written, and those of `change`.
pub(crate) fn modify<T>(
    rules: &LoadingRules,
    change: impl FnOnce(&mut Kubeconfig) -> Result<T, CliError>,
) -> Result<T, CliError> {
    // A file that cannot be read is reported before it is locked.
    load(rules)?;
    rules.modify(change).map_err(|failure| match failure {
        CliError::Client { error, .. } if error.kind() == ErrorKind::Config => unusable(*error),
        failure => failure,
    })
}

/// The error of a kubeconfig that cannot be read.
fn unloadable(error: &Error) -> CliError {
    if let Some(errors) = error.cause().and_then(|cause| cause.downcast_ref::<LoadErrors>()) {
        let errors = errors.errors().iter();
        return CliError::Aggregate(errors.map(unloadable).collect());
    }
    let path = error.subject().strip_prefix("kubeconfig ").unwrap_or_default();
    let problem = match (io_error(error), error.cause()) {
        (Some(error), _) if error.kind() == io::ErrorKind::NotFound => {
            return CliError::Message(format!("stat {path}: {}", os_error(error)));
        }
        (Some(error), _) => file_error(path, error),
        (None, Some(problem)) => problem.to_string(),
        (None, None) => error.to_string(),
    };
    CliError::Message(format!("error loading config file {}: {problem}", quoted(path)))
}

/// The error of a kubeconfig that was read and cannot be used, or cannot be written.
pub(crate) fn unusable(error: Error) -> CliError {
    if let Some(invalid) = error.cause().and_then(|cause| cause.downcast_ref::<ConfigurationInvalid>()) {
        return match invalid.problems() {
            [problem] if problem.starts_with("context was not found") => {
                CliError::Verbatim(format!("Error in configuration: {problem}"))
            }
            [problem] => CliError::message(problem),
            problems => {
                let lines: String = problems.iter().map(|problem| format!("* {problem}\n")).collect();
                CliError::Verbatim(format!("Error in configuration: \n{lines}"))
            }
        };
    }
    match (error.subject().strip_prefix("kubeconfig"), io_error(&error), error.cause()) {
        (Some(path), Some(problem), _) => CliError::Message(file_error(path.trim_start(), problem)),
        (Some(_), None, Some(problem)) => CliError::Message(problem.to_string()),
        _ => CliError::from(error),
    }
}

/// Returns Go's message for a file that cannot be opened or read.
fn file_error(path: &str, error: &io::Error) -> String {
    // On Unix, opening a directory succeeds and only reading fails.
    let operation = if error.kind() == io::ErrorKind::IsADirectory { "read" } else { "open" };
    format!("{operation} {path}: {}", os_error(error))
}

fn io_error(error: &Error) -> Option<&io::Error> {
    error.cause()?.downcast_ref()
}

/// Prints warnings of the server as kubectl does, each once.
pub(crate) fn with_warnings(mut config: Config) -> Config {
    let options = WarningWriterOptions { deduplicate: true, color: allows_color_output() };
    config.warnings = WarningHandler::writer(io::stderr(), options);
    config
}

/// Returns true if standard error shows colors (kubectl's `AllowsColorOutput`).
fn allows_color_output() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb && std::env::var_os("NO_COLOR").is_none()
}
