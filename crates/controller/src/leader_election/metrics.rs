//! The metrics of elections, through the `metrics` crate. Without the feature `metrics` all of it is empty.

#[cfg(feature = "metrics")]
const MASTER_STATUS: &str = "leader_election_master_status";
#[cfg(feature = "metrics")]
const SLOWPATH: &str = "leader_election_slowpath_total";

/// Registers the descriptions of the metrics of elections with the recorder that the program has installed.
///
/// | metric | labels | recorded |
/// |---|---|---|
/// | `leader_election_master_status` | `name` | 1 while this candidate leads, else 0 |
/// | `leader_election_slowpath_total` | `name` | for each renewal that had to read the Lease first |
///
/// `name` is [`LeaderElectionConfig::name`](super::LeaderElectionConfig::name).
#[cfg(feature = "metrics")]
pub fn describe_metrics() {
    metrics::describe_gauge!(
        MASTER_STATUS,
        "1 if this process is the leader by the lease of that name, 0 if it is a candidate."
    );
    metrics::describe_counter!(
        SLOWPATH,
        "Number of renewals of the lease of that name for which it was read first."
    );
}

pub(super) fn leader_on(name: &str) {
    #[cfg(feature = "metrics")]
    metrics::gauge!(MASTER_STATUS, "name" => name.to_owned()).set(1.0);
    let _ = name;
}

pub(super) fn leader_off(name: &str) {
    #[cfg(feature = "metrics")]
    metrics::gauge!(MASTER_STATUS, "name" => name.to_owned()).set(0.0);
    let _ = name;
}

pub(super) fn slowpath_exercised(name: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(SLOWPATH, "name" => name.to_owned()).increment(1);
    let _ = name;
}
