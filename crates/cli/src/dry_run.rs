//! [`DryRun`], how far a change goes (`--dry-run`).

use std::str::FromStr;

use crate::flag_values::{Refusal, go_bool};

/// How far a change goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// It is made.
    #[default]
    None,
    /// It is not sent.
    Client,
    /// It is sent, and the server does everything but keep it.
    Server,
}

impl FromStr for DryRun {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match (text, go_bool(text)) {
            ("none", _) | (_, Ok(false)) => Ok(DryRun::None),
            ("client" | DryRun::BARE, _) | (_, Ok(true)) => Ok(DryRun::Client),
            ("server", _) => Ok(DryRun::Server),
            _ => Err(Refusal::new(format!(
                "Invalid dry-run value ({text}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }
}

impl DryRun {
    /// The value where the flag is given without one; kubectl's name for it.
    pub(crate) const BARE: &str = "unchanged";

    /// What is said of a value that is deprecated.
    pub(crate) fn deprecation(text: &str) -> Option<String> {
        if text == DryRun::BARE {
            return Some(
                "Warning: --dry-run is deprecated and can be replaced with --dry-run=client.".to_owned(),
            );
        }
        let instead = if go_bool(text).ok()? { "client" } else { "none" };
        Some(format!(
            "Warning: --dry-run={text} is deprecated (boolean value) and can be replaced with --dry-run={instead}."
        ))
    }

    /// What goes behind the word for what was done.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}
