//! Counts of Pods in the status of workloads.

use klient_apimachinery::validation::field::{ErrorList, FieldError};

use crate::validation::at::At;

/// The counts of a kind's status.
pub(super) struct Counts {
    /// The fields that are not negative, in upstream's order.
    counts: &'static [&'static str],
    /// The fields that are at most `replicas`.
    parts: &'static [&'static str],
    /// The message about more available replicas than ready ones.
    more_available: &'static str,
    /// True if `collisionCount` does not decrease.
    has_collisions: bool,
}

pub(super) static DAEMON_SET: Counts = Counts {
    counts: &[
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ],
    parts: &[],
    more_available: "",
    has_collisions: true,
};

pub(super) static DEPLOYMENT: Counts = Counts {
    counts: &[
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
    ],
    parts: &["updatedReplicas", "readyReplicas", "availableReplicas"],
    more_available: "cannot be greater than readyReplicas",
    has_collisions: true,
};

pub(super) static REPLICA_SET: Counts = Counts {
    counts: &[
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
        "terminatingReplicas",
    ],
    parts: &["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
    more_available: "cannot be greater than readyReplicas",
    has_collisions: false,
};

pub(super) static REPLICATION_CONTROLLER: Counts = Counts {
    counts: &["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"],
    ..REPLICA_SET
};

pub(super) static STATEFUL_SET: Counts = Counts {
    counts: &[
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ],
    parts: &["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
    more_available: "cannot be greater than status.readyReplicas",
    has_collisions: true,
};

impl Counts {
    pub(super) fn check(&self, status: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
        for field in self.counts {
            status.get(field).must_not_be_negative(problems);
        }
        let most = |field: &str, than: &str, problem: &str, problems: &mut ErrorList| {
            let (value, limit) = (status.get(field), status.get(than).number());
            if value.number() > limit {
                problems.add(FieldError::invalid(value.path(), value.number(), problem));
            }
        };
        for field in self.parts {
            most(field, "replicas", "cannot be greater than status.replicas", problems);
        }
        if self.parts.contains(&"availableReplicas") {
            most("availableReplicas", "readyReplicas", self.more_available, problems);
        }
        if self.has_collisions {
            let (count, before) = (status.get("collisionCount"), before.get("collisionCount"));
            let is_less = match (count.int(), before.int()) {
                (None, Some(_)) => true,
                (Some(count), Some(before)) => count < before,
                (_, None) => false,
            };
            if is_less {
                problems.add(count.invalid_as(count.number(), "cannot be decremented"));
            }
        }
    }
}
