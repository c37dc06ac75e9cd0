//! [`Authorizer`], which answers the authorization checks of expressions.

use std::fmt;

/// An authorization check: of a request for a resource, or for a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccessCheck {
    /// The namespace and name of the service account that is checked; `None` for the user of the request.
    pub service_account: Option<(String, String)>,
    /// The verb.
    pub verb: String,
    /// The path, for requests without a resource.
    pub path: Option<String>,
    /// The API group.
    pub group: String,
    /// The resource, in the plural.
    pub resource: String,
    /// The subresource, or empty.
    pub subresource: String,
    /// The namespace, or empty.
    pub namespace: String,
    /// The name of the object, or empty.
    pub name: String,
    /// The field selector, or empty.
    pub field_selector: String,
    /// The label selector, or empty.
    pub label_selector: String,
}

/// The answer to an authorization check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// True if the request is allowed.
    pub allowed: bool,
    /// The reason, or empty.
    pub reason: String,
    /// The error of the authorizer, if there was one.
    pub error: Option<String>,
}

/// Answers the authorization checks of expressions.
pub trait Authorizer: fmt::Debug + Sync {
    /// Answers a check.
    fn check(&self, check: &AccessCheck) -> Decision;
}
