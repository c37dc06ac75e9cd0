//! Parts and forms of a kubeconfig: minified, flattened, redacted.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::go::os_error;

use super::Kubeconfig;
use super::overrides::given;
use super::validation::find;
use crate::error::{Error, Problem};

impl Kubeconfig {
    /// Removes all entries that the current context does not use.
    ///
    /// # Errors
    ///
    /// If there is no current context, or it names entries that are missing.
    pub fn minify(&mut self) -> Result<(), Error> {
        let refuse = |problem: String| Err(Error::config(self.what(), Problem(problem)));
        if self.current_context.is_empty() {
            return refuse("current-context must exist in order to minify".to_owned());
        }
        let Some(context) = find(&self.contexts, &self.current_context).cloned() else {
            return refuse(format!("cannot locate context {}", self.current_context));
        };
        let cluster = &context.value.cluster;
        if !cluster.is_empty() && find(&self.clusters, cluster).is_none() {
            return refuse(format!("cannot locate cluster {cluster}"));
        }
        let user = &context.value.user;
        if !user.is_empty() && find(&self.users, user).is_none() {
            return refuse(format!("cannot locate user {user}"));
        }
        self.clusters.retain(|named| !cluster.is_empty() && named.name == *cluster);
        self.users.retain(|named| !user.is_empty() && named.name == *user);
        self.contexts = vec![context];
        Ok(())
    }

    /// Replaces the paths of certificates and keys by the contents of the files, so that the kubeconfig can be used
    /// elsewhere. The path of a token's file stays.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or an entry has both a path and data.
    pub fn flatten(&mut self) -> Result<(), Error> {
        let what = self.what();
        let flatten = |path: PathBuf, data: &mut Option<String>| {
            let refuse = |problem: String| Error::config(&*what, Problem(problem));
            if given(data).is_some() {
                return Err(refuse("cannot have values for both path and contents".to_owned()));
            }
            let bytes = std::fs::read(&path)
                .map_err(|error| refuse(format!("open {}: {}", path.display(), os_error(&error))))?;
            *data = Some(BASE64.encode(bytes));
            Ok(())
        };
        for user in &mut self.users {
            let absolute = user.with_absolute_paths().value;
            if let Some(path) = absolute.client_certificate {
                flatten(path, &mut user.value.client_certificate_data)?;
            }
            if let Some(path) = absolute.client_key {
                flatten(path, &mut user.value.client_key_data)?;
            }
            (user.value.client_certificate, user.value.client_key) = (None, None);
        }
        for cluster in &mut self.clusters {
            if let Some(path) = cluster.with_absolute_paths().value.certificate_authority {
                flatten(path, &mut cluster.value.certificate_authority_data)?;
            }
            cluster.value.certificate_authority = None;
        }
        Ok(())
    }

    /// Replaces tokens and passwords by `REDACTED`, and certificates and keys in base64 by `DATA+OMITTED`, for a person
    /// to read.
    pub fn redact(&mut self) {
        let replace = |secret: &mut Option<String>, by: &str| {
            if given(secret).is_some() {
                *secret = Some(by.to_owned());
            }
        };
        for user in self.users.iter_mut().map(|user| &mut user.value) {
            replace(&mut user.token, "REDACTED");
            replace(&mut user.password, "REDACTED");
            replace(&mut user.client_certificate_data, "DATA+OMITTED");
            replace(&mut user.client_key_data, "DATA+OMITTED");
        }
        for cluster in &mut self.clusters {
            replace(&mut cluster.value.certificate_authority_data, "DATA+OMITTED");
        }
    }
}
