//! [`Call`], the function of klog that an event stands for.

use tracing::{Level, Metadata};

use crate::Severity;
use crate::levels::{Levels, TargetLevels};

/// The severity, verbosity and shape of a line, by the metadata of its event.
///
/// klog's macros name their events after the functions of klog: `V(4).InfoS`. So the verbosity is known when a call site
/// is registered, and a call that is not logged is one check of `tracing`'s cached decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) severity: Severity,
    /// That of the metadata; a field `v` comes before it.
    pub(crate) verbosity: i32,
    pub(crate) shape: Shape,
    /// `Fatal`, which logs the stack.
    pub(crate) is_fatal: bool,
}

/// The shape of a line's message and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The message as it is, and nothing else (`klog.Infof`).
    Printed,
    /// A quoted message, and values (`klog.InfoS`).
    Structured,
    /// An event of `tracing`: structured if it has values.
    Event,
}

/// The name of the field with the verbosity.
pub(crate) const VERBOSITY: &str = "v";

/// The prefix of the names of events whose verbosity is a field.
const FIELD_V: &str = "V(_).";

impl Call {
    pub(crate) fn of(metadata: &Metadata<'_>, levels: &TargetLevels) -> Self {
        let name = metadata.name();
        klog_call(name).unwrap_or_else(|| {
            let severity = match *metadata.level() {
                Level::ERROR => Severity::Error,
                Level::WARN => Severity::Warning,
                _ => Severity::Info,
            };
            let verbosity = levels.verbosity(metadata.target(), *metadata.level());
            Call { severity, verbosity, shape: Shape::Event, is_fatal: false }
        })
    }
}

/// Returns true if the verbosity of an event is its field `v`: in klog's other calls that is a value.
pub(crate) fn has_verbosity_field(metadata: &Metadata<'_>) -> bool {
    let has_field = metadata.fields().iter().any(|field| field.name() == VERBOSITY);
    let is_special = |name: &str| name.starts_with(FIELD_V) || klog_call(name).is_none();
    has_field && is_special(metadata.name())
}

/// The call that the name of an event of klog's macros stands for.
fn klog_call(name: &str) -> Option<Call> {
    let (verbosity, function) = match name.as_bytes().first()? {
        b'V' if name.starts_with(FIELD_V) => (Levels::ALWAYS, &name[FIELD_V.len()..]),
        b'V' => {
            let (verbosity, function) = name.strip_prefix("V(")?.split_once(").")?;
            (verbosity.parse().ok()?, function)
        }
        _ => (Levels::ALWAYS, name),
    };
    use Severity::{Error, Fatal, Info, Warning};
    use Shape::{Printed, Structured};
    let (severity, shape) = match function {
        "InfoS" | "Enabled" => (Info, Structured),
        "Info" => (Info, Printed),
        "Warning" => (Warning, Printed),
        "ErrorS" => (Error, Structured),
        "Error" => (Error, Printed),
        "Fatal" | "Exit" => (Fatal, Printed),
        _ => return None,
    };
    Some(Call { severity, verbosity, shape, is_fatal: function == "Fatal" })
}

/// The level of `tracing` of an event with a verbosity. It is for other layers: klog's goes by the verbosity.
pub const fn level(verbosity: i32) -> Level {
    match verbosity {
        ..=0 => Level::INFO,
        1..=4 => Level::DEBUG,
        5.. => Level::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_events_are_functions_of_klog() {
        let call = |name| klog_call(name).map(|call| (call.severity, call.verbosity, call.shape));
        assert_eq!(call("InfoS"), Some((Severity::Info, Levels::ALWAYS, Shape::Structured)));
        assert_eq!(call("V(4).Info"), Some((Severity::Info, 4, Shape::Printed)));
        assert_eq!(call("V(-2).ErrorS"), Some((Severity::Error, -2, Shape::Structured)));
        assert_eq!(call("V(_).InfoS"), Some((Severity::Info, Levels::ALWAYS, Shape::Structured)));
        assert_eq!(call("Fatal"), Some((Severity::Fatal, Levels::ALWAYS, Shape::Printed)));
        for other in ["event src/main.rs:3", "V(x).Info", "V(1)", "V", "", "Infof"] {
            assert_eq!(call(other), None, "{other}");
        }
    }
}
