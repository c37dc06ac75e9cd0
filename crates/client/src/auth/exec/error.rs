//! [`ExecError`], the failure of a plugin.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::go::quoted;

use super::ExecConfig;
use crate::error::step_timeout::StepTimeout;

/// The failure of a plugin: it names the command, the user and the remedy, and holds nothing that the plugin printed.
#[derive(Clone, Debug)]
pub(super) struct ExecError {
    text: Arc<str>,
    /// Instructions to install the plugin, if it is missing.
    hint: Option<Arc<str>>,
    timeout: Option<Arc<StepTimeout>>,
}

impl ExecError {
    pub(super) fn new(config: &ExecConfig, problem: impl fmt::Display) -> Self {
        let command = &config.command;
        let text = match config.user.as_str() {
            "" => format!("exec plugin {command}: {problem}"),
            user => format!("exec plugin {command} of user {}: {problem}", quoted(user)),
        };
        ExecError { text: text.into(), hint: None, timeout: None }
    }

    /// A plugin that is missing.
    pub(super) fn not_found(config: &ExecConfig) -> Self {
        let remedy = if super::has_separator(&config.command) {
            "install it there, or correct the command in the kubeconfig"
        } else {
            "install it, or add its folder to PATH"
        };
        let problem = format!("executable {} not found: {remedy}", config.command);
        let mut hint = "It looks like you are trying to use a client-go credential plugin that is not installed.\n\n\
            To learn more about this feature, consult the documentation available at:\n      \
            https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
            .to_owned();
        if !config.install_hint.is_empty() {
            hint.push_str("\n\n");
            hint.push_str(&printable(&config.install_hint));
        }
        ExecError { hint: Some(hint.into()), ..ExecError::new(config, problem) }
    }

    /// A plugin whose time is up.
    pub(super) fn timeout(config: &ExecConfig, timeout: StepTimeout) -> Self {
        let problem = "it was killed: run the command by itself to see if it waits for something, or allow it more \
                       time with ExecConfig::timeout";
        ExecError { timeout: Some(Arc::new(timeout)), ..ExecError::new(config, problem) }
    }

    /// Returns true if it shows instructions to install the plugin.
    pub(super) fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    pub(super) fn without_hint(self) -> Self {
        ExecError { hint: None, ..self }
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n\n{hint}"))
    }
}

impl StdError for ExecError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.timeout.as_ref().map(|timeout| &**timeout as _)
    }
}

/// A text without control characters other than white space, which could change the state of a terminal: ESC becomes
/// `U+001B`.
fn printable(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\t'..='\r') {
            printable.push_str(&format!("U+{:04X}", u32::from(character)));
        } else {
            printable.push(character);
        }
    }
    printable
}
