//! Validation of a kubeconfig, with client-go's rules and messages.

use std::fmt;
use std::fs::File;
use std::path::Path;

use klient_apimachinery::go::{os_error, quoted};
use serde_json::Value;

use super::overrides::given;
use super::{AuthInfo, Cluster, Context, Kubeconfig, Named, Overrides};
use crate::config::masked_url::without_user;
use crate::error::Error;

/// The problems of a kubeconfig that can be read (client-go's `errConfigurationInvalid`): the [cause](Error::cause) of an
/// error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationInvalid(Vec<String>);

impl ConfigurationInvalid {
    /// The problems, in client-go's words; each names its entry.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigurationInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [problem] => write!(f, "invalid configuration: {problem}"),
            problems => write!(f, "invalid configuration: [{}]", problems.join(", ")),
        }
    }
}

impl std::error::Error for ConfigurationInvalid {}

impl Kubeconfig {
    /// Checks all entries (client-go's `Validate`), also those that no context names.
    ///
    /// # Errors
    ///
    /// If it has problems; the cause is [`ConfigurationInvalid`] with all of them.
    pub fn validate(&self) -> Result<(), Error> {
        let mut problems = Vec::new();
        if self.is_empty() {
            let none =
                "no configuration has been provided, try setting KUBERNETES_MASTER environment variable";
            return self.invalid(vec![none.to_owned()]);
        }
        let current = &self.current_context;
        if !current.is_empty() && find(&self.contexts, current).is_none() {
            problems.push(format!("context was not found for specified context: {current}"));
        }
        self.contexts.iter().for_each(|context| self.check_context(context, &mut problems));
        self.users.iter().for_each(|user| check_user(&user.with_absolute_paths(), &mut problems));
        for cluster in &self.clusters {
            if cluster.value == Cluster::default() {
                problems.push("cluster has no server defined".to_owned());
            } else {
                check_cluster(&cluster.with_absolute_paths(), &mut problems);
            }
        }
        self.invalid(problems)
    }

    /// Checks the entries that a context and overrides select (client-go's `ConfirmUsable`).
    ///
    /// # Errors
    ///
    /// If they have problems; the cause is [`ConfigurationInvalid`] with all of them.
    pub fn confirm_usable(&self, overrides: &Overrides) -> Result<(), Error> {
        let mut problems = Vec::new();
        let context_name = given(&overrides.context).unwrap_or(&self.current_context);
        let context = find(&self.contexts, context_name);
        if !context_name.is_empty() && context.is_none() {
            problems.push(format!("context was not found for specified context: {context_name}"));
        }
        let selected = self.select(overrides);
        match find(&self.users, &selected.user.name) {
            None if !selected.user.name.is_empty() => {
                // A user that is missing is reported where it is needed if it was selected by an override.
                if given(&overrides.user).is_none() && !overrides.has_credentials() {
                    let user = quoted(&selected.user.name);
                    problems.push(format!("user {user} was not found for context {}", quoted(context_name)));
                }
            }
            _ => check_user(&selected.user, &mut problems),
        }
        match find(&self.clusters, &selected.cluster.name) {
            None if !selected.cluster.name.is_empty() => {
                let cluster = quoted(&selected.cluster.name);
                if given(&overrides.cluster).is_some() {
                    problems.push(format!("no server found for cluster {cluster}"));
                } else if given(&overrides.server).is_none() {
                    let context = quoted(context_name);
                    problems.push(format!("cluster {cluster} was not found for context {context}"));
                } else {
                    check_cluster(&selected.cluster, &mut problems);
                }
            }
            _ => check_cluster(&selected.cluster, &mut problems),
        }
        self.invalid(problems)
    }

    fn invalid(&self, problems: Vec<String>) -> Result<(), Error> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::config(self.what(), ConfigurationInvalid(problems)))
        }
    }

    /// Returns true if it has no entries, as a file that was only created.
    fn is_empty(&self) -> bool {
        self.current_context.is_empty()
            && self.clusters.is_empty()
            && self.users.is_empty()
            && self.contexts.is_empty()
            && self.preferences == Default::default()
            && self.extensions.is_empty()
    }

    fn check_context(&self, context: &Named<Context>, problems: &mut Vec<String>) {
        let Context { cluster, user, namespace, .. } = &context.value;
        let name = quoted(&context.name);
        if context.name.is_empty() {
            problems.push(format!(
                "empty context name is not allowed: the context of cluster {} and user {}",
                quoted(cluster),
                quoted(user)
            ));
        }
        if user.is_empty() {
            problems.push(format!("user was not specified for context {name}"));
        } else if find(&self.users, user).is_none() {
            problems.push(format!("user {} was not found for context {name}", quoted(user)));
        }
        if cluster.is_empty() {
            problems.push(format!("cluster was not specified for context {name}"));
        } else if find(&self.clusters, cluster).is_none() {
            problems.push(format!("cluster {} was not found for context {name}", quoted(cluster)));
        }
        if let Some(namespace) = given(namespace).filter(|namespace| !is_dns_label(namespace)) {
            problems.push(format!(
                "namespace {} for context {name} does not conform to the kubernetes DNS_LABEL rules",
                quoted(namespace)
            ));
        }
    }
}

