//! The configuration of a pod, from its service account.

use std::path::Path;

use super::{Config, Pem};
use crate::auth::Credentials;
use crate::error::{Error, Problem};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Sources of a pod's configuration: environment variables and the folder of its service account.
struct Pod<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    account: &'a Path,
}

fn here<T>(ask: impl FnOnce(Pod<'_>) -> T) -> T {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ask(Pod { variable: &variable, account: Path::new(ACCOUNT) })
}

/// Returns true in a pod with a service account.
pub(super) fn is_possible() -> bool {
    here(|pod| pod.server().is_some() && pod.account.join("token").exists())
}

pub(super) fn config() -> Result<Config, Error> {
    here(|pod| pod.config())
}

impl Pod<'_> {
    fn server(&self) -> Option<String> {
        let host = (self.variable)("KUBERNETES_SERVICE_HOST")?;
        let port = (self.variable)("KUBERNETES_SERVICE_PORT")?;
        // An IPv6 address needs brackets in a URL.
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Some(format!("https://{host}:{port}"))
    }

    fn config(&self) -> Result<Config, Error> {
        let url = self.server().ok_or_else(|| {
            let problem =
                "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set: this is no pod".to_owned();
            Error::config("in-cluster configuration", Problem(problem))
        })?;
        let mut config = Config::from_url(&url)?;
        config.credentials = Credentials::token_file(self.account.join("token"))?;
        // Without its own authority those of the system are trusted, as in client-go.
        let authority = self.account.join("ca.crt");
        match std::fs::metadata(&authority) {
            Ok(_) => config.tls.ca = Some(Pem::file(authority)),
            Err(error) => tracing::warn!(%error, "the cluster's certificate authority cannot be read"),
        }
        let from_file = || std::fs::read_to_string(self.account.join("namespace")).ok();
        let namespace = (self.variable)("POD_NAMESPACE").or_else(from_file);
        let named = namespace.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if let Some(namespace) = named {
            config.namespace = namespace;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration of a pod with these variables and files: its URL, namespace, credentials and authority.
    #[track_caller]
    fn check(variables: &[(&str, &str)], files: &[(&str, &str)], expected: &str) {
        let folder = tempfile::TempDir::new().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let told = match (Pod { variable: &variable, account: folder.path() }).config() {
            Ok(Config { url, namespace, credentials, tls, .. }) => {
                format!("{url} {namespace} {credentials:?} {}", tls.ca.is_some())
            }
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(told.replace(folder.path().to_str().unwrap(), "ACCOUNT"), expected);
    }

    const HOST: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    const PORT: (&str, &str) = ("KUBERNETES_SERVICE_PORT", "443");

    #[test]
    fn a_pod_is_configured_by_its_service_account() {
        let files = [("token", "t0ken\n"), ("ca.crt", "pem"), ("namespace", "shop\n")];
        check(&[HOST, PORT], &files, "https://10.96.0.1:443/ shop Provider(token file ACCOUNT/token) true");
        let ipv6 = ("KUBERNETES_SERVICE_HOST", "fd00::1");
        check(
            &[ipv6, PORT],
            &files[..1],
            "https://[fd00::1]:443/ default Provider(token file ACCOUNT/token) false",
        );
        let namespace = ("POD_NAMESPACE", "other");
        check(
            &[HOST, PORT, namespace],
            &files,
            "https://10.96.0.1:443/ other Provider(token file ACCOUNT/token) true",
        );
    }

    #[test]
    fn what_a_pod_lacks_is_named() {
        let no_pod = "in-cluster configuration: cannot be used: \
                      KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set: this is no pod";
        check(&[], &[("token", "t0ken")], no_pod);
        check(&[HOST], &[("token", "t0ken")], no_pod);
        let missing = "token file ACCOUNT/token: cannot be used: No such file or directory (os error 2)";
        check(&[HOST, PORT], &[], missing);
        check(&[HOST, PORT], &[("token", "\n")], "token file ACCOUNT/token: cannot be used: it is empty");
    }
}
