//! [`Settings`], the `config` of the auth provider `oidc` in a kubeconfig.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use klient_apimachinery::ByteString;

use crate::config::Pem;
use crate::error::Problem;
use crate::transport::BoxError;

/// Writes new tokens to the kubeconfig.
pub(crate) type Persist = Arc<dyn Fn(&Tokens) -> Result<(), BoxError> + Send + Sync>;

/// The tokens of a user; those that there are not are empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) id_token: String,
    pub(crate) refresh_token: String,
}

/// An issuer, and a user of it.
pub(crate) struct Settings {
    /// The server's URL.
    pub(crate) cluster: String,
    /// The name of the user in the kubeconfig.
    pub(crate) user: String,
    /// The file of the user.
    pub(crate) file: Option<PathBuf>,
    pub(crate) issuer_url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) certificate_authority: Option<Pem>,
    pub(crate) tokens: Tokens,
    pub(crate) persist: Option<Persist>,
}

impl Settings {
    /// The settings in a kubeconfig; the fields of the user are empty. Paths are relative to the folder of the file.
    ///
    /// # Errors
    ///
    /// If a field is missing or not valid.
    pub(crate) fn new(config: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let field = |name: &str| config.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
        let required = |name: &str| match field(name) {
            value if value.is_empty() => Err(Problem(format!("auth provider oidc: Must provide {name}"))),
            value => Ok(value),
        };
        if !field("extra-scopes").is_empty() {
            // As in client-go: a refresh asks for the scopes of the sign-in.
            tracing::debug!(
                "extra-scopes of the auth provider oidc is not used: refresh requests send no scopes"
            );
        }
        let authority = match (field("idp-certificate-authority-data"), field("idp-certificate-authority")) {
            (data, _) if !data.is_empty() => {
                let plain: String = data.split_whitespace().collect();
                let pem = ByteString::from_base64(&plain).map_err(|_| {
                    Problem("auth provider oidc: idp-certificate-authority-data is no base64".to_owned())
                })?;
                Some(Pem::from(pem.0))
            }
            (_, file) if !file.is_empty() => Some(Pem::file(file)),
            _ => None,
        };
        Ok(Settings {
            cluster: String::new(),
            user: String::new(),
            file: None,
            issuer_url: required("idp-issuer-url")?,
            client_id: required("client-id")?,
            client_secret: field("client-secret"),
            certificate_authority: authority,
            tokens: Tokens { id_token: field("id-token"), refresh_token: field("refresh-token") },
            persist: None,
        })
    }

    /// The name of the provider in errors.
    pub(super) fn name(&self) -> String {
        format!("oidc provider {} of user {:?}", self.issuer_url, self.user)
    }

    /// Returns true if the tokens of both are those of the same user.
    pub(super) fn is_same_user(&self, other: &Settings) -> bool {
        let id = |settings: &Settings| {
            [&settings.cluster, &settings.user, &settings.issuer_url, &settings.client_id].map(String::clone)
        };
        // Text that is in no file may name another user alike.
        id(self) == id(other)
            && self.file == other.file
            && (self.file.is_some() || self.tokens == other.tokens)
            && self.client_secret == other.client_secret
            && self.certificate_authority == other.certificate_authority
    }
}
