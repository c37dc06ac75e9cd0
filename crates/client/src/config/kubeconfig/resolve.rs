//! The configuration of a context of a kubeconfig.

mod auth_provider;
mod sign_in;

use std::path::PathBuf;

use klient_apimachinery::ByteString;
use klient_apimachinery::go::quoted;

use super::loading_rules::files_in_error;
use super::overrides::{given, given_path};
use super::validation::find;
use super::{AuthInfo, Cluster, Context, Kubeconfig, Named, Overrides};
use crate::auth::Credentials;
use crate::config::{ClientIdentity, Config, Pem, Proxy, in_cluster, server_url};
use crate::error::{Error, Problem};
use crate::impersonation::Impersonation;
use crate::transport::{BoxError, tls};

/// The entries that a context and overrides select. Paths in them are absolute; an entry that is missing is empty.
pub(super) struct Selected {
    pub(super) context: Context,
    pub(super) cluster: Named<Cluster>,
    pub(super) user: Named<AuthInfo>,
}

impl Kubeconfig {
    /// The configuration for a context: the one named in `overrides`, or the current one. Without a cluster it is that of
    /// `$KUBERNETES_MASTER`, else `http://localhost:8080`, as in kubectl.
    ///
    /// # Errors
    ///
    /// If a name has no entry, or its entry is not valid: see [`confirm_usable`](Self::confirm_usable).
    pub fn config(&self, overrides: &Overrides) -> Result<Config, Error> {
        self.find_overridden("auth info", &self.users, &overrides.user)?;
        self.find_overridden("context", &self.contexts, &overrides.context)?;
        self.find_overridden("cluster", &self.clusters, &overrides.cluster)?;
        self.confirm_usable(overrides)?;
        let Selected { context, cluster, user } = self.select(overrides);
        let mut config = self.cluster_config(&cluster)?;
        // Credentials are never sent over plain HTTP.
        if config.url.scheme_str() == Some("https") {
            Self::set_user(&mut config, &user, &cluster)?;
        }
        config.impersonate = impersonation(&user.value);
        if let Some(namespace) = given(&context.namespace) {
            config.namespace = namespace.to_owned();
        }
        overrides.apply_to_config(&mut config);
        Ok(config)
    }

    /// The [`config`](Self::config); or, in a pod where the kubeconfig selects no cluster, that of the service account,
    /// with the overrides that are for it.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used.
    pub fn config_or_in_cluster(&self, overrides: &Overrides) -> Result<Config, Error> {
        self.config_or(overrides, in_cluster::lack().is_none().then_some(Config::in_cluster))
    }

    pub(in super::super) fn config_or(
        &self,
        overrides: &Overrides,
        in_cluster: Option<impl FnOnce() -> Result<Config, Error>>,
    ) -> Result<Config, Error> {
        let config = self.config(overrides)?;
        let Some(in_cluster) = in_cluster.filter(|_| self.selects_nothing(overrides)) else {
            return Ok(config);
        };
        tracing::debug!("using the configuration of the pod");
        let mut config = in_cluster()?;
        if let Some(token) = given(&overrides.token) {
            config.credentials = Credentials::token(token);
        }
        if let Some(authority) = given_path(&overrides.certificate_authority) {
            config.tls.ca = Some(Pem::file(authority));
        }
        let mut user = Named::default();
        overrides.apply_to_user(&mut user);
        config.impersonate = impersonation(&user.value);
        overrides.apply_to_config(&mut config);
        Ok(config)
    }

    /// Returns true if neither the kubeconfig nor the overrides select a cluster.
    pub(in super::super) fn selects_nothing(&self, overrides: &Overrides) -> bool {
        let Selected { cluster, .. } = self.select(overrides);
        let is_selected = !cluster.name.is_empty() && find(&self.clusters, &cluster.name).is_some();
        given(&overrides.server).is_none() && !is_selected
    }

    /// The files it was read from, for messages.
    pub(super) fn what(&self) -> String {
        files_in_error(&self.files)
    }

    pub(super) fn select(&self, overrides: &Overrides) -> Selected {
        let context_name = given(&overrides.context).unwrap_or(&self.current_context);
        let context = find(&self.contexts, context_name).filter(|_| !context_name.is_empty());
        let context = context.map(|context| context.value.clone()).unwrap_or_default();
        let cluster_name = given(&overrides.cluster).unwrap_or(&context.cluster);
        let user_name = given(&overrides.user).unwrap_or(&context.user);
        let missing_cluster = || Named::new(cluster_name, Cluster::default());
        let mut cluster = find(&self.clusters, cluster_name)
            .map_or_else(missing_cluster, Named::<Cluster>::with_absolute_paths);
        let missing_user = || Named::new(user_name, AuthInfo::default());
        let mut user =
            find(&self.users, user_name).map_or_else(missing_user, Named::<AuthInfo>::with_absolute_paths);
        if cluster.value.server.is_empty() {
            let master = std::env::var("KUBERNETES_MASTER").ok().filter(|server| !server.is_empty());
            cluster.value.server = master.unwrap_or_else(|| "http://localhost:8080".to_owned());
        }
        overrides.apply_to_cluster(&mut cluster);
        overrides.apply_to_user(&mut user);
        Selected { context, cluster, user }
    }

