//! [`Kubeconfig`], the file in which clusters, users and contexts are named.

mod decode;
mod encode;
mod fields;
mod loading_rules;
mod lock;
mod modify;
mod named;
mod overrides;
mod resolve;
mod validation;
mod view;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use loading_rules::{LoadErrors, LoadingRules};
pub use named::Named;
pub use overrides::Overrides;
pub use validation::ConfigurationInvalid;

use crate::config::masked_url::without_user;
use crate::error::Error;
use validation::find;

/// Clusters, users, and contexts that join them.
///
/// Fields that klient does not know are kept when a file is changed: see [`Kubeconfig::modify`].
#[derive(Clone, Default, PartialEq)]
pub struct Kubeconfig {
    /// The context that is used where none is named.
    pub current_context: String,
    /// Clusters by name.
    pub clusters: Vec<Named<Cluster>>,
    /// Users by name.
    pub users: Vec<Named<AuthInfo>>,
    /// Contexts by name.
    pub contexts: Vec<Named<Context>>,
    /// Settings of command lines, which no Kubernetes component uses any more.
    pub preferences: Preferences,
    /// Data of other programs, by name.
    pub extensions: BTreeMap<String, Value>,
    /// Top-level fields that are not known.
    unknown: Map<String, Value>,
    /// The files it was read from, for messages.
    files: Vec<PathBuf>,
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig")
            .field("current_context", &self.current_context)
            .field("clusters", &self.clusters)
            .field("users", &self.users)
            .field("contexts", &self.contexts)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// Settings of command lines (`preferences`), deprecated in Kubernetes 1.34.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// True for output in colors.
    pub colors: bool,
    /// Data of other programs, by name.
    #[serde(with = "fields::extensions")]
    pub extensions: BTreeMap<String, Value>,
}

/// A cluster: URL and TLS settings.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Cluster {
    /// Its URL.
    pub server: String,
    /// The name its certificate must be for, if not that in the URL.
    pub tls_server_name: Option<String>,
    /// Believe any server.
    pub insecure_skip_tls_verify: bool,
    /// A file with the certificates of authorities that are trusted.
    #[serde(serialize_with = "fields::path")]
    pub certificate_authority: Option<PathBuf>,
    /// The same in base64; it has precedence over the file.
    pub certificate_authority_data: Option<String>,
    /// The URL of the proxy for the cluster, in place of that of the environment.
    pub proxy_url: Option<String>,
    /// True to ask for responses that are not compressed, which is the default: see
    /// [`Config::disable_compression`](crate::Config::disable_compression). Credential plugins get it.
    pub disable_compression: bool,
    /// Data of other programs, by name. That named `client.authentication.k8s.io/exec` is for credential plugins.
    #[serde(with = "fields::extensions")]
    pub extensions: BTreeMap<String, Value>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &without_user(&self.server))
            .field("tls_server_name", &self.tls_server_name)
            .field("insecure_skip_tls_verify", &self.insecure_skip_tls_verify)
            .field("certificate_authority", &self.certificate_authority)
            .field("proxy_url", &self.proxy_url.as_deref().map(without_user))
            .finish_non_exhaustive()
    }
}

/// A user: credentials.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AuthInfo {
    /// A file with a certificate.
    #[serde(serialize_with = "fields::path")]
    pub client_certificate: Option<PathBuf>,
    /// The same in base64; it has precedence over the file.
    pub client_certificate_data: Option<String>,
    /// A file with the certificate's key.
    #[serde(serialize_with = "fields::path")]
    pub client_key: Option<PathBuf>,
    /// The same in base64; it has precedence over the file.
    pub client_key_data: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
    /// A file with a bearer token, which is read again as it changes.
    #[serde(rename = "tokenFile", serialize_with = "fields::path")]
    pub token_file: Option<PathBuf>,
    /// A user name.
    pub username: Option<String>,
    /// The password of that user.
    pub password: Option<String>,
    /// The user to act as.
    #[serde(rename = "as")]
    pub impersonate: Option<String>,
    /// The uid of that user.
    #[serde(rename = "as-uid")]
    pub impersonate_uid: Option<String>,
    /// The groups of that user.
    #[serde(rename = "as-groups")]
    pub impersonate_groups: Option<Vec<String>>,
    /// Extra attributes of that user: values by key.
    #[serde(rename = "as-user-extra")]
    pub impersonate_user_extra: Option<BTreeMap<String, Vec<String>>>,
    /// A program that gives credentials.
    pub exec: Option<Value>,
    /// A built-in way to get credentials.
    pub auth_provider: Option<Value>,
    /// Data of other programs, by name.
    #[serde(with = "fields::extensions")]
    pub extensions: BTreeMap<String, Value>,
}

