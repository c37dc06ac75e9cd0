//! [`Verbosity`], the settings that change while a program runs.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tracing::{Level, Metadata};

use crate::Error;
use crate::call::Call;
use crate::levels::{Levels, TargetLevels};
use crate::vmodule::VModule;

/// The verbosity of a log and of files (`-v` and `--vmodule`), to be changed while the program runs. Clones share it.
///
/// ```
/// use klient_klog::{Recorder, v};
///
/// let recorder = Recorder::start(0);
/// let verbosity = recorder.verbosity();
/// for level in [0, 4] {
///     verbosity.set(level);
///     v!(4, "Synced", queue = "nodes");
/// }
/// verbosity.set(0);
/// verbosity.set_vmodule("verb*=2,other=9")?;
/// v!(1, "Not logged, since this file has another name");
/// assert_eq!(recorder.lines(), [r#"I "Synced" queue="nodes""#]);
/// # Ok::<(), klient_klog::Error>(())
/// ```
#[derive(Clone)]
pub struct Verbosity(Arc<State>);

struct State {
    verbosity: AtomicI32,
    vmodule: RwLock<VModule>,
    levels: TargetLevels,
    /// The level of the crate `log` follows the verbosity.
    relays_log: AtomicBool,
    /// Held while that is set, so that the last change counts.
    log_level: Mutex<()>,
}

impl Verbosity {
    pub(crate) fn new(verbosity: i32, vmodule: VModule, levels: TargetLevels) -> Self {
        Verbosity(Arc::new(State {
            verbosity: AtomicI32::new(verbosity),
            vmodule: RwLock::new(vmodule),
            levels,
            relays_log: AtomicBool::new(false),
            log_level: Mutex::new(()),
        }))
    }

    /// Returns the verbosity (`-v`).
    pub fn get(&self) -> i32 {
        self.0.verbosity.load(Ordering::Relaxed)
    }

    /// Changes the verbosity. The cached decisions of all call sites are made anew.
    pub fn set(&self, verbosity: i32) {
        self.0.verbosity.store(verbosity, Ordering::Relaxed);
        self.changed();
    }

    /// Returns the verbosities of files, such as `reflector=4,http_*=6`.
    pub fn vmodule(&self) -> String {
        self.read_vmodule(VModule::to_string)
    }

    /// Changes the verbosities of files.
    ///
    /// # Errors
    ///
    /// If the list does not parse. Nothing is changed then.
    pub fn set_vmodule(&self, vmodule: &str) -> Result<(), Error> {
        let vmodule = VModule::parse(vmodule)?;
        *self.0.vmodule.write().unwrap_or_else(PoisonError::into_inner) = vmodule;
        self.changed();
        Ok(())
    }

    /// Lets the level of the crate `log` follow the verbosity.
    pub(crate) fn relay_log(&self) {
        self.0.relays_log.store(true, Ordering::Relaxed);
        self.set_log_level();
    }

    fn changed(&self) {
        tracing::callsite::rebuild_interest_cache();
        self.set_log_level();
    }

    fn set_log_level(&self) {
        if self.0.relays_log.load(Ordering::Relaxed) {
            let _held = self.0.log_level.lock().unwrap_or_else(PoisonError::into_inner);
            let verbosity = self.get().max(self.read_vmodule(VModule::highest));
            log::set_max_level(match self.0.levels.most_detailed(verbosity) {
                Level::ERROR => log::LevelFilter::Error,
                Level::WARN => log::LevelFilter::Warn,
                Level::INFO => log::LevelFilter::Info,
                Level::DEBUG => log::LevelFilter::Debug,
                Level::TRACE => log::LevelFilter::Trace,
            });
        }
    }

    pub(crate) fn call(&self, metadata: &Metadata<'_>) -> Call {
        Call::of(metadata, &self.0.levels)
    }

    /// Returns true if lines of a verbosity in a file are logged.
    pub(crate) fn is_logged(&self, verbosity: i32, file: Option<&str>) -> bool {
        let is_logged = || {
            let of_file = || self.read_vmodule(|vmodule| vmodule.verbosity(file));
            verbosity <= self.get() || of_file().is_some_and(|of_file| verbosity <= of_file)
        };
        verbosity != Levels::NEVER && is_logged()
    }

    /// Returns true if files have verbosities of their own.
    pub(crate) fn has_vmodule(&self) -> bool {
        self.read_vmodule(|vmodule| vmodule.highest() > 0)
    }

    fn read_vmodule<T>(&self, read: impl FnOnce(&VModule) -> T) -> T {
        read(&self.0.vmodule.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Verbosity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verbosity").field("v", &self.get()).field("vmodule", &self.vmodule()).finish()
    }
}
