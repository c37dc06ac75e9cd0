//! kubectl's connection flags for any command line: [`ConfigFlags`].
//!
//! ```
//! use clap::Parser;
//! use klient_config_flags::ConfigFlags;
//!
//! #[derive(Parser)]
//! struct Cli {
//!     #[command(flatten)]
//!     config: ConfigFlags,
//! }
//!
//! # fn main() -> Result<(), klient_client::Error> {
//! let cli = Cli::parse_from(["tool", "-s", "http://localhost:8080", "-n", "shop"]);
//! let config = cli.config.load()?;
//! assert_eq!(config.namespace, "shop");
//! # Ok(()) }
//! ```

mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use klient_client::{Config, Error, Impersonation, LoadingRules, Overrides};

use values::request_timeout;
pub use values::{InvalidRequestTimeout, RequestTimeout, SecretFlag, go_bool, path};

// A doc comment would be the beginning of the help of each program that flattens the flags.
#[doc = concat!(
    "The flags that select a cluster, a user and a namespace (cli-runtime's `ConfigFlags`). They are global: they can be ",
    "given before and after subcommands. An empty value is the same as no flag.",
)]
#[doc(alias = "RESTClientGetter")]
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
#[non_exhaustive]
pub struct ConfigFlags {
    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub kubeconfig: Option<PathBuf>,
    /// Directory of the discovery cache; the default is $KUBECACHEDIR, or else ~/.kube/cache
    #[arg(long, global = true, value_name = "DIR", value_parser = path())]
    pub cache_dir: Option<PathBuf>,
    /// Name of the kubeconfig context
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Name of the kubeconfig cluster
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Name of the kubeconfig user
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Namespace of the request
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// URL of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token for authentication to the API server
    #[arg(long, global = true)]
    pub token: Option<SecretFlag>,
    /// User name for basic authentication to the API server
    #[arg(long, global = true, value_name = "NAME")]
    pub username: Option<String>,
    /// Password for basic authentication to the API server
    #[arg(long, global = true)]
    pub password: Option<SecretFlag>,
    /// Path of a certificate file of the certificate authority
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub certificate_authority: Option<PathBuf>,
    /// Path of a client certificate file for TLS
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub client_certificate: Option<PathBuf>,
    /// Path of a client key file for TLS
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub client_key: Option<PathBuf>,
    /// Skip the verification of the server's certificate; the connection is then insecure
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub insecure_skip_tls_verify: Option<bool>,
    /// Server name for the verification of the server's certificate; the default is the host of the URL
    #[arg(long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// URL of a proxy for requests to the API server
    #[arg(long, global = true, value_name = "URL")]
    pub proxy_url: Option<String>,
    /// Ask the server for uncompressed responses, which is the default; false asks for gzip
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub disable_compression: Option<bool>,
    /// Time-out of a single request, such as 30s or 2m; 0 means no time-out
    #[arg(long, global = true, value_name = "DURATION", default_value = "0", value_parser = request_timeout)]
    pub request_timeout: RequestTimeout,
    /// User to impersonate: a user name, or system:serviceaccount:NAMESPACE:NAME
    #[arg(long = "as", global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub impersonate: String,
    /// UID to impersonate
    #[arg(long = "as-uid", global = true, value_name = "UID", default_value = "", hide_default_value = true)]
    pub impersonate_uid: String,
    /// Group to impersonate; can be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub impersonate_groups: Vec<String>,
    /// Extra attribute to impersonate; can be repeated
    #[arg(long = "as-user-extra", global = true, value_name = "KEY=VALUE")]
    pub impersonate_user_extra: Vec<String>,
}

impl ConfigFlags {
    /// Reads the kubeconfig and applies the flags. In a pod without a kubeconfig it is the configuration of the service
    /// account. No request is sent.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or the configuration cannot be used.
    pub fn load(&self) -> Result<Config, Error> {
        Config::load(&self.loading_rules(), &self.overrides())
    }

    /// The files of the kubeconfig: that of `--kubeconfig`, else those of the environment.
    pub fn loading_rules(&self) -> LoadingRules {
        match self.kubeconfig.as_ref().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => LoadingRules::explicit(path),
            None => LoadingRules::from_env(),
        }
    }

    /// The values of the other flags.
    pub fn overrides(&self) -> Overrides {
        let secret = |flag: &Option<SecretFlag>| flag.as_ref().map(|secret| secret.expose().to_owned());
        Overrides {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone(),
            server: self.server.clone(),
            token: secret(&self.token),
            username: self.username.clone(),
            password: secret(&self.password),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify.unwrap_or_default(),
            certificate_authority: self.certificate_authority.clone(),
            tls_server_name: self.tls_server_name.clone(),
            proxy_url: self.proxy_url.clone(),
            disable_compression: self.disable_compression,
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            impersonate: self.impersonation(),
            request_timeout: self.request_timeout.duration(),
        }
    }

    /// The impersonated user. As in kubectl, an extra without a value is ignored.
    fn impersonation(&self) -> Impersonation {
        let mut extra = BTreeMap::<String, Vec<String>>::new();
        for (key, value) in self.impersonate_user_extra.iter().filter_map(|extra| extra.split_once('=')) {
            extra.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        Impersonation {
            user: self.impersonate.clone(),
            uid: self.impersonate_uid.clone(),
            groups: self.impersonate_groups.clone(),
            extra,
        }
    }
}
