//! [`JsonOnlyGroups`], the groups that are spoken to in JSON.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use klient_apimachinery::Str;

/// A group and a version.
pub(crate) type GroupVersion = (Str, Str);

/// The groups and versions that turned out to be served in JSON only.
#[derive(Debug, Default)]
pub(crate) struct JsonOnlyGroups(RwLock<HashSet<GroupVersion>>);

impl JsonOnlyGroups {
    pub(crate) fn has(&self, group_version: &GroupVersion) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(group_version)
    }

    pub(crate) fn insert(&self, group_version: GroupVersion) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(group_version);
    }
}
