//! [`Cascade`], the value of `--cascade`.

use std::str::FromStr;

use klient_apimachinery::meta::PropagationPolicy;
use klient_client::DeleteOptions;

use crate::flag_values::{Refusal, go_bool};

/// The value of `--cascade`: the policy for the objects that a deleted one owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cascade(PropagationPolicy);

impl FromStr for Cascade {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match (text, go_bool(text)) {
            ("background", _) | (_, Ok(true)) => Ok(Cascade(PropagationPolicy::Background)),
            ("orphan", _) | (_, Ok(false)) => Ok(Cascade(PropagationPolicy::Orphan)),
            ("foreground", _) => Ok(Cascade(PropagationPolicy::Foreground)),
            _ => Err(Refusal::new(format!(
                "invalid cascade value ({text}). Must be \"background\", \"foreground\", or \"orphan\""
            ))),
        }
    }
}

impl Cascade {
    /// The warning about a deprecated value.
    pub(crate) fn deprecation(text: &str) -> Option<String> {
        let instead = if go_bool(text).ok()? { "background" } else { "orphan" };
        Some(format!(
            "warning: --cascade={text} is deprecated (boolean value) and can be replaced with --cascade={instead}."
        ))
    }

    /// The options of a delete with a grace period in seconds; a negative one leaves it to the object.
    pub(crate) fn delete_options(self, grace_period: i64) -> DeleteOptions {
        DeleteOptions {
            grace_period_seconds: (grace_period >= 0).then_some(grace_period),
            ..DeleteOptions::propagation(self.0)
        }
    }
}
