//! [`ExecOptions`], the rules for the credential plugin of the kubeconfig.

use klient_client::{Config, Credentials, Error, ExecConfig, PluginPolicy};

/// The rules for the credential plugin of the kubeconfig.
#[derive(Clone, Debug)]
pub(crate) struct ExecOptions {
    /// The plugins that may be run.
    pub(crate) policy: PluginPolicy,
    /// A manifest is read from standard input, which a plugin cannot have then.
    pub(crate) reads_stdin: bool,
}

impl ExecOptions {
    /// Applies the rules to the plugin of a configuration, if it has one.
    ///
    /// # Errors
    ///
    /// If the configuration of the plugin is invalid.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), Error> {
        if let Credentials::Exec(plugin) = &config.credentials {
            config.credentials = Credentials::exec(ExecConfig {
                policy: self.policy.clone(),
                stdin_unavailable: self
                    .reads_stdin
                    .then(|| "used by stdin resource manifest reader".to_owned()),
                ..plugin.config().clone()
            })?;
        }
        Ok(())
    }
}
