//! [`User`], the user of a request.

use std::collections::BTreeMap;

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
pub(super) const ANONYMOUS: &str = "system:anonymous";

/// The group of all users with credentials.
pub(super) const AUTHENTICATED: &str = "system:authenticated";

/// The group of requests without credentials.
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";

/// The key of the attribute that identifies the token or certificate of a user.
const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

impl User {
    pub(crate) fn new(name: &str, groups: &[String]) -> Self {
        let mut groups = groups.to_vec();
        if !groups.iter().any(|group| group == AUTHENTICATED || group == UNAUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        User { name: name.to_owned(), groups, ..User::default() }
    }

    pub(super) fn anonymous() -> Self {
        User { name: ANONYMOUS.to_owned(), groups: vec![UNAUTHENTICATED.to_owned()], ..User::default() }
    }

    /// The user with the identifier of its token or certificate among its attributes.
    pub(crate) fn with_credential_id(mut self, id: String) -> Self {
        self.extra.insert(CREDENTIAL_ID.to_owned(), vec![id]);
        self
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|other| other == group)
    }

    /// Returns true if only the name is set.
    pub(super) fn is_only_named(&self) -> bool {
        self.uid.is_empty() && self.groups.is_empty() && self.extra.is_empty()
    }
}
