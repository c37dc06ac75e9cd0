//! [`Undecodable`], a version of an object that cannot be decoded.

use std::fmt;

use klient_apimachinery::codec::Identity;

use crate::error::Error;
use crate::key::ObjectKey;

/// A version of an object that the server holds and that cannot be decoded, or that a transform fails on.
///
/// A store keeps the last state of the object that could be decoded, if there is one, and marks it:
/// [`Cached::undecodable`](crate::Cached::undecodable). [`Store::undecodable`](crate::Store::undecodable) finds it by
/// key.
#[derive(Clone)]
pub struct Undecodable {
    /// The object's key.
    pub key: ObjectKey,
    /// The object's uid; empty if it cannot be read.
    pub uid: Box<str>,
    /// The version that cannot be decoded; empty if it cannot be read.
    pub resource_version: Box<str>,
    /// Why: [`Error::field`] names the field at fault.
    pub error: Error,
}

impl Undecodable {
    pub(crate) fn new(identity: &Identity, error: Error) -> Self {
        Undecodable {
            key: ObjectKey::new(Some(&identity.namespace), &identity.name),
            uid: identity.uid.as_str().into(),
            resource_version: identity.resource_version.as_str().into(),
            error,
        }
    }

    /// Whether both are the same version of one object. One without a version is never the same as another.
    pub(crate) fn is_version(&self, uid: &str, resource_version: &str) -> bool {
        !resource_version.is_empty() && *self.resource_version == *resource_version && *self.uid == *uid
    }
}

/// `NAMESPACE/NAME@VERSION: why`.
impl fmt::Debug for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}: {}", self.key, self.resource_version, self.error)
    }
}