impl fmt::Debug for AuthInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |secret: &Option<String>| secret.as_ref().map(|_| "***");
        f.debug_struct("AuthInfo")
            .field("client_certificate", &self.client_certificate)
            .field("client_key", &self.client_key)
            .field("client_key_data", &masked(&self.client_key_data))
            .field("token", &masked(&self.token))
            .field("token_file", &self.token_file)
            .field("username", &self.username)
            .field("password", &masked(&self.password))
            .field("impersonate", &self.impersonate)
            .field("impersonate_uid", &self.impersonate_uid)
            .field("impersonate_groups", &self.impersonate_groups)
            .finish_non_exhaustive()
    }
}

/// A cluster, a user and a namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The name of the cluster.
    pub cluster: String,
    /// The name of the user.
    pub user: String,
    /// The namespace where none is named.
    pub namespace: Option<String>,
    /// Data of other programs, by name.
    #[serde(with = "fields::extensions")]
    pub extensions: BTreeMap<String, Value>,
}

impl Kubeconfig {
    /// Reads one file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is no kubeconfig.
    pub fn read(path: &Path) -> Result<Kubeconfig, Error> {
        let what = || format!("kubeconfig {}", path.display());
        let bytes = std::fs::read(path).map_err(|error| Error::config(what(), error))?;
        let mut kubeconfig = decode::decode(&bytes).map_err(|problem| Error::config(what(), problem))?;
        kubeconfig.set_origin(path);
        Ok(kubeconfig)
    }

    /// Reads a kubeconfig given as text; relative paths in it are meant from the working folder.
    ///
    /// # Errors
    ///
    /// If it is no kubeconfig.
    pub fn parse(text: &str) -> Result<Kubeconfig, Error> {
        decode::decode(text.as_bytes()).map_err(|problem| Error::config("kubeconfig", problem))
    }

    /// The cluster of a name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        find(&self.clusters, name).map(|named| &named.value)
    }

    /// The user of a name.
    pub fn user(&self, name: &str) -> Option<&AuthInfo> {
        find(&self.users, name).map(|named| &named.value)
    }

    /// The context of a name.
    ///
    /// ```
    /// use klient_client::Kubeconfig;
    ///
    /// let kubeconfig = Kubeconfig::parse("{contexts: [{name: shop, context: {cluster: berlin, user: ada}}],
    ///     clusters: [{name: berlin, cluster: {server: 'https://berlin.example'}}], current-context: shop}")?;
    /// let context = kubeconfig.context(&kubeconfig.current_context).ok_or("no current context")?;
    /// let cluster = kubeconfig.cluster(&context.cluster).ok_or("no cluster")?;
    /// assert_eq!(cluster.server, "https://berlin.example");
    /// assert!(kubeconfig.user(&context.user).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn context(&self, name: &str) -> Option<&Context> {
        find(&self.contexts, name).map(|named| &named.value)
    }

    /// Adds the entries of a file that is later in a list: for each name, and for each scalar, the first file wins.
    fn merge(&mut self, later: Kubeconfig) {
        fn add<T>(into: &mut Vec<Named<T>>, later: Vec<Named<T>>) {
            for named in later {
                if !into.iter().any(|other| other.name == named.name) {
                    into.push(named);
                }
            }
        }
        if self.current_context.is_empty() {
            self.current_context = later.current_context;
        }
        add(&mut self.clusters, later.clusters);
        add(&mut self.users, later.users);
        add(&mut self.contexts, later.contexts);
        self.preferences.colors |= later.preferences.colors;
        for (into, later) in [
            (&mut self.preferences.extensions, later.preferences.extensions),
            (&mut self.extensions, later.extensions),
        ] {
            for (name, extension) in later {
                into.entry(name).or_insert(extension);
            }
        }
        self.files.extend(later.files);
    }

    fn set_origin(&mut self, path: &Path) {
        self.files.push(path.to_owned());
        self.clusters.iter_mut().for_each(|named| named.origin = Some(path.to_owned()));
        self.users.iter_mut().for_each(|named| named.origin = Some(path.to_owned()));
        self.contexts.iter_mut().for_each(|named| named.origin = Some(path.to_owned()));
    }
}
