//! [`ConnectionArgs`], the flags that select a cluster, a user and a namespace (kubectl's `ConfigFlags`).

use std::path::PathBuf;

use clap::Args;

use crate::flag_values::{Timeout, Token, path, request_timeout};

/// The flags that select a cluster, a user and a namespace.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConnectionArgs {
    /// The kubeconfig file to use
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The cluster of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// The user of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The namespace of this request
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// The URL of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A bearer token for the API server
    #[arg(long, global = true)]
    pub(crate) token: Option<Token>,
    /// A file with the certificate of the authority to trust
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// A file with a client certificate
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) client_certificate: Option<PathBuf>,
    /// A file with the key of the client certificate
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub(crate) client_key: Option<PathBuf>,
    /// Skip verification of the server's TLS certificate; this makes the connection insecure
    #[arg(long, global = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// The server name to verify the server's certificate against
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// The time to wait for one request, such as 30s; 0 for no limit
    #[arg(long, global = true, value_name = "DURATION", default_value = "0", value_parser = request_timeout)]
    pub(crate) request_timeout: Timeout,
    /// The user to act as, such as bob or system:serviceaccount:NAMESPACE:NAME
    #[arg(long = "as", global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(crate) impersonate: String,
    /// The uid of the user to act as
    #[arg(long = "as-uid", global = true, value_name = "UID", default_value = "", hide_default_value = true)]
    pub(crate) impersonate_uid: String,
    /// A group of the user to act as; can be given more than once
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub(crate) impersonate_groups: Vec<String>,
    /// Extra attributes of the user to act as; can be given more than once
    #[arg(long = "as-user-extra", global = true, value_name = "KEY=VALUE")]
    pub(crate) impersonate_user_extra: Vec<String>,
}
