//! The identity of an object by its uid: one that was deleted and created again is another.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, Object, ObjectKey, Place, verbs};
use klient_client::Api;

use crate::error::{Error, ErrorKind};

/// Reads an object again, which must be the same.
///
/// # Errors
///
/// [`ErrorKind::Replaced`] if another object of its name exists. That there is none is an error of the request.
pub(crate) async fn read_again<K, P>(api: &Api<K, P>, object: &impl Object) -> Result<K, Error>
where
    K: Wire + Object + verbs::Get,
    P: Addressable,
{
    let current = api.get(object.name()).await?;
    if current.uid() == object.uid() {
        return Ok(current);
    }
    let what = describe(api, object.namespace(), object.name());
    Err(Error::new(ErrorKind::Replaced, format!("{what} was deleted and created again since it was read")))
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

/// An object in messages, such as `configmaps default/colors`.
pub(crate) fn describe<K, P: Place>(api: &Api<K, P>, namespace: Option<&str>, name: &str) -> String {
    format!("{} {}", api.resource().group_resource(), ObjectKey::new(namespace, name))
}
