//! [`TypeNames`], the names of a module's types.

use std::collections::BTreeSet;

use crate::names;

/// The names that are taken in a module.
#[derive(Default)]
pub(crate) struct TypeNames(BTreeSet<String>);

impl TypeNames {
    /// Takes the name of a kind.
    pub(crate) fn of_kind(&mut self, kind: &str) -> String {
        let name = names::type_name(kind);
        names::take([name.clone()], &name, &mut self.0)
    }

    /// Takes the name of a field's type within a type. An item of a list has the singular; a name that is taken gives way
    /// to the plural, then to an underscore, and last to a number.
    pub(crate) fn of_field(&mut self, parent: &str, field: &str, is_item: bool) -> String {
        let one = names::type_part(&if is_item { names::singular(field) } else { field.to_owned() });
        let many = names::type_part(field);
        let last = format!("{parent}_{many}");
        let candidates = [format!("{parent}{one}"), format!("{parent}{many}"), last.clone()];
        names::take(candidates, &last, &mut self.0)
    }
}
