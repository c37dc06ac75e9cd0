//! Authentication and authorization.

mod authenticator;
mod escalation;
mod grant;
mod impersonation;
mod jwt;
mod rbac;
mod service_account;
mod token_file;
mod user;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

pub(crate) use authenticator::{Authenticated, Authenticator};
pub(crate) use escalation::uncovered;
pub(crate) use impersonation::{Modes, impersonate, wanted};
pub(crate) use jwt::{ALGORITHM, SigningKey, SigningKeyError};
pub(crate) use rbac::{Attributes, Rbac};
pub(crate) use service_account::{AUDIENCE, Claims, ISSUER, reference};
pub(crate) use token_file::TokenFileError;
use user::{ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED};
pub(crate) use user::{SUPERUSERS, User};

/// The static bearer tokens: those of a token file, and those that are issued for tests.
#[derive(Default)]
pub(crate) struct Tokens(RwLock<HashMap<String, Arc<User>>>);

impl Tokens {
    /// Creates a token for a user.
    pub(crate) fn issue(&self, user: User) -> String {
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        self.0.write().expect("no panics while held").insert(token.clone(), Arc::new(user));
        token
    }

    /// Adds the tokens of a file, in the format of kube-apiserver's `--token-auth-file`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its format is not valid.
    pub(crate) fn load(&self, path: &Path) -> std::result::Result<(), TokenFileError> {
        let tokens = token_file::read(path)?.into_iter().map(|(token, user)| (token, Arc::new(user)));
        self.0.write().expect("no panics while held").extend(tokens);
        Ok(())
    }

    /// The user of a token.
    pub(crate) fn find(&self, token: &str) -> Option<Arc<User>> {
        self.0.read().expect("no panics while held").get(token).cloned()
    }
}
