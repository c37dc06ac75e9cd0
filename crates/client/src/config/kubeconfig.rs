//! [`Kubeconfig`], the file in which clusters, users and contexts are named.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::yaml;
use serde::{Deserialize, Serialize};

use super::{ClientIdentity, Config};
use crate::auth::Credentials;
use crate::error::{Error, Problem};

/// Clusters, users, and contexts that join them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Kubeconfig {
    /// The context that is used where none is named.
    #[serde(deserialize_with = "nullable")]
    pub current_context: String,
    /// Clusters by name.
    #[serde(deserialize_with = "nullable")]
    pub clusters: Vec<Named<Cluster>>,
    /// Users by name.
    #[serde(deserialize_with = "nullable")]
    pub users: Vec<Named<AuthInfo>>,
    /// Contexts by name.
    #[serde(deserialize_with = "nullable")]
    pub contexts: Vec<Named<Context>>,
    /// The files it was read from, for messages.
    #[serde(skip)]
    files: Vec<PathBuf>,
}

/// Something with a name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Named<T> {
    /// Its name.
    pub name: String,
    /// What is named.
    #[serde(alias = "cluster", alias = "user", alias = "context")]
    pub value: T,
    /// The file that says so, from whose folder relative paths are meant.
    #[serde(skip)]
    origin: Option<PathBuf>,
}

/// How to reach a server.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
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
    /// The same in base64; stands before the file.
    pub certificate_authority_data: Option<String>,
    /// A proxy between here and there.
    pub proxy_url: Option<String>,
}

/// Who one is.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AuthInfo {
    /// A file with a certificate.
    pub client_certificate: Option<PathBuf>,
    /// The same in base64; stands before the file.
    pub client_certificate_data: Option<String>,
    /// A file with the certificate's key.
    pub client_key: Option<PathBuf>,
    /// The same in base64; stands before the file.
    pub client_key_data: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
    /// A file with a bearer token, read anew as it changes.
    #[serde(rename = "tokenFile")]
    pub token_file: Option<PathBuf>,
    /// A user name.
    pub username: Option<String>,
    /// The password of that user.
    pub password: Option<String>,
    /// A program that gives credentials.
    pub exec: Option<serde_json::Value>,
    /// A built-in way to get credentials.
    pub auth_provider: Option<serde_json::Value>,
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
            .finish_non_exhaustive()
    }
}

/// A cluster, and who one is there.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Context {
    /// The name of the cluster.
    pub cluster: String,
    /// The name of the user.
    pub user: String,
    /// The namespace where none is named.
    pub namespace: Option<String>,
}

/// What stands in place of what a kubeconfig says.
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
    /// A file with the certificate by which one proves who one is.
    pub client_certificate: Option<PathBuf>,
    /// A file with the key of that certificate.
    pub client_key: Option<PathBuf>,
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
            .finish_non_exhaustive()
    }
}

