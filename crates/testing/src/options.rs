//! [`Options`] of a crash test.

use std::time::Duration;

use crate::identity::resource_name;
use crate::play::PlayKind;

/// Options of a [`CrashTest`](crate::CrashTest). Times are virtual: they pass at once.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time without a change of an object after which the controller counts as at rest: 20 minutes by default, longer
    /// than the longest back-off of a work queue, which is 1000 s. A change that a controller makes only with a periodic
    /// resync is missed if that is later. Changes of what is not compared, such as times and
    /// [`ignored_fields`](Self::ignored_fields), do not count.
    pub rest: Duration,
    /// The time after which a controller that is not at rest, or a step that has not ended, is a finding: 2 hours by
    /// default.
    pub limit: Duration,
    /// The number of requests that the controller may send after a start or a step until it is at rest: 10,000 by default. A
    /// controller that sends more is a finding. It may be one that sends requests without a pause, for which virtual time
    /// would stand still.
    pub max_requests: usize,
    /// The real time for which virtual time may stand still, 60 s by default: after that a controller that works without a
    /// pause, and sends no request, is a finding.
    pub stalled: Duration,
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
    /// `("secrets", "/data/password")`. Conditions are in the order of their types, finalizers and owners in that of their
    /// texts.
    pub ignored_fields: Vec<(String, String)>,
    /// Arguments of `cargo test` that the test needs, such as `--features testing`, for the line that plays a finding again.
    pub cargo_arguments: String,
}

impl Default for Options {
    fn default() -> Self {
        let excluded = ["events", "events.events.k8s.io", "leases.coordination.k8s.io"];
        Options {
            rest: Duration::from_secs(20 * 60),
            limit: Duration::from_secs(2 * 3600),
            max_requests: 10_000,
            stalled: Duration::from_secs(60),
            skip: Vec::new(),
            max_plays: None,
            seed: 0,
            excluded_resources: excluded.map(str::to_owned).to_vec(),
            ignored_fields: Vec::new(),
            cargo_arguments: String::new(),
        }
    }
}

impl Options {
    pub(crate) fn is_excluded(&self, group: &str, plural: &str) -> bool {
        let name = resource_name(group, plural);
        self.excluded_resources.contains(&name)
    }
}
