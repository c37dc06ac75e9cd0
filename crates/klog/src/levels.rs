//! [`Levels`], the verbosities of `tracing`'s levels.

use tracing::Level;

/// The verbosity from which events of `tracing`'s levels are logged, unless they have a field `v` or are klog's own.
/// Errors always are.
///
/// By default warnings and infos are always logged, `debug!` is `V(4)` and `trace!` is `V(5)`, as Kubernetes' logging
/// conventions name these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// That of `warn!`.
    pub warn: i32,
    /// That of `info!`.
    pub info: i32,
    /// That of `debug!`.
    pub debug: i32,
    /// That of `trace!`.
    pub trace: i32,
}

impl Levels {
    /// Logged at every verbosity.
    pub const ALWAYS: i32 = i32::MIN;

    /// Logged at no verbosity.
    pub const NEVER: i32 = i32::MAX;

    /// Crates below the client, whose events would drown the HTTP trace: client-go logs nothing of the kind.
    pub(crate) const TRANSPORT: Levels = Levels { debug: 11, trace: 12, ..Levels::DEFAULT };

    const DEFAULT: Levels = Levels { warn: Levels::ALWAYS, info: Levels::ALWAYS, debug: 4, trace: 5 };

    pub(crate) fn verbosity(self, level: Level) -> i32 {
        match level {
            Level::ERROR => Levels::ALWAYS,
            Level::WARN => self.warn,
            Level::INFO => self.info,
            Level::DEBUG => self.debug,
            Level::TRACE => self.trace,
        }
    }
}

impl Default for Levels {
    fn default() -> Self {
        Levels::DEFAULT
    }
}

/// Levels by the target of events.
#[derive(Clone, Debug)]
pub(crate) struct TargetLevels {
    all: Levels,
    /// By the beginning of the target.
    targets: Vec<(String, Levels)>,
}

impl TargetLevels {
    pub(crate) fn new(all: Levels, targets: Vec<(String, Levels)>) -> Self {
        TargetLevels { all, targets }
    }

    /// The verbosity of an event without a field `v`.
    pub(crate) fn verbosity(&self, target: &str, level: Level) -> i32 {
        let rules = self.targets.iter().filter(|(prefix, _)| is_below(target, prefix));
        let levels = rules.max_by_key(|(prefix, _)| prefix.len()).map_or(self.all, |(_, levels)| *levels);
        levels.verbosity(level)
    }

    /// The most detailed level that is logged at a verbosity for any target.
    pub(crate) fn most_detailed(&self, verbosity: i32) -> Level {
        let all = || self.targets.iter().map(|(_, levels)| levels).chain([&self.all]);
        let is_logged = |level: &Level| all().any(|levels| levels.verbosity(*level) <= verbosity);
        [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN]
            .into_iter()
            .find(is_logged)
            .unwrap_or(Level::ERROR)
    }
}

/// Returns true if a target is a module, or below it.
fn is_below(target: &str, module: &str) -> bool {
    target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
