//! [`Cascade`], the deletion propagation policy of `--cascade`.

use std::str::FromStr;

use klient_apimachinery::meta::PropagationPolicy;
use klient_client::DeleteOptions;

use crate::flag_values::{FlagValueError, go_bool};

/// The deletion propagation policy of `--cascade`: background, foreground or orphan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cascade(PropagationPolicy);

impl FromStr for Cascade {
    type Err = FlagValueError;

    fn from_str(text: &str) -> Result<Self, FlagValueError> {
        match (text, go_bool(text)) {
            ("background", _) | (_, Ok(true)) => Ok(Cascade(PropagationPolicy::Background)),
            ("orphan", _) | (_, Ok(false)) => Ok(Cascade(PropagationPolicy::Orphan)),
            ("foreground", _) => Ok(Cascade(PropagationPolicy::Foreground)),
            _ => Err(FlagValueError::new(format!(
                "invalid cascade value ({text}). Must be \"background\", \"foreground\", or \"orphan\""
            ))),
        }
    }
}

impl Cascade {
    /// Returns the warning about a deprecated boolean value.
    pub(crate) fn deprecation(text: &str) -> Option<String> {
        let instead = if go_bool(text).ok()? { "background" } else { "orphan" };
        Some(format!(
            "warning: --cascade={text} is deprecated (boolean value) and can be replaced with --cascade={instead}."
        ))
    }

    /// Returns the options of a delete with a grace period in seconds; a negative one selects the default of the
    /// object.
    pub(crate) fn delete_options(self, grace_period: i64) -> DeleteOptions {
        DeleteOptions {
            grace_period_seconds: (grace_period >= 0).then_some(grace_period),
            ..DeleteOptions::propagation(self.0)
        }
    }
}