/// Finds an entry by name.
pub(super) fn find<'a, T>(entries: &'a [Named<T>], name: &str) -> Option<&'a Named<T>> {
    entries.iter().find(|named| named.name == name)
}

fn is_dns_label(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 63 && text.chars().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Checks a cluster, whose paths are absolute.
fn check_cluster(Named { name, value, .. }: &Named<Cluster>, problems: &mut Vec<String>) {
    if value.server.is_empty() {
        problems.push(match name.as_str() {
            "" => "default cluster has no server defined".to_owned(),
            name => format!("no server found for cluster {}", quoted(name)),
        });
    }
    if let Some(proxy) = given(&value.proxy_url)
        && let Err(problem) = check_proxy_url(proxy)
    {
        let proxy = quoted(without_user(proxy));
        problems.push(format!("invalid 'proxy-url' {proxy} for cluster {}: {problem}", quoted(name)));
    }
    let Some(file) = path(&value.certificate_authority) else { return };
    if given(&value.certificate_authority_data).is_some() {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    check_file("certificate-authority", file, name, problems);
}

fn check_proxy_url(url: &str) -> Result<(), String> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    if scheme.is_empty() && url.contains(':') {
        return Err(format!("could not parse: {}", without_user(url)));
    }
    match scheme {
        "http" | "https" | "socks5" => Ok(()),
        other => Err(format!("unsupported scheme {}, must be http, https, or socks5", quoted(other))),
    }
}

fn path(field: &Option<std::path::PathBuf>) -> Option<&Path> {
    field.as_deref().filter(|path| !path.as_os_str().is_empty())
}

/// Checks that a file can be opened.
fn check_file(field: &str, file: &Path, name: &str, problems: &mut Vec<String>) {
    if let Err(error) = File::open(file) {
        let (file, error) = (file.display(), os_error(&error));
        problems.push(format!("unable to read {field} {file} for {name} due to open {file}: {error}"));
    }
}

/// Checks a user, whose paths are absolute.
fn check_user(Named { name, value, .. }: &Named<AuthInfo>, problems: &mut Vec<String>) {
    let certificate = path(&value.client_certificate);
    let certificate_data = given(&value.client_certificate_data);
    if certificate.is_some() || certificate_data.is_some() {
        let key = path(&value.client_key);
        let key_data = given(&value.client_key_data);
        if certificate.is_some() && certificate_data.is_some() {
            problems.push(format!(
                "client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
            ));
        }
        if key.is_some() && key_data.is_some() {
            problems.push(format!(
                "client-key-data and client-key are both specified for {name}; client-key-data will override"
            ));
        }
        if key.is_none() && key_data.is_none() {
            problems.push(format!(
                "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
            ));
        }
        for (field, file) in [("client-cert", certificate), ("client-key", key)] {
            if let Some(file) = file {
                check_file(field, file, name, problems);
            }
        }
    }
    if let Some(exec) = &value.exec {
        check_exec(name, exec, value.auth_provider.is_some(), problems);
    }
    if given(&value.token).is_some() && (given(&value.username).is_some() || given(&value.password).is_some())
    {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ));
    }
    let needs_user = given(&value.impersonate_uid).is_some()
        || value.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty())
        || value.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if needs_user && given(&value.impersonate).is_none() {
        problems
            .push(format!("requesting uid, groups or user-extra for {name} without impersonating a user"));
    }
}

fn check_exec(name: &str, exec: &Value, has_auth_provider: bool, problems: &mut Vec<String>) {
    const PLUGIN: &str = "to use exec authentication plugin";
    let field = |field: &str| exec.get(field).and_then(Value::as_str).unwrap_or_default();
    if has_auth_provider {
        problems
            .push(format!("authProvider cannot be provided in combination with an exec plugin for {name}"));
    }
    for required in ["command", "apiVersion"] {
        if field(required).is_empty() {
            problems.push(format!("{required} must be specified for {name} {PLUGIN}"));
        }
    }
    let env = exec.get("env").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_nameless = |variable: &&Value| variable["name"].as_str().is_none_or(str::is_empty);
    for _ in env.iter().filter(is_nameless) {
        problems.push(format!("env variable name must be specified for {name} {PLUGIN}"));
    }
    let version = field("apiVersion");
    let has_default = version.ends_with("/v1beta1") || version.ends_with("/v1alpha1");
    match field("interactiveMode") {
        "" if has_default => {}
        "" => problems.push(format!("interactiveMode must be specified for {name} {PLUGIN}")),
        "Never" | "IfAvailable" | "Always" => {}
        other => problems.push(format!("invalid interactiveMode for {name}: {}", quoted(other))),
    }
}
