//! The metrics of sharding, through the `metrics` crate. Without the feature `metrics` all of it is empty.

#[cfg(feature = "metrics")]
const MEMBERS: &str = "klient_sharding_members";
#[cfg(feature = "metrics")]
const LOSSES: &str = "klient_sharding_losses_total";

/// Registers the descriptions of the metrics of sharding with the recorder that the program has installed.
///
/// | metric | labels | recorded |
/// |---|---|---|
/// | `klient_sharding_members` | `group` | the members of the group as this replica sees it; 0 while it has no keys |
/// | `klient_sharding_losses_total` | `group` | for each time that this replica lost its keys without giving them up |
#[cfg(feature = "metrics")]
pub fn describe_metrics() {
    metrics::describe_gauge!(
        MEMBERS,
        "Number of replicas among which the keys of the group are shared; 0 while this one has no keys."
    );
    metrics::describe_counter!(
        LOSSES,
        "Number of times that this replica lost its keys in the group since its Lease was not renewed in time, or changed by \
         somebody else."
    );
}

/// Sets the series of a group, so that they are there before the first change.
pub(super) fn begin(group: &str) {
    members(group, 0);
    #[cfg(feature = "metrics")]
    metrics::counter!(LOSSES, "group" => group.to_owned()).increment(0);
}

pub(super) fn members(group: &str, count: usize) {
    #[cfg(feature = "metrics")]
    metrics::gauge!(MEMBERS, "group" => group.to_owned()).set(count as f64);
    let _ = (group, count);
}

pub(super) fn lost(group: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(LOSSES, "group" => group.to_owned()).increment(1);
    let _ = group;
}
