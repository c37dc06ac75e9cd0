//! [`PluginPolicy`], the plugins that may be run.

use std::path::{Path, PathBuf};

use klient_apimachinery::go::quoted;

use super::lookup::find;
use crate::clean_path::clean_path;
use crate::error::{Error, Problem};

/// The credential plugins that a program may run (client-go's `PluginPolicy`, which kubectl reads from kuberc). A
/// kubeconfig from elsewhere names commands that run with the user's rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginPolicy {
    /// All.
    #[default]
    AllowAll,
    /// None.
    DenyAll,
    /// Those in a list of commands: paths, or names that are looked up in `PATH`.
    Allowlist(Vec<String>),
}

impl PluginPolicy {
    /// Checks that the policy can be used (client-go's `ValidatePluginPolicy`).
    ///
    /// # Errors
    ///
    /// If a list is empty, or has an empty command or one that is no clean path.
    pub fn validate(&self) -> Result<(), Error> {
        check(self).map_err(|problem| Error::config("credential plugin policy", problem))
    }
}

/// Checks that a policy is usable.
pub(super) fn check(policy: &PluginPolicy) -> Result<(), Problem> {
    let PluginPolicy::Allowlist(list) = policy else { return Ok(()) };
    if list.is_empty() {
        let problem = "credential plugin policy set to \"Allowlist\", but allowlist is empty; use \"DenyAll\" policy instead";
        return Err(Problem(problem.to_owned()));
    }
    for (index, entry) in list.iter().enumerate() {
        if entry.is_empty() {
            let problem =
                format!("misconfigured credential plugin allowlist: empty allowlist entry #{}", index + 1);
            return Err(Problem(problem));
        }
        let cleaned = clean_path(Path::new(entry));
        if cleaned != Path::new(entry) || cleaned.as_os_str() != entry.as_str() {
            let cleaned = quoted(cleaned.display().to_string());
            return Err(Problem(format!("non-normalized file path: {} vs {cleaned}", quoted(entry))));
        }
    }
    Ok(())
}

/// The path to run for a command.
///
/// # Errors
///
/// If the policy does not allow the command.
pub(super) fn allowed(policy: &PluginPolicy, command: &str) -> Result<PathBuf, Problem> {
    let clean_command = clean_path(Path::new(command));
    match policy {
        PluginPolicy::AllowAll => Ok(PathBuf::from(command)),
        PluginPolicy::DenyAll => {
            Err(Problem("not allowed: the credential plugin policy is set to DenyAll".to_owned()))
        }
        PluginPolicy::Allowlist(list) => {
            let found = find(command);
            // The path that was checked is the one that runs.
            let path = found.clone().unwrap_or_else(|| PathBuf::from(command));
            let is_listed = |path: &Path| list.iter().any(|entry| Path::new(entry) == path);
            let is_same = |entry: &String| {
                Path::new(entry).file_name() == path.file_name() && found.is_some() && find(entry) == found
            };
            if is_listed(&clean_command) || is_listed(&path) || list.iter().any(is_same) {
                return Ok(path);
            }
            Err(Problem(
                "not permitted by the credential plugin allowlist: add it there to use it".to_owned(),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn problem(list: &[&str]) -> String {
        let list = list.iter().map(|entry| (*entry).to_owned()).collect();
        check(&PluginPolicy::Allowlist(list)).map_or_else(|problem| problem.0, |()| String::new())
    }

    #[test]
    fn a_list_must_name_commands() {
        assert_eq!(problem(&["aws", "/usr/bin/gke-gcloud-auth-plugin"]), "");
        assert!(problem(&[]).ends_with("use \"DenyAll\" policy instead"));
        assert!(problem(&["aws", ""]).ends_with("empty allowlist entry #2"));
        assert_eq!(problem(&["/bin//sh"]), r#"non-normalized file path: "/bin//sh" vs "/bin/sh""#);
    }
}
