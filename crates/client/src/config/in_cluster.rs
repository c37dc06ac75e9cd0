//! The configuration of a pod, from its service account.

use std::path::Path;

use super::Config;
use crate::auth::Credentials;
use crate::error::{Error, Problem};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn environment() -> Option<(String, String)> {
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some((get("KUBERNETES_SERVICE_HOST")?, get("KUBERNETES_SERVICE_PORT")?))
}

/// Whether this is a pod with a service account.
pub(super) fn is_possible() -> bool {
    environment().is_some() && Path::new(ACCOUNT).join("token").exists()
}

pub(super) fn config() -> Result<Config, Error> {
    let (host, port) = environment().ok_or_else(|| {
        Error::config(
            "in-cluster configuration",
            Problem(
                "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set: this is no pod".to_owned(),
            ),
        )
    })?;
    // An IPv6 address needs brackets in a URL.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let mut config = Config::from_url(&format!("https://{host}:{port}"))?;
    let account = Path::new(ACCOUNT);
    config.credentials = Credentials::token_file(account.join("token"))?;
    // Without its own authority those of the system are trusted, as in client-go.
    match std::fs::read(account.join("ca.crt")) {
        Ok(pem) => config.tls.ca_pem = Some(pem),
        Err(error) => tracing::warn!(%error, "the cluster's certificate authority cannot be read"),
    }
    let from_file = || std::fs::read_to_string(account.join("namespace")).ok();
    let namespace = std::env::var("POD_NAMESPACE").ok().or_else(from_file);
    if let Some(namespace) = namespace.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
        config.namespace = namespace;
    }
    Ok(config)
}
