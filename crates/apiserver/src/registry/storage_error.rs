//! The keys of objects in etcd, and conflicts in the words of upstream's storage, which name them.

use super::Resource;
use crate::status::Failure;
use crate::storage::Key;

/// The etcd key prefixes of resources whose prefix is not their plural.
const PREFIXES: [(&str, &str, &str); 5] = [
    ("", "endpoints", "services/endpoints"),
    ("", "nodes", "minions"),
    ("", "replicationcontrollers", "controllers"),
    ("", "services", "services/specs"),
    ("networking.k8s.io", "ingresses", "ingress"),
];

/// Groups whose API servers, as that of custom resources, put the group into the key.
const SERVED_APART: [&str; 2] = ["apiextensions.k8s.io", "apiregistration.k8s.io"];

/// The problem of a UID that is not the object's; the latter is empty if there is no object.
pub(crate) fn uid_mismatch(expected: &str, actual: &str) -> String {
    format!("Precondition failed: UID in precondition: {expected}, UID in object meta: {actual}")
}

impl Resource {
    /// The key of an object in etcd, without the prefix of all keys.
    pub(crate) fn storage_key(&self, key: &Key) -> String {
        let (group, plural) = (&*self.info.group, &*self.info.plural);
        let renamed = PREFIXES.iter().find(|(g, p, _)| *g == group && *p == plural);
        let prefix = renamed.map_or(plural, |(_, _, prefix)| prefix);
        let group = if self.is_custom() || SERVED_APART.contains(&group) {
            format!("{group}/")
        } else {
            String::new()
        };
        format!("/{group}{prefix}/{key}")
    }

    /// 409 for an object that is not as a write expects it.
    pub(crate) fn storage_conflict(&self, key: &Key, problem: &str) -> Failure {
        let problem = format!(
            "StorageError: invalid object, Code: 4, Key: /registry{}, ResourceVersion: 0, AdditionalErrorMsg: {problem}",
            self.storage_key(key)
        );
        Failure::conflict(&self.target(key.name()), &problem)
    }
}
