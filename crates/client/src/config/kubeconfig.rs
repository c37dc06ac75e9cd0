//! [`Kubeconfig`], the file in which clusters, users and contexts are named.

mod parse;
mod resolve;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use parse::parse;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::Error;
use crate::impersonation::Impersonation;

/// Clusters, users, and contexts that join them.
#[derive(Clone, Debug, Default)]
pub struct Kubeconfig {
    /// The context that is used where none is named.
    pub current_context: String,
    /// Clusters by name.
    pub clusters: Vec<Named<Cluster>>,
    /// Users by name.
    pub users: Vec<Named<AuthInfo>>,
    /// Contexts by name.
    pub contexts: Vec<Named<Context>>,
    /// The files it was read from, for messages.
    files: Vec<PathBuf>,
}

/// Something with a name.
#[derive(Clone, Debug, Deserialize)]
pub struct Named<T> {
    /// Its name.
    pub name: String,
    /// The named entry.
    #[serde(alias = "cluster", alias = "user", alias = "context")]
    pub value: T,
    /// The file of the entry, to whose folder paths are relative.
    #[serde(skip)]
    origin: Option<PathBuf>,
}

/// A cluster: URL and TLS settings.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Cluster {
    /// Its URL.
    pub server: String,
    /// The name its certificate must be for, if not that in the URL.
    pub tls_server_name: Option<String>,
    /// Believe any server.
    pub insecure_skip_tls_verify: bool,
    /// A file with the certificates of authorities that are trusted.
    pub certificate_authority: Option<PathBuf>,
    /// The same in base64; it has precedence over the file.
    pub certificate_authority_data: Option<String>,
    /// The URL of the proxy for the cluster, in place of that of the environment.
    pub proxy_url: Option<String>,
    /// Data of other programs, by name. That named `client.authentication.k8s.io/exec` is for credential plugins.
    #[serde(deserialize_with = "extensions")]
    pub extensions: BTreeMap<String, Value>,
}

/// Reads a list of names and their data.
fn extensions<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Value>, D::Error> {
    #[derive(Deserialize)]
    struct NamedExtension {
        name: String,
        #[serde(default)]
        extension: Value,
    }

    let list: Option<Vec<NamedExtension>> = Option::deserialize(from)?;
    Ok(list.into_iter().flatten().map(|named| (named.name, named.extension)).collect())
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

/// A URL without its user and password.
fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => url.to_owned(),
    }
}

/// A user: credentials.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AuthInfo {
    /// A file with a certificate.
    pub client_certificate: Option<PathBuf>,
    /// The same in base64; it has precedence over the file.
    pub client_certificate_data: Option<String>,
    /// A file with the certificate's key.
    pub client_key: Option<PathBuf>,
    /// The same in base64; it has precedence over the file.
    pub client_key_data: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
    /// A file with a bearer token, which is read again as it changes.
    #[serde(rename = "tokenFile")]
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The name of the cluster.
    pub cluster: String,
    /// The name of the user.
    pub user: String,
    /// The namespace where none is named.
    pub namespace: Option<String>,
}

/// Overrides of a kubeconfig's entries.
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
    /// Believe any server.
    pub insecure_skip_tls_verify: bool,
    /// A file with the certificates of authorities that are trusted.
    pub certificate_authority: Option<PathBuf>,
    /// The name the server's certificate must be for.
    pub tls_server_name: Option<String>,
    /// A file with the client's certificate.
    pub client_certificate: Option<PathBuf>,
    /// A file with the key of that certificate.
    pub client_key: Option<PathBuf>,
    /// The user to act as; empty fields are as in the kubeconfig.
    pub impersonate: Impersonation,
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overrides")
            .field("context", &self.context)
            .field("cluster", &self.cluster)
            .field("user", &self.user)
            .field("namespace", &self.namespace)
            .field("server", &self.server)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("impersonate", &self.impersonate)
            .finish_non_exhaustive()
    }
}

impl Kubeconfig {
    /// The files in `$KUBECONFIG`, else `~/.kube/config`.
    pub fn default_paths() -> Vec<PathBuf> {
        if let Some(list) = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
            let mut seen = HashSet::new();
            return std::env::split_paths(&list)
                .filter(|path| !path.as_os_str().is_empty() && seen.insert(path.clone()))
                .collect();
        }
        std::env::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect()
    }

    /// Reads and merges files: the first file wins for each entry. Missing files are skipped.
    ///
    /// # Errors
    ///
    /// If a file that is there cannot be read or is no kubeconfig.
    pub fn load(paths: &[PathBuf]) -> Result<Kubeconfig, Error> {
        let mut all = Kubeconfig::default();
        for path in paths {
            match Kubeconfig::read(path) {
                Ok(one) => all.join(one),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Reads one file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is no kubeconfig.
    pub fn read(path: &Path) -> Result<Kubeconfig, Error> {
        let what = || format!("kubeconfig {}", path.display());
        let bytes = std::fs::read(path).map_err(|error| Error::config(what(), error))?;
        let mut kubeconfig = parse(&bytes).map_err(|problem| Error::config(what(), problem))?;
        kubeconfig.set_origin(path);
        Ok(kubeconfig)
    }

    /// Reads a kubeconfig given as text; relative paths in it are meant from the working folder.
    ///
    /// # Errors
    ///
    /// If it is no kubeconfig.
    pub fn parse(text: &str) -> Result<Kubeconfig, Error> {
        parse(text.as_bytes()).map_err(|problem| Error::config("kubeconfig", problem))
    }

    /// Returns true if it has no entries, as a file that was only created.
    pub(super) fn is_empty(&self) -> bool {
        let Kubeconfig { current_context, clusters, users, contexts, files: _ } = self;
        current_context.is_empty() && clusters.is_empty() && users.is_empty() && contexts.is_empty()
    }

    fn set_origin(&mut self, path: &Path) {
        self.files.push(path.to_owned());
        let origin = || Some(path.to_owned());
        self.clusters.iter_mut().for_each(|named| named.origin = origin());
        self.users.iter_mut().for_each(|named| named.origin = origin());
        self.contexts.iter_mut().for_each(|named| named.origin = origin());
    }

    fn join(&mut self, later: Kubeconfig) {
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
        self.files.extend(later.files);
    }
}

/// Returns true if a file could not be read because it does not exist.
fn is_missing(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}
