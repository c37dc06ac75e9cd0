//! [`DryRun`], the value of `--dry-run`.

use std::str::FromStr;

use crate::flag_values::{FlagValueError, go_bool};

/// The value of `--dry-run`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// The change is made.
    #[default]
    None,
    /// No request is sent.
    Client,
    /// The request is sent with `dryRun=All`: the server does not store the change.
    Server,
}

impl FromStr for DryRun {
    type Err = FlagValueError;

    fn from_str(text: &str) -> Result<Self, FlagValueError> {
        match (text, go_bool(text)) {
            ("none", _) | (_, Ok(false)) => Ok(DryRun::None),
            ("client" | DryRun::BARE, _) | (_, Ok(true)) => Ok(DryRun::Client),
            ("server", _) => Ok(DryRun::Server),
            _ => Err(FlagValueError::new(format!(
                "Invalid dry-run value ({text}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }
}

impl DryRun {
    /// The value of a bare `--dry-run`; kubectl's name for it.
    pub(crate) const BARE: &str = "unchanged";

    /// Returns the warning about a deprecated value.
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

    /// Returns the suffix of a line such as `pod/web created`.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}
