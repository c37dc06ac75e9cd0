//! The plugins of the whole program.
//!
//! A program that makes a client for each object that it works on would start a plugin for each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::ExecConfig;
use super::authenticator::Authenticator;

/// The number of plugins that are kept when no client has them.
const KEPT: usize = 64;

static AUTHENTICATORS: Mutex<Vec<Arc<Authenticator>>> = Mutex::new(Vec::new());

/// The time at which the first of the plugins' client certificates expires.
pub(super) fn first_expiry() -> Option<SystemTime> {
    let all = AUTHENTICATORS.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().filter_map(|authenticator| Some(authenticator.last()?.validity?.not_after)).min()
}

/// The authenticator of a configuration, the same for equal ones.
pub(super) fn authenticator(config: ExecConfig) -> Arc<Authenticator> {
    let mut all = AUTHENTICATORS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = all.iter().position(|authenticator| *authenticator.config() == config) {
        // The one that was used last is the last to go.
        let found = all.remove(found);
        all.push(found.clone());
        return found;
    }
    if all.len() >= KEPT
        && let Some(unused) = all.iter().position(|authenticator| Arc::strong_count(authenticator) == 1)
    {
        all.remove(unused);
    }
    let new = Arc::new(Authenticator::new(config));
    all.push(new.clone());
    new
}
