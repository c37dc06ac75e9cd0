//! [`ShardingConfig`]: the group of replicas and the times of its Leases.

use std::time::Duration;

use klient_apimachinery::go::quoted;
use klient_apimachinery::{Str, validation};

use crate::error::{Error, ErrorKind};
use crate::host_name::host_name;
use crate::lease::Times;

/// The group of replicas that share keys, and the times of its Leases.
///
/// All replicas of a group should have the same times.
#[derive(Clone, Debug)]
pub struct ShardingConfig {
    /// The namespace of the Leases.
    pub namespace: Str,
    /// The name of the group, with which the names of its Leases begin: a DNS subdomain of up to 63 characters. Groups of
    /// different names have nothing to do with each other.
    pub name: Str,
    /// The name of this replica, such as that of its pod; by default the name of the host. A random suffix makes it unique,
    /// so that two processes with one name, or a process and the one after its crash, are two members:
    /// [`Sharding::identity`](super::Sharding::identity).
    pub identity: Str,
    /// The time without a renewal after which the other replicas take the keys over, in whole seconds: fractions are
    /// rounded up. 15 s by default.
    pub lease_duration: Duration,
    /// The time after the last renewal at which a replica that cannot renew loses its keys; shorter than `lease_duration`,
    /// to allow for clocks of different speed. 10 s by default.
    pub renew_deadline: Duration,
    /// The time between renewals, and between looks at the others. 2 s by default.
    pub retry_period: Duration,
}

impl Default for ShardingConfig {
    fn default() -> Self {
        ShardingConfig {
            namespace: Str::default(),
            name: Str::default(),
            identity: Str::default(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

impl ShardingConfig {
    /// Checks the configuration, and returns the identity of this replica.
    pub(super) fn identity(&self, random: &mut fastrand::Rng) -> Result<Str, Error> {
        let problem = |problem: String| Error::new(ErrorKind::Config, format!("sharding: {problem}"));
        for (value, field) in [(&self.namespace, "namespace"), (&self.name, "name")] {
            if value.is_empty() {
                let group = quoted(format!("{}/{}", self.namespace, self.name));
                return Err(problem(format!("the {field} of group {group} is empty")));
            }
        }
        let times =
            Times { lease: self.lease_duration, renew: self.renew_deadline, retry: self.retry_period };
        times.check().map_err(problem)?;
        // The name is a label, too.
        let named = |problems: Vec<String>, what: &str, name: &str| match problems.is_empty() {
            true => Ok(()),
            false => Err(problem(format!("the {what} {} is invalid: {}", quoted(name), problems.join("; ")))),
        };
        named(validation::label_value(&self.name), "name of the group", &self.name)?;
        named(validation::dns_subdomain(&self.name), "name of the group", &self.name)?;
        let base = if self.identity.is_empty() { host_name() } else { self.identity.to_string() };
        let suffix: String = (0..8).map(|_| random.lowercase()).collect();
        let identity = format!("{base}-{suffix}");
        let lease = lease_name(&self.name, &identity);
        named(validation::dns_subdomain(&lease), "name of the Lease of this replica,", &lease)?;
        Ok(identity.into())
    }

    /// The time-out of a request: a failed renewal and the list after it leave time for another renewal.
    pub(super) fn request_timeout(&self) -> Duration {
        (self.renew_deadline / 3).max(Duration::from_millis(500)).min(self.renew_deadline)
    }
}

/// The name of the Lease of a replica.
pub(super) fn lease_name(group: &str, identity: &str) -> String {
    format!("{group}-{identity}")
}
