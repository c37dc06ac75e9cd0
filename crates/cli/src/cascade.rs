//! [`Cascade`], what becomes of the objects that a deleted one owns (`--cascade`).

use std::str::FromStr;

use klient_client::DeleteOptions;

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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "background" | "true" => Ok(Cascade::Background),
            "orphan" | "false" => Ok(Cascade::Orphan),
            "foreground" => Ok(Cascade::Foreground),
            _ => Err("must be \"background\", \"foreground\", or \"orphan\"".to_owned()),
        }
    }
}

impl Cascade {
    /// A deletion that gives the object so many seconds to end well; its own setting if negative.
    pub(crate) fn delete_options(self, grace_period: i64) -> DeleteOptions {
        let policy = match self {
            Cascade::Background => "Background",
            Cascade::Orphan => "Orphan",
            Cascade::Foreground => "Foreground",
        };
        DeleteOptions {
            grace_period_seconds: (grace_period >= 0).then_some(grace_period),
            propagation_policy: Some(policy.into()),
            ..DeleteOptions::default()
        }
    }
}
