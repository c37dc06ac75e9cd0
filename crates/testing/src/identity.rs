//! [`Identity`], the name of an object that is the same in every play.

use std::fmt;

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
    /// The identity of an object whose name is the same in every play as it is.
    pub(crate) fn of_plain(stored: &StoredObject) -> Identity {
        let info = stored.resource();
        Identity {
            resource: resource_name(&info.group, &info.plural),
            namespace: stored.namespace().map(str::to_owned),
            name: stored.name().to_owned(),
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
