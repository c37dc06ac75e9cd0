//! [`Claim`], the keys that a replica claims by the annotation of its Lease.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use klient_apimachinery::{Str, compare_resource_versions};
use serde::{Deserialize, Serialize};

use super::key::ShardKey;
use super::share::{Share, View};

/// The keys that a replica claims: its share under the view that it acts by, and those that it still has in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) share: Share,
    /// Keys outside of the share whose work has not ended, in order.
    pub(super) retained: Vec<ShardKey>,
    pub(super) written: Written,
}

/// The greatest resourceVersion that was written, per resource such as `deployments.apps`, or per resource and namespace
/// as in `deployments.apps/shop` if the cache has versions of each namespace.
pub(super) type Written = BTreeMap<String, Str>;

/// A claim in JSON.
#[derive(Serialize, Deserialize)]
struct Text {
    members: Vec<Str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retained: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    written: Written,
}

impl Claim {
    /// The claim to nothing.
    pub(super) fn none() -> Self {
        Claim { share: Share::none(), retained: Vec::new(), written: Written::new() }
    }

    /// The claim to every key: that of a replica of which nothing is known but that it was there.
    pub(super) fn everything(identity: &str) -> Self {
        Claim { share: Share::new(Arc::new(View::new([identity.into()])), identity), ..Self::none() }
    }

    pub(super) fn is_none(&self) -> bool {
        self.share.is_none() && self.retained.is_empty()
    }

    pub(super) fn has(&self, key: ShardKey) -> bool {
        self.share.has(key) || self.retained.binary_search(&key).is_ok()
    }

    pub(super) fn encode(&self) -> String {
        let text = Text {
            members: self.share.view().identities().to_vec(),
            retained: self.retained.iter().map(|key| format!("{key:?}")).collect(),
            written: self.written.clone(),
        };
        serde_json::to_string(&text).expect("strings and maps of strings are JSON")
    }

    /// Reads the claim of a replica. One that cannot be read is one to every key.
    pub(super) fn decode(text: Option<&str>, identity: &str) -> Self {
        let claim = text.and_then(|text| {
            let text: Text = serde_json::from_str(text).ok()?;
            let key = |digits: &String| u64::from_str_radix(digits, 16).ok().map(ShardKey);
            let mut retained = text.retained.iter().map(key).collect::<Option<Vec<_>>>()?;
            retained.sort_unstable();
            let share = Share::new(Arc::new(View::new(text.members)), identity);
            Some(Claim { share, retained, written: text.written })
        });
        claim.unwrap_or_else(|| Self::everything(identity))
    }
}

/// Takes note of a version, if it is greater than the one that is known.
pub(super) fn note(written: &mut Written, resource: &str, version: &str) {
    let is_older = written
        .get(resource)
        .is_some_and(|known| compare_resource_versions(known, version).is_none_or(Ordering::is_ge));
    // A version that cannot be compared with itself cannot be waited for.
    if !is_older && compare_resource_versions(version, version).is_some() {
        written.insert(resource.to_owned(), version.into());
    }
}
