//! [`Cascade`], what becomes of the objects that a deleted one owns (`--cascade`).

use std::str::FromStr;

use klient_apimachinery::meta::PropagationPolicy;
use klient_client::DeleteOptions;

use crate::flag_values::{Refusal, go_bool};

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cascade {
    /// They are deleted after it.
    Background,
    /// They are left alone.
    Orphan,
    /// They are deleted before it.
    Foreground,
}

impl FromStr for Cascade {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match (text, go_bool(text)) {
            ("background", _) | (_, Ok(true)) => Ok(Cascade::Background),
            ("orphan", _) | (_, Ok(false)) => Ok(Cascade::Orphan),
            ("foreground", _) => Ok(Cascade::Foreground),
            _ => Err(Refusal::new(format!(
                "invalid cascade value ({text}). Must be \"background\", \"foreground\", or \"orphan\""
            ))),
        }
    }
}

impl Cascade {
    /// What is said of a value that is deprecated.
    pub(crate) fn deprecation(text: &str) -> Option<String> {
        let instead = if go_bool(text).ok()? { "background" } else { "orphan" };
        Some(format!(
            "warning: --cascade={text} is deprecated (boolean value) and can be replaced with --cascade={instead}."
        ))
    }

    /// A deletion that gives the object so many seconds to end well; its own setting if negative.
    pub(crate) fn delete_options(self, grace_period: i64) -> DeleteOptions {
        let policy = match self {
            Cascade::Background => PropagationPolicy::Background,
            Cascade::Orphan => PropagationPolicy::Orphan,
            Cascade::Foreground => PropagationPolicy::Foreground,
        };
        DeleteOptions {
            grace_period_seconds: (grace_period >= 0).then_some(grace_period),
            ..DeleteOptions::propagation(policy)
        }
    }
}
