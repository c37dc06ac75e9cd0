//! [`TypeNames`], the names of a module's types.

use std::collections::BTreeSet;

use crate::names;

/// The end of the name of a type's apply configuration.
const APPLY: &str = "ApplyConfiguration";

/// The names that are taken in a module: those of types, and those that their apply configurations have, whether they are
/// generated or not, so that the names of types do not depend on it.
#[derive(Default)]
pub(crate) struct TypeNames(BTreeSet<String>);

impl TypeNames {
    /// Takes the name of a kind.
    pub(crate) fn of_kind(&mut self, kind: &str) -> String {
        let name = names::type_name(kind);
        self.take([name.clone()], &name)
    }

    /// Takes the name of a field's type within a type. An item of a list has the singular; a name that is taken gives way
    /// to the plural, then to an underscore, and last to a number.
    pub(crate) fn of_field(&mut self, parent: &str, field: &str, is_item: bool) -> String {
        let one = names::type_part(&if is_item { names::singular(field) } else { field.to_owned() });
        let many = names::type_part(field);
        let last = format!("{parent}_{many}");
        self.take([format!("{parent}{one}"), format!("{parent}{many}"), last.clone()], &last)
    }

    fn take<const N: usize>(&mut self, candidates: [String; N], name: &str) -> String {
        let configuration = |name: &str| format!("{name}{APPLY}");
        let free = names::first_free(candidates, name, |candidate| {
            !self.0.contains(candidate) && !self.0.contains(&configuration(candidate))
        });
        self.0.extend([configuration(&free), free.clone()]);
        free
    }
}
