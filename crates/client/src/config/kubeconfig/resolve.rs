//! From a context of a kubeconfig to a configuration.

mod auth_provider;
mod sign_in;

use std::path::{Path, PathBuf};

use klient_apimachinery::ByteString;

use super::{AuthInfo, Cluster, Context, Kubeconfig, Named, Overrides};
use crate::auth::Credentials;
use crate::config::{ClientIdentity, Config, Pem, Proxy, server_url};
use crate::error::{Error, Problem};
use crate::impersonation::Impersonation;
use crate::transport::{BoxError, tls};

impl Kubeconfig {
    /// The configuration for a context: the one named in `overrides`, or the current one.
    ///
    /// # Errors
    ///
    /// If a name has no entry, or its entry is not valid.
    pub fn config(&self, overrides: &Overrides) -> Result<Config, Error> {
        let context_name = overrides.context.as_deref().unwrap_or(&self.current_context);
        let context = match context_name {
            "" => Context::default(),
            name => self.find(&self.contexts, "context", name, false)?.value.clone(),
        };
        let cluster_name = overrides.cluster.as_deref().unwrap_or(&context.cluster);
        let user_name = overrides.user.as_deref().unwrap_or(&context.user);
        let mut cluster = match cluster_name {
            "" => Named { name: String::new(), value: Cluster::default(), origin: None },
            name => self.find(&self.clusters, "cluster", name, overrides.cluster.is_none())?.clone(),
        };
        let user = match user_name {
            "" => Named { name: String::new(), value: AuthInfo::default(), origin: None },
            name => self.find(&self.users, "user", name, overrides.user.is_none())?.clone(),
        };
        let replaced_ca = overrides.insecure_skip_tls_verify || overrides.certificate_authority.is_some();
        if replaced_ca {
            cluster.value.insecure_skip_tls_verify = overrides.insecure_skip_tls_verify;
            cluster.value.certificate_authority = overrides.certificate_authority.clone();
            cluster.value.certificate_authority_data = None;
            cluster.origin = None;
        }
        if let Some(server) = &overrides.server {
            cluster.value.server = server.clone();
            cluster.value.tls_server_name = None;
        }
        if let Some(name) = &overrides.tls_server_name {
            cluster.value.tls_server_name = Some(name.clone());
        }
        if cluster.value.server.is_empty() {
            // The default of kubectl.
            cluster.value.server = "http://localhost:8080".to_owned();
        }
        let mut config = self.cluster_config(&cluster)?;
        // Credentials are never sent over plain HTTP.
        if config.url.scheme_str() == Some("https") {
            self.set_user(&mut config, &user, &cluster, overrides)?;
        }
        config.impersonate = self.impersonation(&user, &overrides.impersonate)?;
        if let Some(namespace) =
            overrides.namespace.clone().or(context.namespace).filter(|name| !name.is_empty())
        {
            config.namespace = namespace;
        }
        Ok(config)
    }

    /// The files it was read from, for messages.
    fn what(&self) -> String {
        match &self.files[..] {
            [] => "kubeconfig".to_owned(),
            files => {
                let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                format!("kubeconfig {}", files.join(", "))
            }
        }
    }

