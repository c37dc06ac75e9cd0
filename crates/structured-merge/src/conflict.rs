//! [`Conflict`], a field owned by another manager.

use std::fmt;
use std::ops::Deref;

use crate::{Manager, Path};

/// A field that an apply would change and that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The manager that owns the field.
    pub manager: Manager,
    /// The field.
    pub path: Path,
}

impl Conflict {
    /// The message of the cause in the API server's `Status`: `conflict with "kubectl" using apps/v1`.
    pub fn cause(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

/// All the fields that an apply would change and that others own, by manager.
///
/// ```
/// # use klient_structured_merge::{Conflict, Conflicts, Manager, Path};
/// let conflict = |manager: &str, field| {
///     Conflict { manager: Manager::apply(manager, ""), path: Path::fields(["spec", field]) }
/// };
/// let conflicts = Conflicts::new(vec![conflict("b", "x"), conflict("a", "y"), conflict("a", "z")]);
/// assert_eq!(
///     conflicts.to_string(),
///     "Apply failed with 3 conflicts: conflicts with \"a\":\n- .spec.y\n- .spec.z\nconflicts with \"b\":\n- .spec.x"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(Vec<Conflict>);

impl Conflicts {
    /// Groups conflicts by manager.
    pub fn new(mut conflicts: Vec<Conflict>) -> Self {
        conflicts.sort_by_cached_key(|conflict| conflict.manager.identifier());
        Conflicts(conflicts)
    }
}

impl Deref for Conflicts {
    type Target = [Conflict];

    fn deref(&self) -> &[Conflict] {
        &self.0
    }
}

/// The message of an API server.
impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [conflict] = self.0.as_slice() {
            return write!(f, "Apply failed with 1 conflict: {}: {}", conflict.cause(), conflict.path);
        }
        write!(f, "Apply failed with {} conflicts: ", self.0.len())?;
        for (index, of_one) in self.0.chunk_by(|left, right| left.manager == right.manager).enumerate() {
            let line = if index > 0 { "\n" } else { "" };
            write!(f, "{line}conflicts with {}:", of_one[0].manager)?;
            of_one.iter().try_for_each(|conflict| write!(f, "\n- {}", conflict.path))?;
        }
        Ok(())
    }
}
