//! [`ExecConfig`], the `exec` entry of a kubeconfig's user.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::PluginPolicy;
use crate::null::null_is_empty;

/// A credential plugin: its command, and the way to run it.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecConfig {
    /// The program: a path, or a name that is looked up in `PATH`. In a kubeconfig, a relative path with a separator is
    /// relative to the folder of the file.
    pub command: String,
    /// Its arguments.
    #[serde(deserialize_with = "null_is_empty")]
    pub args: Vec<String>,
    /// Variables of its environment beside those of this program.
    #[serde(deserialize_with = "null_is_empty")]
    pub env: Vec<ExecEnvVar>,
    /// The version of `ExecCredential` that is exchanged with it: `client.authentication.k8s.io/v1` or `v1beta1`.
    pub api_version: String,
    /// Tells the user how to install the program, in the error if it is missing.
    #[serde(deserialize_with = "null_is_empty")]
    pub install_hint: String,
    /// Passes [`cluster`](Self::cluster) to the plugin.
    pub provide_cluster_info: bool,
    /// Its use of standard input. It is required by v1; the default for v1beta1 is [`InteractiveMode::IfAvailable`].
    #[serde(deserialize_with = "interactive_mode")]
    pub interactive_mode: Option<InteractiveMode>,
    /// The cluster that the credentials are for. A kubeconfig's plugin gets it from the context.
    #[serde(skip)]
    pub cluster: Option<ExecCluster>,
    /// The kubeconfig's name for the user, which errors name.
    #[serde(skip)]
    pub user: String,
    /// The time after which the plugin is killed and its requests fail. The default is one minute, and five where
    /// standard input is a terminal, since a user may have to sign in.
    #[serde(skip)]
    pub timeout: Option<Duration>,
    /// The plugins that may be run.
    #[serde(skip)]
    pub policy: PluginPolicy,
    /// The reason for which standard input is not passed to the plugin, such as `used by stdin resource manifest
    /// reader`.
    #[serde(skip)]
    pub stdin_unavailable: Option<String>,
}

/// A variable of a plugin's environment. Its value may be secret and is not shown in `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExecEnvVar {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A plugin's use of standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum InteractiveMode {
    /// It never uses standard input.
    Never,
    /// It uses standard input if that is a terminal.
    IfAvailable,
    /// It fails where standard input is no terminal.
    Always,
}

/// The cluster that credentials are for, as a plugin gets it in `KUBERNETES_EXEC_INFO`.
#[derive(Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExecCluster {
    /// The server's URL.
    pub server: String,
    /// The name that the server's certificate must be for, if not that in the URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_server_name: String,
    /// Skips verification of the server's certificate.
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_tls_verify: bool,
    /// Certificates of authorities that are trusted: PEM in base64.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate_authority_data: String,
    /// The proxy between here and there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub proxy_url: String,
    /// Asks the server for uncompressed responses.
    #[serde(skip_serializing_if = "is_false")]
    pub disable_compression: bool,
    /// Settings of the plugin for this cluster: the extension `client.authentication.k8s.io/exec` of the kubeconfig's
    /// cluster.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub config: Value,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn interactive_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<InteractiveMode>, D::Error> {
    /// client-go writes none as an empty string.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Mode(InteractiveMode),
        Text(String),
    }
    match Option::deserialize(from)? {
        None => Ok(None),
        Some(Written::Mode(mode)) => Ok(Some(mode)),
        Some(Written::Text(text)) if text.is_empty() => Ok(None),
        Some(Written::Text(_)) => {
            Err(serde::de::Error::custom("interactiveMode must be Never, IfAvailable or Always"))
        }
    }
}

impl fmt::Debug for ExecConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecConfig")
            .field("command", &self.command)
            .field("args", &format_args!("{} arguments", self.args.len()))
            .field("env", &self.env)
            .field("api_version", &self.api_version)
            .field("provide_cluster_info", &self.provide_cluster_info)
            .field("interactive_mode", &self.interactive_mode)
            .field("user", &self.user)
            .field("timeout", &self.timeout)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ExecEnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=***", self.name)
    }
}

/// Shows the server alone: a proxy's URL and the plugin's settings may be secret.
impl fmt::Debug for ExecCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecCluster").field("server", &self.server).finish_non_exhaustive()
    }
}
