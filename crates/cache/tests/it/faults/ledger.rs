//! [`Ledger`], all states that objects have had.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use klient_apimachinery::{Object as _, Unstructured};

/// All states that objects have had, by uid and version.
#[derive(Default)]
pub(super) struct Ledger(Mutex<HashMap<String, BTreeMap<u64, String>>>);

impl Ledger {
    /// All known states of an object.
    pub(super) fn states(&self, uid: &str) -> BTreeMap<u64, String> {
        self.0.lock().unwrap().get(uid).cloned().unwrap_or_default()
    }

    /// Records the result of a write.
    pub(super) fn note(&self, object: &Unstructured) {
        let color = object.labels().find(|(key, _)| *key == "color").map(|(_, color)| color.to_owned());
        let mut version: u64 = object.resource_version().parse().unwrap();
        // A change that removes the last finalizer of a terminating object deletes it. The response then has
        // the version before.
        version += u64::from(object.at(&["metadata", "deletionTimestamp"]).is_some());
        let mut all = self.0.lock().unwrap();
        all.entry(object.uid().to_owned()).or_default().insert(version, color.unwrap_or_default());
    }

    /// `true` if an object had a state at a version. A deletion makes versions of its own that change nothing
    /// else.
    pub(super) fn has(&self, uid: &str, version: u64, color: &str, is_exact: bool) -> bool {
        let all = self.0.lock().unwrap();
        let Some(states) = all.get(uid) else { return false };
        let state = states.range(..=version).next_back();
        state.is_some_and(|(at, found)| found == color && (!is_exact || *at == version))
    }
}