    /// An entry by name, which a context names or the caller.
    fn find<'a, T>(
        &self,
        all: &'a [Named<T>],
        kind: &str,
        name: &str,
        in_context: bool,
    ) -> Result<&'a Named<T>, Error> {
        all.iter().find(|named| named.name == name).ok_or_else(|| {
            let source = if in_context { ", though a context names it" } else { "" };
            Error::config(self.what(), Problem(format!("{kind} {name:?} does not exist{source}")))
        })
    }

    fn cluster_config(&self, cluster: &Named<Cluster>) -> Result<Config, Error> {
        let Named { name, value, .. } = cluster;
        let url = server_url(&value.server);
        let mut config = Config::at(url.map_err(|problem| Error::config(cluster.field("server"), problem))?);
        if let Some(url) = value.proxy_url.as_deref().filter(|url| !url.is_empty()) {
            let proxy = Proxy::parse(url);
            config.proxy = proxy.map_err(|problem| Error::config(cluster.field("proxy-url"), problem))?;
        }
        let ca = cluster.bytes(
            "certificate-authority",
            &value.certificate_authority,
            &value.certificate_authority_data,
            tls::check_certificates,
        )?;
        if ca.is_some() && value.insecure_skip_tls_verify {
            let problem = format!(
                "cluster {name:?} names a certificate authority and asks to believe any server: drop one of both"
            );
            return Err(Error::config(self.what(), Problem(problem)));
        }
        config.tls.ca = ca;
        config.tls.insecure = value.insecure_skip_tls_verify;
        config.tls.server_name = value.tls_server_name.clone().filter(|name| !name.is_empty());
        Ok(config)
    }

    /// The user to act as. To leave one out would be to act with rights that are not meant.
    fn impersonation(
        &self,
        user: &Named<AuthInfo>,
        overrides: &Impersonation,
    ) -> Result<Option<Impersonation>, Error> {
        let Named { name, value, .. } = user;
        let or = |own: &str, other: &Option<String>| match own {
            "" => other.clone().unwrap_or_default(),
            own => own.to_owned(),
        };
        let mut extra = value.impersonate_user_extra.clone().unwrap_or_default();
        extra.extend(overrides.extra.clone());
        let impersonation = Impersonation {
            user: or(&overrides.user, &value.impersonate),
            uid: or(&overrides.uid, &value.impersonate_uid),
            groups: match &overrides.groups[..] {
                [] => value.impersonate_groups.clone().unwrap_or_default(),
                groups => groups.to_vec(),
            },
            extra,
        };
        match impersonation {
            impersonation if impersonation == Impersonation::default() => Ok(None),
            impersonation if impersonation.user.is_empty() => {
                let problem =
                    format!("requesting uid, groups or user-extra for {name} without impersonating a user");
                Err(Error::config(self.what(), Problem(problem)))
            }
            impersonation => Ok(Some(impersonation)),
        }
    }

    fn set_user(
        &self,
        config: &mut Config,
        user: &Named<AuthInfo>,
        cluster: &Named<Cluster>,
        overrides: &Overrides,
    ) -> Result<(), Error> {
        let refuse = |problem: String| Err(Error::config(self.what(), Problem(problem)));
        let mut user = user.clone();
        if let Some(file) = &overrides.client_certificate {
            user.value.client_certificate = Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()));
            user.value.client_certificate_data = None;
        }
        if let Some(file) = &overrides.client_key {
            user.value.client_key = Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()));
            user.value.client_key_data = None;
        }
        let Named { name, value, .. } = &user;
        let certificate = user.bytes(
            "client-certificate",
            &value.client_certificate,
            &value.client_certificate_data,
            tls::check_certificates,
        )?;
        let key = user.bytes("client-key", &value.client_key, &value.client_key_data, tls::check_key)?;
        config.tls.client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(ClientIdentity { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                return refuse(format!("user {name:?} has a client certificate but no client-key"));
            }
            (None, Some(_)) => {
                return refuse(format!("user {name:?} has a client key but no client-certificate"));
            }
        };
        let token = overrides.token.clone().or(value.token.clone()).filter(|token| !token.is_empty());
        let basic = value.username.clone().filter(|username| !username.is_empty());
        if token.is_some() && basic.is_some() && overrides.token.is_none() {
            return refuse(format!("user {name:?} has a token and a password: drop one of both"));
        }
        // A token beside a file is the content of the file when the kubeconfig was written.
        let token_file = value.token_file.as_ref().filter(|_| overrides.token.is_none());
        config.credentials = match (token, token_file, basic) {
            (Some(token), Some(file), _) => Credentials::token_file_or(user.path(file), token),
            (Some(token), None, _) => Credentials::token(token),
            (None, Some(file), _) => Credentials::token_file(user.path(file))?,
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

impl<T> Named<T> {
    /// A path relative to the folder of the file that names it.
    fn path(&self, path: &Path) -> PathBuf {
        match self.origin.as_deref().and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    /// A field of it, for messages.
    fn field(&self, field: &str) -> String {
        match &self.origin {
            Some(file) => format!("{field} of {:?} in kubeconfig {}", self.name, file.display()),
            None => format!("{field} of {:?} in kubeconfig", self.name),
        }
    }

    /// PEM given in base64 or, failing that, in a file, which is checked now and read again later.
    fn bytes(
        &self,
        field: &str,
        file: &Option<PathBuf>,
        data: &Option<String>,
        check: fn(&[u8]) -> Result<(), BoxError>,
    ) -> Result<Option<Pem>, Error> {
        let (pem, what) = if let Some(data) = data.as_deref().filter(|data| !data.is_empty()) {
            let what = self.field(&format!("{field}-data"));
            let plain: String = data.split_whitespace().collect();
            let pem = ByteString::from_base64(&plain);
            let refuse = |_| Error::config(&*what, Problem("it is no base64".to_owned()));
            (Pem::from(pem.map_err(refuse)?.0), what)
        } else if let Some(file) = file.as_deref().filter(|file| !file.as_os_str().is_empty()) {
            let path = self.path(file);
            let what = format!("{field} {}", path.display());
            (Pem::file(path), what)
        } else {
            return Ok(None);
        };
        let bytes = pem.read().map_err(|error| Error::config(&*what, error))?;
        check(&bytes).map_err(|problem| Error::config(what, problem))?;
        Ok(Some(pem))
    }
}
