//! [`TypeNames`], the names of a module's types.

use std::collections::BTreeSet;

use crate::names;

/// The names that are taken in a module.
#[derive(Default)]
pub(crate) struct TypeNames(BTreeSet<String>);

impl TypeNames {
    /// Takes the name of a kind.
    pub(crate) fn of_kind(&mut self, kind: &str) -> String {
        self.first_free([names::type_name(kind)])
    }

    /// Takes the name of a field's type within a type. An item of a list has the singular; a name that is taken gives way
    /// to the plural, then to an underscore, and last to a number.
    pub(crate) fn of_field(&mut self, parent: &str, field: &str, is_item: bool) -> String {
        let one = names::type_part(&if is_item { names::singular(field) } else { field.to_owned() });
        let many = names::type_part(field);
        self.first_free([format!("{parent}{one}"), format!("{parent}{many}"), format!("{parent}_{many}")])
    }

    fn first_free<const N: usize>(&mut self, candidates: [String; N]) -> String {
        let free = candidates.iter().find(|candidate| !self.0.contains(*candidate)).cloned();
        let name = free.unwrap_or_else(|| {
            let last = &candidates[N - 1];
            let mut numbered = (2_u32..).map(|number| format!("{last}_{number}"));
            numbered.find(|candidate| !self.0.contains(candidate)).expect("names are fewer than numbers")
        });
        self.0.insert(name.clone());
        name
    }
}