    /// Checks that an entry that an override names exists.
    fn find_overridden<T>(
        &self,
        kind: &str,
        entries: &[Named<T>],
        name: &Option<String>,
    ) -> Result<(), Error> {
        match given(name).filter(|name| find(entries, name).is_none()) {
            None => Ok(()),
            Some(name) => {
                let problem = format!("{kind} {} does not exist", quoted(name));
                Err(Error::config(self.what(), Problem(problem)))
            }
        }
    }

    fn cluster_config(&self, cluster: &Named<Cluster>) -> Result<Config, Error> {
        let Named { name, value, .. } = cluster;
        let url = server_url(&value.server);
        let mut config = Config::at(url.map_err(|problem| Error::config(cluster.field("server"), problem))?);
        if let Some(url) = given(&value.proxy_url) {
            let proxy = Proxy::parse(url);
            config.proxy = proxy.map_err(|problem| Error::config(cluster.field("proxy-url"), problem))?;
        }
        let has_authority =
            value.certificate_authority.is_some() || given(&value.certificate_authority_data).is_some();
        if has_authority && value.insecure_skip_tls_verify {
            let problem = format!(
                "specifying a root certificates file with the insecure flag is not allowed: remove one from cluster {}",
                quoted(name)
            );
            return Err(Error::config(self.what(), Problem(problem)));
        }
        let ca = cluster.bytes(
            "certificate-authority",
            &value.certificate_authority,
            &value.certificate_authority_data,
            tls::check_certificates,
        )?;
        config.tls.ca = ca;
        config.tls.insecure = value.insecure_skip_tls_verify;
        config.tls.server_name = given(&value.tls_server_name).map(str::to_owned);
        Ok(config)
    }

    fn set_user(config: &mut Config, user: &Named<AuthInfo>, cluster: &Named<Cluster>) -> Result<(), Error> {
        let value = &user.value;
        let certificate = user.bytes(
            "client-certificate",
            &value.client_certificate,
            &value.client_certificate_data,
            tls::check_certificates,
        )?;
        // A key without a certificate is not used, as in client-go.
        if let Some(certificate) = certificate {
            let key = user.bytes("client-key", &value.client_key, &value.client_key_data, tls::check_key)?;
            config.tls.client = key.map(|key| ClientIdentity { certificate, key });
        }
        let token = given(&value.token).map(str::to_owned);
        let token_file = value.token_file.as_ref().filter(|path| !path.as_os_str().is_empty());
        let basic = given(&value.username).map(str::to_owned);
        // A token beside a file is the content of the file when the kubeconfig was written.
        config.credentials = match (token, token_file, basic) {
            (Some(token), Some(file), _) => Credentials::token_file_or(file.clone(), token),
            (Some(token), None, _) => Credentials::token(token),
            (None, Some(file), _) => Credentials::token_file(file.clone())?,
            (None, None, Some(username)) => {
                Credentials::basic(username, value.password.clone().unwrap_or_default())
            }
            // As in client-go, a plugin is not run where there is another credential.
            (None, None, None) if config.tls.client.is_some() && value.exec.is_some() => Credentials::None,
            (None, None, None) => user.signed_in(cluster, config)?,
        };
        Ok(())
    }
}

/// The user to act as.
fn impersonation(user: &AuthInfo) -> Option<Impersonation> {
    let user_name = given(&user.impersonate)?.to_owned();
    Some(Impersonation {
        user: user_name,
        uid: user.impersonate_uid.clone().unwrap_or_default(),
        groups: user.impersonate_groups.clone().unwrap_or_default(),
        extra: user.impersonate_user_extra.clone().unwrap_or_default(),
    })
}

impl Named<Cluster> {
    /// The cluster with absolute paths.
    pub(super) fn with_absolute_paths(&self) -> Self {
        let mut absolute = self.clone();
        absolute.value.certificate_authority = self.absolute(&self.value.certificate_authority);
        absolute
    }
}

impl Named<AuthInfo> {
    /// The user with absolute paths.
    pub(super) fn with_absolute_paths(&self) -> Self {
        let mut absolute = self.clone();
        let user = &mut absolute.value;
        user.client_certificate = self.absolute(&self.value.client_certificate);
        user.client_key = self.absolute(&self.value.client_key);
        user.token_file = self.absolute(&self.value.token_file);
        absolute
    }
}

impl<T> Named<T> {
    fn absolute(&self, path: &Option<PathBuf>) -> Option<PathBuf> {
        let path = path.as_ref().filter(|path| !path.as_os_str().is_empty())?;
        Some(self.path(path))
    }

    /// PEM given in base64 or, failing that, in a file, which is checked now and read again later.
    fn bytes(
        &self,
        field: &str,
        file: &Option<PathBuf>,
        data: &Option<String>,
        check: fn(&[u8]) -> Result<(), BoxError>,
    ) -> Result<Option<Pem>, Error> {
        let (pem, what) = if let Some(data) = given(data) {
            let what = self.field(&format!("{field}-data"));
            let plain: String = data.split_whitespace().collect();
            let pem = ByteString::from_base64(&plain);
            let refuse = |_| Error::config(&*what, Problem("it is no base64".to_owned()));
            (Pem::from(pem.map_err(refuse)?.0), what)
        } else if let Some(path) = file {
            (Pem::file(path), format!("{field} {}", path.display()))
        } else {
            return Ok(None);
        };
        let bytes = pem.read().map_err(|error| Error::config(&*what, error))?;
        check(&bytes).map_err(|problem| Error::config(what, problem))?;
        Ok(Some(pem))
    }
}
