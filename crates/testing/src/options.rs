//! [`Options`] of a crash test.

use std::time::Duration;

use crate::identity::resource_name;
use crate::play::PlayKind;

/// Options of a [`CrashTest`](crate::CrashTest). Times are virtual: they pass at once.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time without a change of an object after which the controller counts as at rest: 10 minutes by default. A
    /// change that a controller makes only with a periodic resync is missed if that is later.
    pub rest: Duration,
    /// The time after which a controller that is not at rest, or a step that has not ended, is a finding: 2 hours by
    /// default.
    pub limit: Duration,
    /// Kinds of plays to leave out.
    pub skip: Vec<PlayKind>,
    /// The number of plays, if there are more: a random choice of them, by the seed.
    pub max_plays: Option<usize>,
    /// The seed of random numbers: of the choice of plays, and of the back-offs of the client.
    pub seed: u64,
    /// Resources whose objects are not compared, and writes to which are not counted: `PLURAL.GROUP`, or `PLURAL` in the
    /// core group. By default Events and Leases.
    pub excluded_resources: Vec<String>,
    /// Fields that are not compared: a resource, and a JSON pointer, in which `*` stands for every key and index:
    /// `("secrets", "/data/password")`.
    pub ignored_fields: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        let excluded = ["events", "events.events.k8s.io", "leases.coordination.k8s.io"];
        Options {
            rest: Duration::from_secs(10 * 60),
            limit: Duration::from_secs(2 * 3600),
            skip: Vec::new(),
            max_plays: None,
            seed: 0,
            excluded_resources: excluded.map(str::to_owned).to_vec(),
            ignored_fields: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) fn is_excluded(&self, group: &str, plural: &str) -> bool {
        let name = resource_name(group, plural);
        self.excluded_resources.contains(&name)
    }
}
