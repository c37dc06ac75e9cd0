//! Who is asking, and whether they may.

mod rbac;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use http::HeaderMap;
use http::header::AUTHORIZATION;

pub(crate) use rbac::{Attributes, Rbac};

use crate::status::{Failure, Result};

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
}

/// May do everything, whatever roles say.
pub(crate) const SUPERUSERS: &str = "system:masters";

impl User {
    pub(crate) fn new(name: &str, groups: &[String]) -> Self {
        let mut groups = groups.to_vec();
        groups.push("system:authenticated".to_owned());
        User { name: name.to_owned(), uid: String::new(), groups }
    }

    fn anonymous() -> Self {
        User {
            name: "system:anonymous".to_owned(),
            uid: String::new(),
            groups: vec!["system:unauthenticated".to_owned()],
        }
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|other| other == group)
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
