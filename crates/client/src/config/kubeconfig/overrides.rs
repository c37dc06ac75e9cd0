//! [`Overrides`], values that replace those of a kubeconfig.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{AuthInfo, Cluster, Named};
use crate::config::Config;
use crate::config::masked_url::without_user;
use crate::impersonation::Impersonation;

/// Overrides of a kubeconfig's entries, such as flags of a command line (client-go's `ConfigOverrides`). An empty value
/// overrides nothing.
///
/// Some fields belong together, and an override of one resets the others of its group:
///
/// - `certificate_authority` and `insecure_skip_tls_verify` reset each other, and the authority's data;
/// - `server` and `tls_server_name` reset the server name;
/// - `client_certificate` and `client_key` reset each its data.
#[doc(alias = "ConfigOverrides")]
#[doc(alias = "KubeConfigOptions")]
#[derive(Clone, Default)]
pub struct Overrides {
    /// The context to use.
    pub context: Option<String>,
    /// The cluster to use.
    pub cluster: Option<String>,
    /// The user to be.
    pub user: Option<String>,
    /// The namespace where none is named.
    pub namespace: Option<String>,
    /// The server's URL.
    pub server: Option<String>,
    /// A bearer token; not shown in `Debug`.
    pub token: Option<String>,
    /// A user name for basic authentication.
    pub username: Option<String>,
    /// The password of that user; not shown in `Debug`.
    pub password: Option<String>,
    /// True to accept any certificate of the server.
    pub insecure_skip_tls_verify: bool,
    /// A file with the certificates of authorities that are trusted.
    pub certificate_authority: Option<PathBuf>,
    /// The name the server's certificate must be for.
    pub tls_server_name: Option<String>,
    /// The URL of a proxy for all requests.
    pub proxy_url: Option<String>,
    /// True to ask for uncompressed responses, false to ask for gzip: see
    /// [`Config::disable_compression`](crate::Config::disable_compression).
    pub disable_compression: Option<bool>,
    /// A file with the client's certificate.
    pub client_certificate: Option<PathBuf>,
    /// A file with the key of that certificate.
    pub client_key: Option<PathBuf>,
    /// The user to act as; empty fields are as in the kubeconfig.
    pub impersonate: Impersonation,
    /// The time-out of a request as a whole: see [`Timeouts::whole`](crate::Timeouts::whole).
    pub request_timeout: Option<Duration>,
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |secret: &Option<String>| secret.as_ref().map(|_| "***");
        f.debug_struct("Overrides")
            .field("context", &self.context)
            .field("cluster", &self.cluster)
            .field("user", &self.user)
            .field("namespace", &self.namespace)
            .field("server", &self.server.as_deref().map(without_user))
            .field("token", &masked(&self.token))
            .field("username", &self.username)
            .field("password", &masked(&self.password))
            .field("insecure_skip_tls_verify", &self.insecure_skip_tls_verify)
            .field("certificate_authority", &self.certificate_authority)
            .field("tls_server_name", &self.tls_server_name)
            .field("proxy_url", &self.proxy_url.as_deref().map(without_user))
            .field("disable_compression", &self.disable_compression)
            .field("client_certificate", &self.client_certificate)
            .field("client_key", &self.client_key)
            .field("impersonate", &self.impersonate)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}

/// A value that is not empty.
pub(super) fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

/// A path that is not empty, from the working folder.
pub(super) fn given_path(path: &Option<PathBuf>) -> Option<PathBuf> {
    let path = path.as_ref().filter(|path| !path.as_os_str().is_empty())?;
    Some(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
}

impl Overrides {
    /// Overrides fields of a cluster, whose paths are absolute.
    pub(super) fn apply_to_cluster(&self, Named { value: cluster, .. }: &mut Named<Cluster>) {
        let authority = given_path(&self.certificate_authority);
        if self.insecure_skip_tls_verify || authority.is_some() {
            cluster.insecure_skip_tls_verify = self.insecure_skip_tls_verify;
            cluster.certificate_authority = authority;
            cluster.certificate_authority_data = None;
        }
        let server_name = given(&self.tls_server_name);
        if let Some(server) = given(&self.server) {
            cluster.server = server.to_owned();
        }
        if server_name.is_some() || given(&self.server).is_some() {
            cluster.tls_server_name = server_name.map(str::to_owned);
        }
        if let Some(proxy) = given(&self.proxy_url) {
            cluster.proxy_url = Some(proxy.to_owned());
        }
    }

    /// Overrides fields of a user, whose paths are absolute.
    pub(super) fn apply_to_user(&self, Named { value: user, .. }: &mut Named<AuthInfo>) {
        if let Some(file) = given_path(&self.client_certificate) {
            user.client_certificate = Some(file);
            user.client_certificate_data = None;
        }
        if let Some(file) = given_path(&self.client_key) {
            user.client_key = Some(file);
            user.client_key_data = None;
        }
        if let Some(token) = given(&self.token) {
            user.token = Some(token.to_owned());
            user.token_file = None;
        }
        for (own, given) in
            [(&mut user.username, given(&self.username)), (&mut user.password, given(&self.password))]
        {
            if let Some(given) = given {
                *own = Some(given.to_owned());
            }
        }
        let impersonate = &self.impersonate;
        for (own, given) in
            [(&mut user.impersonate, &impersonate.user), (&mut user.impersonate_uid, &impersonate.uid)]
        {
            if !given.is_empty() {
                *own = Some(given.clone());
            }
        }
        if !impersonate.groups.is_empty() {
            user.impersonate_groups = Some(impersonate.groups.clone());
        }
        if !impersonate.extra.is_empty() {
            user.impersonate_user_extra.get_or_insert_default().extend(impersonate.extra.clone());
        }
    }

    /// Overrides the fields of a configuration that is from no kubeconfig, such as that of a pod.
    pub(super) fn apply_to_config(&self, config: &mut Config) {
        if let Some(namespace) = given(&self.namespace) {
            config.namespace = namespace.to_owned();
        }
        if let Some(disable_compression) = self.disable_compression {
            config.disable_compression = disable_compression;
        }
        if self.request_timeout.is_some() {
            config.timeouts.whole = self.request_timeout;
        }
    }

    /// Returns true if it has credentials.
    pub(super) fn has_credentials(&self) -> bool {
        given(&self.token).is_some()
            || given(&self.username).is_some()
            || given_path(&self.client_certificate).is_some()
    }
}
