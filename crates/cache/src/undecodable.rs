//! [`Undecodable`], an object version that cannot be decoded.

use std::fmt;

use klient_apimachinery::codec::Identity;

use crate::error::Error;
use crate::key::ObjectKey;

/// The present version of an object, if it cannot be decoded or a transform panics on it.
///
/// A store keeps the last decodable state of the object, if there is one, marked:
/// [`Cached::undecodable`](crate::Cached::undecodable). [`Store::undecodable`](crate::Store::undecodable)
/// returns it by key.
#[derive(Clone)]
#[non_exhaustive]
pub struct Undecodable {
    /// The key of the object.
    pub key: ObjectKey,
    /// The object's uid; empty if it cannot be read.
    pub uid: Box<str>,
    /// The resourceVersion that cannot be decoded; empty if it cannot be read.
    pub resource_version: Box<str>,
    /// The decoding error; [`Error::field`] names the field at fault.
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

    /// Returns true if this is the given version of the object. A version that cannot be read never matches.
    pub(crate) fn is_version(&self, uid: &str, resource_version: &str) -> bool {
        !resource_version.is_empty() && *self.resource_version == *resource_version && *self.uid == *uid
    }
}

/// Formats as `NAMESPACE/NAME@VERSION: error`.
impl fmt::Debug for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}: {}", self.key, self.resource_version, self.error)
    }
}