fn nullable<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
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

    /// Reads files and joins them: what is named twice is what the first file says. Files that are not there are
    /// passed over.
    ///
    /// # Errors
    ///
    /// If a file that is there cannot be read or is no kubeconfig.
    pub fn load(paths: &[PathBuf]) -> Result<Kubeconfig, Error> {
        let mut all = Kubeconfig::default();
        for path in paths {
            if path.exists() {
                all.join(Kubeconfig::read(path)?);
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
        let text = std::fs::read_to_string(path).map_err(|error| Error::config(what(), error))?;
        let mut kubeconfig = parse(&text).map_err(|problem| Error::config(what(), problem))?;
        kubeconfig.set_origin(path);
        Ok(kubeconfig)
    }

    /// Reads a kubeconfig given as text; relative paths in it are meant from the working folder.
    ///
    /// # Errors
    ///
    /// If it is no kubeconfig.
    pub fn parse(text: &str) -> Result<Kubeconfig, Error> {
        parse(text).map_err(|problem| Error::config("kubeconfig", problem))
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

    /// How to reach the cluster of a context: the one named in `overrides`, or the current one.
    ///
    /// # Errors
    ///
    /// If a name has nothing behind it, or what is behind it cannot be used.
    pub fn config(&self, overrides: &Overrides) -> Result<Config, Error> {
        let context_name = overrides.context.as_deref().unwrap_or(&self.current_context);
        let context = match context_name {
            "" => Context::default(),
            name => self.find(&self.contexts, "context", name)?.value.clone(),
        };
        let cluster_name = overrides.cluster.as_deref().unwrap_or(&context.cluster);
        let user_name = overrides.user.as_deref().unwrap_or(&context.user);
        let mut cluster = match cluster_name {
            "" => Named { name: String::new(), value: Cluster::default(), origin: None },
            name => self.find(&self.clusters, "cluster", name)?.clone(),
        };
        let user = match user_name {
            "" => Named { name: String::new(), value: AuthInfo::default(), origin: None },
            name => self.find(&self.users, "user", name)?.clone(),
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
            // What kubectl asks when nobody says where the cluster is.
            cluster.value.server = "http://localhost:8080".to_owned();
        }
        let mut config = self.cluster_config(&cluster)?;
        // Nothing that proves who one is goes over plain HTTP.
        if config.url.scheme_str() == Some("https") {
            self.set_user(&mut config, &user, overrides)?;
        }
        if let Some(namespace) =
            overrides.namespace.clone().or(context.namespace).filter(|name| !name.is_empty())
        {
            config.namespace = namespace;
        }
        Ok(config)
    }

    fn what(&self) -> String {
        match &self.files[..] {
            [] => "kubeconfig".to_owned(),
            files => {
                let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                format!("kubeconfig {}", files.join(", "))
            }
        }
    }

    fn find<'a, T>(&self, all: &'a [Named<T>], kind: &str, name: &str) -> Result<&'a Named<T>, Error> {
        all.iter().find(|named| named.name == name).ok_or_else(|| {
            let problem = if kind == "context" {
                format!("context {name:?} does not exist")
            } else {
                format!("{kind} {name:?} does not exist, though a context names it")
            };
            Error::config(self.what(), Problem(problem))
        })
    }

    fn cluster_config(&self, cluster: &Named<Cluster>) -> Result<Config, Error> {
        let Named { name, value, .. } = cluster;
        let mut config = Config::from_url(&value.server)?;
        if value.proxy_url.as_deref().is_some_and(|url| !url.is_empty()) {
            let problem =
                format!("cluster {name:?} is to be reached through a proxy, which is not supported yet");
            return Err(Error::config(self.what(), Problem(problem)));
        }
        let ca = cluster.bytes(
            "certificate-authority",
            &value.certificate_authority,
            &value.certificate_authority_data,
        )?;
        if ca.is_some() && value.insecure_skip_tls_verify {
            let problem = format!(
                "cluster {name:?} names a certificate authority and asks to believe any server: drop one of both"
            );
            return Err(Error::config(self.what(), Problem(problem)));
        }
        config.tls.ca_pem = ca;
        config.tls.insecure = value.insecure_skip_tls_verify;
        config.tls.server_name = value.tls_server_name.clone().filter(|name| !name.is_empty());
        Ok(config)
    }

    fn set_user(
        &self,
        config: &mut Config,
        user: &Named<AuthInfo>,
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
        let certificate =
            user.bytes("client-certificate", &value.client_certificate, &value.client_certificate_data)?;
        let key = user.bytes("client-key", &value.client_key, &value.client_key_data)?;
        config.tls.client = match (certificate, key) {
            (Some(certificate_pem), Some(key_pem)) => Some(ClientIdentity { certificate_pem, key_pem }),
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
        let unsupported = value.exec.is_some() || value.auth_provider.is_some();
        config.credentials = match (token, &value.token_file, basic) {
            (Some(token), _, _) => Credentials::token(token),
            (None, Some(file), _) => Credentials::token_file(user.path(file))?,
            (None, None, Some(username)) => {
                Credentials::basic(username, value.password.clone().unwrap_or_default())
            }
            (None, None, None) if unsupported && config.tls.client.is_none() => {
                return refuse(format!(
                    "user {name:?} gets credentials from a program, which is not supported yet"
                ));
            }
            (None, None, None) => Credentials::None,
        };
        Ok(())
    }
}

impl<T> Named<T> {
    /// A path as it is meant: from the folder of the file that names it.
    fn path(&self, path: &Path) -> PathBuf {
        match self.origin.as_deref().and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        }
    }

    /// Bytes given in base64 or, failing that, in a file.
    fn bytes(
        &self,
        field: &str,
        file: &Option<PathBuf>,
        data: &Option<String>,
    ) -> Result<Option<Vec<u8>>, Error> {
        if let Some(data) = data.as_deref().filter(|data| !data.is_empty()) {
            let what = || match &self.origin {
                Some(file) => format!("{field}-data of {:?} in kubeconfig {}", self.name, file.display()),
                None => format!("{field}-data of {:?} in kubeconfig", self.name),
            };
            let plain: String = data.split_whitespace().collect();
            return BASE64.decode(plain).map(Some).map_err(|error| Error::config(what(), error));
        }
        let Some(file) = file.as_deref().filter(|file| !file.as_os_str().is_empty()) else { return Ok(None) };
        let path = self.path(file);
        let what = || format!("{field} {}", path.display());
        std::fs::read(&path).map(Some).map_err(|error| Error::config(what(), error))
    }
}

/// What is wrong with a kubeconfig, without what it holds, which is secret.
fn parse(text: &str) -> Result<Kubeconfig, Problem> {
    let value = yaml::from_str(text).map_err(|error| Problem(error.to_string()))?;
    if value.is_null() {
        return Ok(Kubeconfig::default());
    }
    let Some(object) = value.as_object() else {
        return Err(Problem("expected an object with clusters, users and contexts".to_owned()));
    };
    if let Some(kind) =
        object.get("kind").and_then(serde_json::Value::as_str).filter(|kind| *kind != "Config")
    {
        return Err(Problem(format!("expected kind Config, found {kind}")));
    }
    serde_json::from_value(value).map_err(|error| Problem(without_values(&error.to_string())))
}

/// A decoder's message without the values it quotes.
fn without_values(message: &str) -> String {
    let mut out = String::new();
    for (index, part) in message.split('"').enumerate() {
        out.push_str(if index % 2 == 0 { part } else { "\"***\"" });
    }
    out
}
