//! Validation of a plugin's configuration, with client-go's rules.

use klient_apimachinery::go::quoted;

use super::policy;
use super::{ExecConfig, InteractiveMode};
use crate::error::Problem;

pub(super) const GROUP: &str = "client.authentication.k8s.io/";

/// Checks a configuration.
///
/// # Errors
///
/// If it cannot be used; the error names the field.
pub(super) fn check(config: &ExecConfig) -> Result<(), Problem> {
    let refuse = |problem: String| Err(Problem(problem));
    if config.command.is_empty() {
        return refuse("command must be specified to use exec authentication plugin".to_owned());
    }
    let command = &config.command;
    match config.api_version.strip_prefix(GROUP) {
        Some("v1" | "v1beta1") => {}
        Some("v1alpha1") => {
            return refuse(format!(
                "exec plugin {command}: {GROUP}v1alpha1 was removed in Kubernetes 1.24: write the kubeconfig anew \
                 with a present version of the tool that wrote it"
            ));
        }
        _ if config.api_version.is_empty() => {
            return refuse("apiVersion must be specified to use exec authentication plugin".to_owned());
        }
        _ => {
            return refuse(format!(
                "exec plugin {command}: invalid apiVersion {}: use {GROUP}v1 or {GROUP}v1beta1",
                quoted(&config.api_version)
            ));
        }
    }
    if config.env.iter().any(|variable| variable.name.is_empty()) {
        return refuse("env variable name must be specified to use exec authentication plugin".to_owned());
    }
    let has_invalid_name = |name: &str| name.contains(['=', '\0']);
    if let Some(variable) = config.env.iter().find(|variable| has_invalid_name(&variable.name)) {
        return refuse(format!("exec plugin {command}: no variable can be named {}", quoted(&variable.name)));
    }
    let texts = config.args.iter().chain(config.env.iter().map(|variable| &variable.value));
    if texts.chain([command]).any(|text| text.contains('\0')) {
        return refuse("exec plugin: a command, an argument or a variable holds a NUL character".to_owned());
    }
    if mode(config).is_none() {
        return refuse(format!(
            "exec plugin {command}: interactiveMode must be specified to use exec authentication plugin: \
             Never, IfAvailable or Always"
        ));
    }
    policy::check(&config.policy)
}

/// The use of standard input; `None` if none is given where it must be.
pub(super) fn mode(config: &ExecConfig) -> Option<InteractiveMode> {
    let is_beta = config.api_version.ends_with("/v1beta1");
    config.interactive_mode.or(is_beta.then_some(InteractiveMode::IfAvailable))
}
