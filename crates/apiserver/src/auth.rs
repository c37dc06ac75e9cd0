//! Who is asking, and whether they may.

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

/// Who is asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    /// What else is known of the user, by key.
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

/// May do everything, whatever roles say.
pub(crate) const SUPERUSERS: &str = "system:masters";

/// The user of requests without credentials.
const ANONYMOUS: &str = "system:anonymous";

/// The group of everyone who shows credentials.
const AUTHENTICATED: &str = "system:authenticated";

/// The group of everyone who shows none.
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

    /// Whether nothing but the name is known.
    fn is_only_named(&self) -> bool {
        self.uid.is_empty() && self.groups.is_empty() && self.extra.is_empty()
    }
}

/// The bearer tokens that are known.
#[derive(Default)]
pub(crate) struct Tokens(RwLock<HashMap<String, Arc<User>>>);

impl Tokens {
    /// Makes a token for a user.
    pub(crate) fn issue(&self, user: User) -> String {
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        self.0.write().expect("no panics while held").insert(token.clone(), Arc::new(user));
        token
    }

    /// Takes the tokens of a file, in the format of kube-apiserver's `--token-auth-file`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not of that format.
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

/// Tells who is asking: by client certificate, then by bearer token. Who shows neither is anonymous.
///
/// # Errors
///
/// 401 if the token is not known.
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
        let token = Some(token.trim()).filter(|token| !token.is_empty());
        token.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    });
    match token {
        Some(token) => tokens.find(token).ok_or_else(Failure::unauthorized),
        None => Ok(Arc::new(User::anonymous())),
    }
}
