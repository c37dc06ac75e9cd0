//! [`ConnectionArgs`], the flags that select a cluster, a user and a namespace (kubectl's `ConfigFlags`).

use std::path::PathBuf;

use clap::Args;

use crate::flag_values::{Timeout, Token, path, request_timeout};

/// The flags that select a cluster, a user and a namespace.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct ConnectionArgs {
    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Directory of the discovery cache; the default is $KUBECACHEDIR, or else ~/.kube/cache
    #[arg(long, global = true, value_name = "DIR", value_parser = path())]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Name of the kubeconfig context
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Name of the kubeconfig cluster
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Name of the kubeconfig user
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Namespace of the request
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// URL of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Bearer token for authentication to the API server
    #[arg(long, global = true)]
    pub(crate) token: Option<Token>,
    /// Path of a certificate file of the certificate authority
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// Path of a client certificate file for TLS
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) client_certificate: Option<PathBuf>,
    /// Path of a client key file for TLS
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) client_key: Option<PathBuf>,
    /// Skip the verification of the server's certificate; the connection is then insecure
    #[arg(long, global = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// Server name for the verification of the server's certificate; the default is the host of the URL
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// Time-out of a single request, such as 30s or 2m; 0 means no time-out
    #[arg(long, global = true, value_name = "DURATION", default_value = "0", value_parser = request_timeout)]
    pub(crate) request_timeout: Timeout,
    /// User to impersonate: a user name, or system:serviceaccount:NAMESPACE:NAME
    #[arg(long = "as", global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) impersonate: String,
    /// UID to impersonate
    #[arg(long = "as-uid", global = true, value_name = "UID", default_value = "", hide_default_value = true)]
    pub(crate) impersonate_uid: String,
    /// Group to impersonate; can be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub(crate) impersonate_groups: Vec<String>,
    /// Extra attribute to impersonate; can be repeated
    #[arg(long = "as-user-extra", global = true, value_name = "KEY=VALUE")]
    pub(crate) impersonate_user_extra: Vec<String>,
}
