//! [`Identity`], the name of an object that is the same in every play.

use std::fmt;

use klient_apimachinery::{Object as _, Unstructured};
use klient_apiserver::StoredObject;

/// The name of an object that is the same in every play. A generated name has `*` for its random part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity {
    /// `PLURAL.GROUP`, or `PLURAL` in the core group.
    pub(crate) resource: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Identity {
    /// The identity of a stored object under a [stable name](stable_name).
    pub(crate) fn named(stored: &StoredObject, name: &str) -> Identity {
        let info = stored.resource();
        Identity {
            resource: resource_name(&info.group, &info.plural),
            namespace: stored.namespace().map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.resource)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

/// `PLURAL.GROUP`, or `PLURAL` in the core group.
pub(crate) fn resource_name(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

/// The name of an object, with `*` for a part that the server has generated, or will.
pub(crate) fn stable_name(object: &Unstructured) -> String {
    let prefix = object["metadata"]["generateName"].as_str().filter(|prefix| !prefix.is_empty());
    match prefix.filter(|prefix| object.name().is_empty() || object.name().starts_with(prefix)) {
        Some(prefix) => format!("{prefix}*"),
        None => object.name().to_owned(),
    }
}
