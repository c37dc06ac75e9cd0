//! [`GroupVersionKind`], the kind of an object.

use std::fmt;

use klient_apimachinery::Str;

use super::Resource;

/// The kind of an object, or of the object that a subresource presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupVersionKind {
    pub(crate) group: Str,
    pub(crate) version: Str,
    pub(crate) kind: Str,
}

impl GroupVersionKind {
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// As Go prints it: `apps/v1, Kind=Deployment`.
impl fmt::Display for GroupVersionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

impl Resource {
    /// The kind of its objects, or of those that a subresource presents.
    pub(crate) fn kind_of(&self, subresource: Option<&str>) -> GroupVersionKind {
        let own = GroupVersionKind {
            group: (*self.info.group).into(),
            version: (*self.info.version).into(),
            kind: (*self.info.kind).into(),
        };
        match subresource.and_then(|name| self.subresource(name)) {
            // Without a version it is that of the resource.
            Some(subresource) if subresource.version.is_empty() => {
                GroupVersionKind { kind: subresource.kind.as_str().into(), ..own }
            }
            Some(subresource) => GroupVersionKind {
                group: subresource.group.as_str().into(),
                version: subresource.version.as_str().into(),
                kind: subresource.kind.as_str().into(),
            },
            None => own,
        }
    }
}
