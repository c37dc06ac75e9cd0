//! Authentication and authorization.

mod grant;
mod impersonation;
mod rbac;
mod token_file;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, RwLock};

use http::HeaderMap;
use http::header::AUTHORIZATION;

pub(crate) use impersonation::{Modes, impersonate, wanted};
pub(crate) use rbac::{Attributes, Rbac};
pub(crate) use token_file::TokenFileError;

use crate::status::{Failure, Result};

/// An authenticated user, or the anonymous one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    /// Additional attributes, by key.
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

/// The group that is authorized for everything, without roles.
pub(crate) const SUPERUSERS: &str = "system:masters";

/// The user of requests without credentials.
const ANONYMOUS: &str = "system:anonymous";

/// The group of all users with credentials.
const AUTHENTICATED: &str = "system:authenticated";

/// The group of requests without credentials.
const UNAUTHENTICATED: &str = "system:unauthenticated";

impl User {
    pub(crate) fn new(name: &str, groups: &[String]) -> Self {
        let mut groups = groups.to_vec();
        if !groups.iter().any(|group| group == AUTHENTICATED || group == UNAUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        User { name: name.to_owned(), groups, ..User::default() }
    }

    fn anonymous() -> Self {
        User { name: ANONYMOUS.to_owned(), groups: vec![UNAUTHENTICATED.to_owned()], ..User::default() }
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|other| other == group)
    }

    /// Returns true if only the name is set.
    fn is_only_named(&self) -> bool {
        self.uid.is_empty() && self.groups.is_empty() && self.extra.is_empty()
    }
}

/// The valid bearer tokens.
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

/// Authenticates a request by its client certificate, then by its bearer token. Requests without either are
/// anonymous.
///
/// # Errors
///
/// 401 if the token is unknown.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    certificate: Option<&Arc<User>>,
    tokens: &Tokens,
) -> Result<Arc<User>> {
    if let Some(user) = certificate {
        return Ok(user.clone());
    }
    let token = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
        // As upstream, which splits at every blank: the token is the second part, and further ones are ignored.
        let token = token.split(' ').next().filter(|token| !token.is_empty());
        token.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    });
    match token {
        Some(token) => tokens.find(token).ok_or_else(Failure::unauthorized),
        None => Ok(Arc::new(User::anonymous())),
    }
}
