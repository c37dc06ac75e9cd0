//! [`ExecPlugin`], a program that gives credentials: client-go's exec credential plugins.
//!
//! - A credential is used until it expires, and replaced ahead of that while requests still use it.
//! - Requests at the same time wait for one process, in all clients of the program whose plugin is the same. The
//!   process is killed when nobody waits for it any more, and when its time is up.
//! - A plugin that failed is started again after a delay of one second, which doubles up to a minute; until then
//!   requests fail with its error. So is one whose credential the server refused.
//! - The output of a plugin is in no error and no log; its standard error is that of the program.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

mod authenticator;
mod config;
mod credential;
mod error;
mod lookup;
mod policy;
mod process;
mod run;
mod shared;
mod validation;

use std::fmt;
use std::sync::Arc;

use authenticator::Authenticator;
pub use config::{ExecCluster, ExecConfig, ExecEnvVar, InteractiveMode};
pub(super) use credential::Credential;
use error::ExecError;
pub(crate) use lookup::has_separator;
pub use policy::PluginPolicy;

use super::{Authorization, Identity};
use crate::error::{Error, ErrorKind, Problem};
use crate::metrics;

/// A credential plugin: see [`Credentials::exec`](crate::Credentials::exec). Clones share its credential.
#[derive(Clone)]
pub struct ExecPlugin(Arc<Authenticator>);

impl ExecPlugin {
    /// The plugin of a configuration; equal configurations have the same one.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid.
    pub(crate) fn new(config: ExecConfig) -> Result<Self, Problem> {
        validation::check(&config)?;
        Ok(ExecPlugin(shared::authenticator(config)))
    }

    /// Its configuration.
    pub fn config(&self) -> &ExecConfig {
        self.0.config()
    }

    /// The client certificate that it gave last.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.0.last()?.identity.clone()
    }

    /// The header for a request.
    pub(super) async fn authorization(
        &self,
        request: &(dyn fmt::Display + Sync),
    ) -> Result<Authorization, Error> {
        let given = self.0.credential(None).await;
        metrics::exec_plugin_ttl(shared::first_expiry);
        given.map(Authorization::exec).map_err(|error| no_credentials(request, error))
    }

    /// Another header or certificate than those that the server refused, if the plugin has them.
    pub(super) async fn refresh(
        &self,
        refused: &Authorization,
        request: &(dyn fmt::Display + Sync),
    ) -> Result<Option<Authorization>, Error> {
        let Some(refused) = &refused.exec else { return Ok(None) };
        tracing::debug!(plugin = %self.0.config().command, "the server refused the credentials");
        let fresh = self.0.credential(Some(refused)).await;
        let fresh = fresh.map_err(|error| no_credentials(request, error))?;
        Ok((!fresh.is_same(refused)).then(|| Authorization::exec(fresh)))
    }
}

fn no_credentials(request: &(dyn fmt::Display + Sync), error: ExecError) -> Error {
    Error::new(ErrorKind::Auth, request.to_string(), error)
}

/// Shows the command, and neither arguments nor variables, which may be secret.
impl fmt::Debug for ExecPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecPlugin({})", self.0.config().command)
    }
}
