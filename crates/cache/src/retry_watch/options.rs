//! [`RetryWatchOptions`], the options of a [`RetryWatch`](super::RetryWatch).

use std::time::Duration;

use klient_apimachinery::Str;
use klient_apimachinery::codec::ManagedFields;

/// Options of a [`RetryWatch`](super::RetryWatch).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryWatchOptions {
    /// Restricts the watch to objects with matching labels.
    pub label_selector: Option<Str>,
    /// Restricts the watch to objects with matching fields.
    pub field_selector: Option<Str>,
    /// Keeps or drops the objects' `managedFields`.
    pub managed_fields: ManagedFields,
    /// The shortest time from one start of the watch to the next; 1 s by default. Up to doubled at random
    /// after a failure, so that clients do not reconnect at once. Shorter ones are meant for tests.
    pub min_restart_delay: Duration,
}

impl Default for RetryWatchOptions {
    fn default() -> Self {
        RetryWatchOptions {
            label_selector: None,
            field_selector: None,
            managed_fields: ManagedFields::default(),
            min_restart_delay: Duration::from_secs(1),
        }
    }
}
