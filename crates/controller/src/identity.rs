//! The identity of an object by its uid: one that was deleted and created again is another.

use std::fmt;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, Object, ObjectKey, Place, verbs};
use klient_client::Api;

use crate::error::{Error, ErrorKind};

/// An object of a name at present.
pub(crate) enum Current<K> {
    /// The same object.
    Same(K),
    /// Another object of that name.
    Other,
}

impl<K: Wire + Object + verbs::Get> Current<K> {
    /// Reads the object of a name. That there is none is an error of the request.
    pub(crate) async fn read<P: Addressable>(api: &Api<K, P>, name: &str, uid: &str) -> Result<Self, Error> {
        let object = api.get(name).await?;
        Ok(if object.uid() == uid { Current::Same(object) } else { Current::Other })
    }
}

/// Returns true if a write failed because the object has another version or uid.
pub(crate) fn is_stale(error: &klient_client::Error) -> bool {
    // A patch of another uid is invalid to a server that compares that first.
    error.is_conflict() || error.is_invalid() && error.causes().any(|(_, field, _)| field == "metadata.uid")
}

/// The uid of an object that comes from a server.
pub(crate) fn uid_of(object: &impl Object) -> Result<&str, Error> {
    if object.uid().is_empty() {
        let key = ObjectKey::of(object);
        let what = format!("the object {key} has no uid: take it as the server or a cache returns it");
        return Err(Error::new(ErrorKind::NoUid, what));
    }
    Ok(object.uid())
}

/// The name of an object for errors, such as `configmaps default/colors`.
pub(crate) struct Description(String);

pub(crate) fn describe<K, P: Place>(api: &Api<K, P>, namespace: Option<&str>, name: &str) -> Description {
    Description(format!("{} {}", api.resource().group_resource(), ObjectKey::new(namespace, name)))
}

impl Description {
    /// The error for an object that is not the one that was given.
    pub(crate) fn replaced(&self) -> Error {
        let what = format!("{self} was deleted and created again since it was read");
        Error::new(ErrorKind::Replaced, what)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
