//! Credentials of a user that come from a plugin or an auth provider.

use std::path::PathBuf;
use std::sync::Arc;

use klient_apimachinery::ByteString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::auth_provider::AuthProvider;
use super::{AuthInfo, Cluster, Kubeconfig, Named};
use crate::auth::Credentials;
use crate::auth::exec::{ExecCluster, ExecConfig, ExecPlugin, has_separator};
use crate::auth::oidc;
use crate::config::Config;
use crate::error::{Error, Problem};

/// The extension of a cluster that is passed to plugins.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

impl Named<AuthInfo> {
    /// The credentials of a plugin or an auth provider, if the user has one.
    pub(super) fn signed_in(&self, cluster: &Named<Cluster>, config: &Config) -> Result<Credentials, Error> {
        match (&self.value.exec, &self.value.auth_provider) {
            (Some(_), Some(_)) => {
                let problem =
                    "authProvider cannot be provided in combination with an exec plugin: drop one of both";
                Err(Error::config(self.field("exec"), Problem(problem.to_owned())))
            }
            (Some(exec), None) => self.exec(exec, cluster, config),
            (None, Some(provider)) => self.auth_provider(provider, cluster),
            (None, None) => Ok(Credentials::None),
        }
    }

    /// A field as it is in the file. The error has no value of it, which may be secret.
    fn decode<T: DeserializeOwned>(&self, field: &str, value: &Value) -> Result<T, Error> {
        let refuse = |problem: String| Error::config(self.field(field), Problem(problem));
        let Some(fields) = value.as_object() else { return Err(refuse("it is no object".to_owned())) };
        T::deserialize(value).map_err(|_| {
            let is_wrong = |name: &String, value: &Value| T::deserialize(json!({name: value})).is_err();
            let wrong = fields.iter().find(|(name, value)| is_wrong(name, value));
            refuse(format!("{} is not valid", wrong.map_or("it", |(name, _)| name.as_str())))
        })
    }

    fn exec(&self, exec: &Value, cluster: &Named<Cluster>, config: &Config) -> Result<Credentials, Error> {
        let mut exec: ExecConfig = self.decode("exec", exec)?;
        // A name alone is looked up in PATH.
        if has_separator(&exec.command) {
            exec.command = self.path(exec.command.as_ref()).to_string_lossy().into_owned();
        }
        exec.user = self.name.clone();
        exec.cluster = Some(exec_cluster(cluster, config)?);
        let plugin = ExecPlugin::new(exec).map_err(|problem| Error::config(self.field("exec"), problem))?;
        Ok(Credentials::Exec(plugin))
    }

    fn auth_provider(&self, provider: &Value, cluster: &Named<Cluster>) -> Result<Credentials, Error> {
        let provider: AuthProvider = self.decode("auth-provider", provider)?;
        let refuse = |problem| Error::config(self.field("auth-provider"), problem);
        provider.check().map_err(refuse)?;
        let mut settings = oidc::Settings::new(&provider.config).map_err(refuse)?;
        if let Some(authority) = &mut settings.certificate_authority {
            authority.resolve(|path| self.path(path));
        }
        settings.cluster = cluster.value.server.clone();
        settings.user = self.name.clone();
        settings.file = self.origin.clone();
        settings.persist = self.origin.clone().map(|file| write_back(file, self.name.clone()));
        Credentials::oidc(settings)
    }
}

/// Writes new tokens to the user in the file that it comes from.
fn write_back(file: PathBuf, user: String) -> oidc::Persist {
    Arc::new(move |tokens| {
        Kubeconfig::modify(&file, |kubeconfig| {
            let missing = || {
                let problem = format!("user {user:?} has no auth provider any more");
                Error::config(format!("kubeconfig {}", file.display()), Problem(problem))
            };
            let named = kubeconfig.users.iter_mut().find(|named| named.name == user);
            let provider = named.and_then(|named| named.value.auth_provider.as_mut()).ok_or_else(missing)?;
            let config = provider.get_mut("config").and_then(Value::as_object_mut).ok_or_else(missing)?;
            config.insert("id-token".to_owned(), tokens.id_token.clone().into());
            config.insert("refresh-token".to_owned(), tokens.refresh_token.clone().into());
            Ok::<_, Error>(())
        })
        .map_err(Into::into)
    })
}

/// The cluster as a plugin is told it.
fn exec_cluster(cluster: &Named<Cluster>, config: &Config) -> Result<ExecCluster, Error> {
    let Cluster { server, proxy_url, extensions, disable_compression, .. } = &cluster.value;
    let authority = match &config.tls.ca {
        Some(pem) => {
            let read = pem.read();
            ByteString(
                read.map_err(|error| Error::config(pem.named("certificate authority"), error))?.to_vec(),
            )
            .to_base64()
        }
        None => String::new(),
    };
    Ok(ExecCluster {
        server: server.clone(),
        tls_server_name: config.tls.server_name.clone().unwrap_or_default(),
        insecure_skip_tls_verify: config.tls.insecure,
        certificate_authority_data: authority,
        proxy_url: proxy_url.clone().unwrap_or_default(),
        disable_compression: *disable_compression,
        config: extensions.get(EXEC_EXTENSION).cloned().unwrap_or_default(),
    })
}
