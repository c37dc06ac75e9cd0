//! Duplicates in `metadata.ownerReferences`.

use serde_json::Value;

use klient_apimachinery::values::{self, Map};

/// Removes duplicate owner references.
pub(crate) fn dedup_owners(object: &mut Map) {
    let owners = values::at_mut(object, &["metadata", "ownerReferences"]);
    if let Some(owners) = owners.and_then(Value::as_array_mut) {
        let mut once: Vec<Value> = Vec::with_capacity(owners.len());
        for owner in owners.drain(..) {
            if !once.contains(&owner) {
                once.push(owner);
            }
        }
        *owners = once;
    }
}

/// The part of the warning for duplicates that result from a patch.
pub(crate) const AFTER_ADMISSION: &str = " after mutating admission happens";

/// The warning for a client whose object has duplicate owner references; `when` gives the stage at which they were
/// found.
pub(crate) fn duplicate_owners(object: &Map, when: &str) -> Option<String> {
    let owners = values::list_at(object, &["metadata", "ownerReferences"]);
    let is_twice = |(index, owner): &(usize, &Value)| owners[..*index].contains(owner);
    let twice = owners.iter().enumerate().filter(is_twice);
    let uids: Vec<&str> = twice.map(|(_, owner)| owner["uid"].as_str().unwrap_or_default()).collect();
    (!uids.is_empty()).then(|| {
        format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in \
             1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) \
             observed: {}",
            uids.join(", ")
        )
    })
}
