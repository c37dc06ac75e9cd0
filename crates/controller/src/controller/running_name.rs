//! [`RunningName`], the name of a controller that runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The controllers of this process that run, by their names.
static RUNNING: Mutex<BTreeMap<Arc<str>, usize>> = Mutex::new(BTreeMap::new());

/// The name of a controller that runs, until it is dropped.
pub(super) struct RunningName(Arc<str>);

impl RunningName {
    /// Takes a name, with a warning if another controller has it. controller-runtime refuses that, since Prometheus'
    /// library does; here the metrics are sums.
    pub(super) fn take(name: &Arc<str>) -> Self {
        let mut running = running();
        let controllers = running.entry(name.clone()).or_default();
        *controllers += 1;
        if *controllers > 1 {
            tracing::warn!(
                controller = %name,
                "another controller of this name runs in this process: they share their metrics, and logs do not tell them \
                 apart; name one of them with ControllerBuilder::name",
            );
        }
        RunningName(name.clone())
    }
}

impl Drop for RunningName {
    fn drop(&mut self) {
        let mut running = running();
        if let Some(controllers) = running.get_mut(&self.0) {
            *controllers -= 1;
            if *controllers == 0 {
                running.remove(&self.0);
            }
        }
    }
}

fn running() -> MutexGuard<'static, BTreeMap<Arc<str>, usize>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
