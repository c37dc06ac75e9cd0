//! [`Session`], the environment of a command: streams, connection flags and signals.

use klient_client::Config;
use klient_config_flags::ConfigFlags;

use crate::cluster::Cluster;
use crate::configuration;
use crate::console::Console;
use crate::error::CliError;
use crate::exec_options::ExecOptions;
use crate::interrupt::Interrupt;
use crate::klog::LogArgs;

/// The environment of a command (kubectl's `Factory` and `IOStreams`).
pub(crate) struct Session {
    /// The name of the program, for messages.
    pub(crate) program: String,
    /// Standard output and standard error.
    pub(crate) console: Console,
    /// The flags that select the cluster.
    pub(crate) connection: ConfigFlags,
    /// The verbosity of the log.
    pub(crate) log: LogArgs,
    /// The rules for credential plugins.
    pub(crate) exec: ExecOptions,
    /// The signals that end the program.
    pub(crate) interrupt: Interrupt,
}

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
        Cluster::new(config, &self.connection, self.log, &self.exec)
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
        Cluster::new(config, &self.connection, self.log, &self.exec)
    }
}
