//! [`Session`], the environment of a command: streams, connection flags and signals.

use klient_client::{Config, Error, Overrides};
use klient_config_flags::ConfigFlags;

use crate::cluster::{Cluster, of_program};
use crate::configuration;
use crate::console::Console;
use crate::error::CliError;
use crate::exec_options::ExecOptions;
use crate::interrupt::Interrupt;

/// The environment of a command (kubectl's `Factory` and `IOStreams`).
pub(crate) struct Session {
    /// The name of the program, for messages.
    pub(crate) program: String,
    /// Standard output and standard error.
    pub(crate) console: Console,
    /// The flags that select the cluster.
    pub(crate) connection: ConfigFlags,
    /// The rules for credential plugins.
    pub(crate) exec: ExecOptions,
    /// The signals that end the program.
    pub(crate) interrupt: Interrupt,
}

/// The name and the configuration of a context.
pub(crate) type OtherContext = (String, Result<Config, Error>);

impl Session {
    /// Returns a client of the cluster. No request is sent yet.
    pub(crate) fn cluster(&self) -> Result<Cluster, CliError> {
        self.cluster_with(|_| {})
    }

    /// Returns a client whose streams go over SPDY only if a variable of the environment is `false`, as kubectl's
    /// `KUBECTL_REMOTE_COMMAND_WEBSOCKETS`.
    pub(crate) fn streaming_cluster(&self, variable: &str) -> Result<Cluster, CliError> {
        let is_off = |value: std::ffi::OsString| value.eq_ignore_ascii_case("false");
        self.cluster_with(|config| config.spdy_only = std::env::var_os(variable).is_some_and(is_off))
    }

    fn cluster_with(&self, change: impl FnOnce(&mut Config)) -> Result<Cluster, CliError> {
        let mut config = configuration::config(&self.connection)?;
        change(&mut config);
        Cluster::new(config, &self.connection, &self.exec)
    }

    /// Returns the name of the context in use, and the configurations of the others with the other flags. There are none if
    /// flags select a server or a user by themselves.
    ///
    /// # Errors
    ///
    /// If the kubeconfig cannot be read.
    pub(crate) fn contexts(&self) -> Result<(Option<String>, Vec<OtherContext>), CliError> {
        let kubeconfig = configuration::load(&self.connection.loading_rules())?;
        let flags = self.connection.overrides();
        let given = |flag: &Option<String>| flag.clone().filter(|value| !value.is_empty());
        let current = given(&flags.context).or(Some(kubeconfig.current_context.clone()));
        let current = current.filter(|name| kubeconfig.context(name).is_some());
        let selecting = [&flags.cluster, &flags.user, &flags.server, &flags.token, &flags.username];
        let has_certificate = flags.client_certificate.is_some();
        if current.is_none() || has_certificate || selecting.into_iter().any(|flag| given(flag).is_some()) {
            return Ok((current, Vec::new()));
        }
        let others = kubeconfig.contexts.iter().map(|context| &context.name);
        let others = others.filter(|name| current.as_ref() != Some(*name));
        let others = others.map(|name| {
            let overrides = Overrides { context: Some(name.clone()), namespace: None, ..flags.clone() };
            let config = kubeconfig.config(&overrides).map(configuration::with_warnings);
            (name.clone(), config.and_then(|config| of_program(config, &self.exec)))
        });
        let others = others.collect();
        Ok((current, others))
    }

    /// Returns a client for discovery alone, which needs no namespace.
    pub(crate) fn discovery_cluster(&self) -> Result<Cluster, CliError> {
        self.discovery_cluster_with(|_| {})
    }

    /// The same, with a change of its configuration.
    pub(crate) fn discovery_cluster_with(
        &self,
        change: impl FnOnce(&mut Config),
    ) -> Result<Cluster, CliError> {
        let mut config = configuration::rest_config(&self.connection)?;
        change(&mut config);
        Cluster::new(config, &self.connection, &self.exec)
    }
}
