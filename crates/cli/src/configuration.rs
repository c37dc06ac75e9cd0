//! The client's configuration: the kubeconfig, and the flags that override it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use klient_apimachinery::go::quoted;
use klient_client::{
    Config, Error, Impersonation, Kubeconfig, Overrides, WarningHandler, WarningWriterOptions,
};

use crate::connection::ConnectionArgs;
use crate::error::{CliError, io_error_string};

/// Reads the kubeconfig and applies the flags. An empty value of a flag is ignored.
///
/// # Errors
///
/// If a file cannot be read, or a flag names a cluster, context or user that the kubeconfig does not have.
pub(crate) fn config(args: &ConnectionArgs) -> Result<Config, CliError> {
    let overrides = overrides(args);
    let kubeconfig = match path(&args.kubeconfig) {
        Some(path) => Kubeconfig::read(&path).map_err(|error| unreadable(&path, &error))?,
        None => {
            let paths = Kubeconfig::default_paths();
            let in_pod = !paths.iter().any(|path| path.exists()) && overrides.server.is_none();
            match in_pod.then(Config::in_cluster) {
                Some(Ok(mut config)) => {
                    let impersonate = overrides.impersonate;
                    config.impersonate = (!impersonate.user.is_empty()).then_some(impersonate);
                    return Ok(with_flags(config, args));
                }
                _ => Kubeconfig::load(&paths).map_err(|error| {
                    let file = error.subject().strip_prefix("kubeconfig ").unwrap_or_default().to_owned();
                    unloadable(Path::new(&file), &error)
                })?,
            }
        }
    };
    check(&kubeconfig, &overrides)?;
    Ok(with_flags(kubeconfig.config(&overrides)?, args))
}

fn overrides(args: &ConnectionArgs) -> Overrides {
    Overrides {
        impersonate: impersonation(args),
        context: text(&args.context),
        cluster: text(&args.cluster),
        user: text(&args.user),
        namespace: text(&args.namespace),
        server: text(&args.server),
        token: args.token.as_ref().map(|token| token.0.clone()).filter(|token| !token.is_empty()),
        insecure_skip_tls_verify: args.insecure_skip_tls_verify,
        certificate_authority: path(&args.certificate_authority),
        tls_server_name: text(&args.tls_server_name),
        client_certificate: path(&args.client_certificate),
        client_key: path(&args.client_key),
    }
}

fn text(flag: &Option<String>) -> Option<String> {
    flag.clone().filter(|text| !text.is_empty())
}

fn path(flag: &Option<PathBuf>) -> Option<PathBuf> {
    flag.clone().filter(|path| path.as_os_str() != OsStr::new(""))
}

/// Checks that the entries named by flags are in the kubeconfig, and that `--as` is set if other impersonation flags
/// are.
fn check(kubeconfig: &Kubeconfig, overrides: &Overrides) -> Result<(), CliError> {
    let context_name = overrides.context.as_deref().unwrap_or(&kubeconfig.current_context);
    let context = kubeconfig.contexts.iter().find(|context| context.name == context_name);
    let missing = |name: &&str| kubeconfig.clusters.iter().all(|cluster| cluster.name != **name);
    let no_cluster = overrides.cluster.as_deref().filter(missing);
    let no_cluster = no_cluster.map(|name| format!("no server found for cluster {}", quoted(name)));
    if !context_name.is_empty() && context.is_none() {
        let no_context = format!("context was not found for specified context: {context_name}");
        return Err(CliError::Verbatim(match no_cluster {
            None => format!("Error in configuration: {no_context}"),
            Some(no_cluster) => format!("Error in configuration: \n* {no_context}\n* {no_cluster}"),
        }));
    }
    no_cluster.map_or(Ok(()), |problem| Err(CliError::Message(problem)))?;
    let user_name = overrides.user.as_deref().or(context.map(|context| context.value.user.as_str()));
    let user = kubeconfig.users.iter().find(|user| Some(user.name.as_str()) == user_name);
    if let (Some(name), None) = (&overrides.user, user) {
        return Err(CliError::Message(format!("auth info {} does not exist", quoted(name))));
    }
    let acts_as_user = !overrides.impersonate.user.is_empty()
        || user.is_some_and(|user| user.value.impersonate.as_deref().is_some_and(|name| !name.is_empty()));
    if !acts_as_user && overrides.impersonate != Impersonation::default() {
        return Err(CliError::Message(format!(
            "requesting uid, groups or user-extra for {} without impersonating a user",
            user_name.unwrap_or_default()
        )));
    }
    Ok(())
}

/// The error of a kubeconfig named by a flag that cannot be read.
fn unreadable(path: &Path, error: &Error) -> CliError {
    match io_error(error) {
        Some(error) if error.kind() == io::ErrorKind::NotFound => {
            CliError::Message(format!("stat {}: {}", path.display(), io_error_string(error)))
        }
        _ => unloadable(path, error),
    }
}

fn unloadable(path: &Path, error: &Error) -> CliError {
    let problem = match (io_error(error), error.cause()) {
        (Some(error), _) => format!("read {}: {}", path.display(), io_error_string(error)),
        (None, Some(problem)) => problem.to_string(),
        (None, None) => error.to_string(),
    };
    CliError::Message(format!("error loading config file {}: {problem}", quoted(path.to_string_lossy())))
}

fn io_error(error: &Error) -> Option<&io::Error> {
    error.cause()?.downcast_ref()
}

/// Returns the impersonated user. As in kubectl, an extra without a value is ignored.
fn impersonation(args: &ConnectionArgs) -> Impersonation {
    let mut extra = BTreeMap::<String, Vec<String>>::new();
    for (key, value) in args.impersonate_user_extra.iter().filter_map(|extra| extra.split_once('=')) {
        extra.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Impersonation {
        user: args.impersonate.clone(),
        uid: args.impersonate_uid.clone(),
        groups: args.impersonate_groups.clone(),
        extra,
    }
}

fn with_flags(mut config: Config, args: &ConnectionArgs) -> Config {
    if let Some(namespace) = args.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
        config.namespace = namespace.clone();
    }
    config.timeouts.whole = args.request_timeout.0.to_std().filter(|time| *time > Duration::ZERO);
    let options = WarningWriterOptions { deduplicate: true, color: allows_color_output() };
    config.warnings = WarningHandler::writer(io::stderr(), options);
    config
}

/// Returns true if standard error shows colors (kubectl's `AllowsColorOutput`).
fn allows_color_output() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb && std::env::var_os("NO_COLOR").is_none()
}
