//! [`ReflectorOptions`], the options of list and watch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::ManagedFields;
use klient_apimachinery::labels::{self, InvalidSelector};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::{SourceError, Str, fields};
use klient_workqueue::{Backoff, ResettingBackoff};

use crate::error::Error;

/// Called with every error of a list, a watch or a decoded object; the reflector continues all the same
/// (client-go's `WatchErrorHandler`).
pub type WatchErrorHandler = Arc<dyn Fn(&Error) + Send + Sync>;

/// Options of list and watch.
#[derive(Clone)]
pub struct ReflectorOptions {
    /// Restricts the store to objects with matching labels.
    pub label_selector: Option<Str>,
    /// Restricts the store to objects with matching fields.
    pub field_selector: Option<Str>,
    /// Keeps or drops the objects' `managedFields`, often a quarter of an object; dropped by default. An
    /// update of an object without them does not remove them on the server.
    pub managed_fields: ManagedFields,
    /// The page size of lists that are not streamed; by default 500 where the server can page from etcd, as
    /// in client-go.
    pub page_size: Option<u32>,
    /// Requests the first list as a stream of watch events (KEP-3157), which costs the server less memory;
    /// `true` by default. Falls back to a list where the server does not support that.
    pub watch_list: bool,
    /// The longest time without another object in a streamed list before the closing bookmark; 10 s by
    /// default. The reflector then falls back to a list. Changes after the initial objects do not extend it.
    pub bookmark_timeout: Duration,
    /// The shortest duration of a watch, up to doubled at random; 5 minutes by default, as in client-go.
    /// Shorter ones are meant for tests.
    pub min_watch_timeout: Duration,
    /// The time during which a watch that fails with an internal error of the server is retried before a new
    /// list; none by default (client-go's `MaxInternalErrorRetryDuration`).
    pub max_internal_error_retry: Duration,
    /// The delay between attempts; by default 0.8 s to 30 s, up to doubled at random, and reset after two
    /// minutes without a failure.
    pub backoff: ResettingBackoff,
    /// Receives all errors, which are logged by default.
    pub on_error: Option<WatchErrorHandler>,
}

impl Default for ReflectorOptions {
    fn default() -> Self {
        ReflectorOptions {
            label_selector: None,
            field_selector: None,
            managed_fields: ManagedFields::Skip,
            page_size: None,
            watch_list: true,
            bookmark_timeout: Duration::from_secs(10),
            min_watch_timeout: Duration::from_secs(300),
            max_internal_error_retry: Duration::ZERO,
            backoff: default_backoff(),
            on_error: None,
        }
    }
}

impl ReflectorOptions {
    /// Checks the syntax of the selectors.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        let refuse = |error: InvalidSelector| {
            let problem = error.to_string();
            SourceError::status(Status::failure(Reason::BadRequest, problem.clone()), None, problem)
        };
        if let Some(labels) = &self.label_selector {
            let parsed = labels.parse::<labels::Selector>();
            parsed.map_err(|error| refuse(error.of("label selector", labels)))?;
        }
        if let Some(fields) = &self.field_selector {
            let parsed = fields.parse::<fields::Selector>();
            parsed.map_err(|error| refuse(error.of("field selector", fields)))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ReflectorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReflectorOptions")
            .field("label_selector", &self.label_selector)
            .field("field_selector", &self.field_selector)
            .field("managed_fields", &self.managed_fields)
            .field("page_size", &self.page_size)
            .field("watch_list", &self.watch_list)
            .field("min_watch_timeout", &self.min_watch_timeout)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

/// The backoff of client-go's reflector.
fn default_backoff() -> ResettingBackoff {
    Backoff {
        duration: Duration::from_millis(800),
        factor: 2.0,
        jitter: 1.0,
        steps: u32::MAX,
        cap: Some(Duration::from_secs(30)),
    }
    .resetting(Duration::from_secs(120))
}
