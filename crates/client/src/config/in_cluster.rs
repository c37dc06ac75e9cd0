//! The configuration of a pod, from its service account.

use std::path::Path;

use super::{Config, Pem};
use crate::auth::Credentials;
use crate::error::{Error, Problem};
use crate::transport::{BoxError, tls};

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

/// The reason for which this is no pod with a service account; `None` if it is one.
pub(super) fn lack() -> Option<String> {
    here(|pod| pod.lack())
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

    fn lack(&self) -> Option<String> {
        if self.server().is_none() {
            return Some("this is no pod".to_owned());
        }
        let token = self.account.join("token");
        let error = std::fs::metadata(&token).err()?;
        Some(format!("the token of the pod's service account cannot be read ({}: {error})", token.display()))
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
        let path = self.account.join("ca.crt");
        let authority = Pem::file(&path);
        let read = authority.read().map_err(BoxError::from);
        match read.and_then(|pem| tls::check_certificates(&pem)) {
            Ok(()) => config.tls.ca = Some(authority),
            Err(error) => {
                tracing::error!(
                    "Expected to load root CA config from {}, but got err: {error}",
                    path.display()
                );
            }
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
    use std::fmt::{self, Write as _};
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};

    use super::*;

    /// The configuration of a pod with these variables and files: its URL, namespace, credentials and authority.
    #[track_caller]
    fn check(variables: &[(&str, &str)], files: &[(&str, &str)], expected: &str) {
        let told = in_pod(variables, files, |pod| match pod.config() {
            Ok(Config { url, namespace, credentials, tls, .. }) => {
                format!("{url} {namespace} {credentials:?} {}", tls.ca.is_some())
            }
            Err(error) => format!("{error:?}"),
        });
        assert_eq!(told, expected);
    }

    /// The answer of a pod with these variables and files.
    fn in_pod(
        variables: &[(&str, &str)],
        files: &[(&str, &str)],
        ask: impl FnOnce(Pod<'_>) -> String,
    ) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let told = ask(Pod { variable: &variable, account: folder.path() });
        told.replace(folder.path().to_str().unwrap(), "ACCOUNT")
    }

    const HOST: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    const PORT: (&str, &str) = ("KUBERNETES_SERVICE_PORT", "443");

    #[test]
    fn a_pod_is_configured_by_its_service_account() {
        let own = rcgen::generate_simple_self_signed(["kubernetes".to_owned()]).unwrap();
        let pem = own.cert.pem();
        let files = [("token", "t0ken\n"), ("ca.crt", &*pem), ("namespace", "shop\n")];
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
    fn an_authority_that_cannot_be_used_is_an_error_in_the_log() {
        let token = ("token", "t0ken");
        for (files, problem) in [
            (&[token][..], "No such file or directory (os error 2)"),
            (&[token, ("ca.crt", "pem")][..], "there is no certificate in the PEM text"),
        ] {
            let log = Log::default();
            let _second = tracing::Dispatch::new(Log::default());
            let logged = in_pod(&[HOST, PORT], files, |pod| {
                let config = tracing::subscriber::with_default(log.clone(), || pod.config()).unwrap();
                assert!(config.tls.ca.is_none());
                log.0.lock().unwrap().clone()
            });
            let expected = "ERROR Expected to load root CA config from ACCOUNT/ca.crt, but got err:";
            assert_eq!(logged, format!("{expected} {problem}\n"));
        }
    }

    #[test]
    fn a_pod_without_a_token_is_none_that_can_be_used() {
        let lack = |variables: &[_], files: &[_]| {
            in_pod(variables, files, |pod| pod.lack().unwrap_or_else(|| "nothing".to_owned()))
        };
        assert_eq!(lack(&[HOST], &[("token", "t0ken")]), "this is no pod");
        assert_eq!(lack(&[HOST, PORT], &[("token", "t0ken")]), "nothing");
        let missing = "the token of the pod's service account cannot be read \
                       (ACCOUNT/token: No such file or directory (os error 2))";
        assert_eq!(lack(&[HOST, PORT], &[]), missing);
    }

    /// The level and the message of each event.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<String>>);

    impl Visit for Log {
        fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
            writeln!(self.0.lock().unwrap(), "{value:?}").unwrap();
        }
    }

    impl tracing::Subscriber for Log {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target() == module_path!().trim_end_matches("::tests")
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            write!(self.0.lock().unwrap(), "{} ", event.metadata().level()).unwrap();
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
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
