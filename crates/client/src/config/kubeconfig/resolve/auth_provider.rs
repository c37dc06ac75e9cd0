//! [`AuthProvider`], the `auth-provider` of a kubeconfig's user.

use std::collections::BTreeMap;

use klient_apimachinery::go::quoted;
use serde::Deserialize;

use crate::error::Problem;
use crate::null::null_is_empty;

/// A built-in way to get credentials. `oidc` is the only one, as in client-go since 1.26.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthProvider {
    /// Its name.
    pub(super) name: String,
    /// Its settings, of which some are secret.
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) config: BTreeMap<String, String>,
}

impl AuthProvider {
    /// Checks that there is such a provider.
    ///
    /// # Errors
    ///
    /// If there is none; the error names the plugin that takes its place.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let (plugin, url) = match self.name.as_str() {
            "oidc" => return Ok(()),
            "azure" => ("kubelogin", "https://github.com/Azure/kubelogin"),
            "gcp" => (
                "gke-gcloud-auth-plugin",
                "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin",
            ),
            "openstack" => ("client-keystone-auth", "https://github.com/kubernetes/cloud-provider-openstack"),
            name => return Err(Problem(format!("no Auth Provider found for name {}", quoted(name)))),
        };
        Err(Problem(format!(
            "The {} auth plugin has been removed: use the credential plugin {plugin} instead, see {url}",
            self.name
        )))
    }
}
