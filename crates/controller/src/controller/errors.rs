//! The errors of a controller's run.

use std::fmt::Write as _;
use std::time::Duration;

use klient_apimachinery::{ObjectKey, ResourceInfo};

use crate::error::{Error, ErrorKind};

/// A cache that cannot be filled.
pub(super) fn sync(controller: &str, error: klient_cache::Error) -> Error {
    Error::caused(ErrorKind::Sync, format!("controller {controller}: cannot fill its caches"), error)
}

/// Caches that were not filled in time, with their last errors.
pub(super) fn sync_timeout(
    controller: &str,
    limit: Duration,
    unsynced: impl Iterator<Item = (ResourceInfo, Option<klient_cache::Error>)>,
) -> Error {
    let seconds = limit.as_secs_f64();
    let mut problem = format!("controller {controller}: its caches were not filled within {seconds} s");
    for (index, (resource, error)) in unsynced.enumerate() {
        problem.push_str(if index == 0 { ": " } else { "; " });
        problem.push_str(&resource.group_resource().to_string());
        if let Some(error) = error {
            write!(problem, " ({error})").expect("a string takes all that is written");
        }
    }
    Error::new(ErrorKind::Sync, problem)
}

/// An informer that was stopped during the run.
pub(super) fn informer_stopped(controller: &str, resource: &ResourceInfo) -> Error {
    let resource = resource.group_resource();
    let problem = format!(
        "controller {controller}: the informer of {resource} was stopped, so that there are no more events; stop \
         informers and shut factories down when the controller has ended"
    );
    Error::new(ErrorKind::InformerStopped, problem)
}

/// Reconciles that had not ended some time after the shutdown, and those among them that could not be cancelled.
/// The reconciles of the run before still block their threads, so that this one cannot begin.
pub(super) fn last_run(controller: &str, limit: Duration, blocked: &[ObjectKey]) -> Error {
    let keys = blocked.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let seconds = limit.as_secs_f64();
    let problem = format!(
        "controller {controller}: it cannot run again, since reconciles of its last run still block their threads after \
         {seconds} s: {keys}; use tokio::task::spawn_blocking, and restart this process"
    );
    Error::new(ErrorKind::Shutdown, problem)
}

pub(super) fn shutdown_timeout(
    controller: &str,
    limit: Duration,
    running: &[ObjectKey],
    blocked: &[ObjectKey],
) -> Error {
    let list = |keys: &[ObjectKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (seconds, keys) = (limit.as_secs_f64(), list(running));
    let mut problem =
        format!("controller {controller}: reconciles were cancelled {seconds} s after the shutdown: {keys}");
    if !blocked.is_empty() {
        write!(problem, "; these block their threads and still run: {}", list(blocked))
            .expect("a string takes all that is written");
    }
    Error::new(ErrorKind::Shutdown, problem)
}
