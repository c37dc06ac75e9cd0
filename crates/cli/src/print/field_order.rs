//! [`FieldOrder`], the order in which the fields of objects are printed.

use serde_json::{Map, Value};

/// An order of fields. Others come after them, in alphabetical order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldOrder {
    /// The names of fields, in the order of all structs that have them.
    pub(crate) fields: &'static [&'static str],
    /// Fields whose value has keys of users, which are in alphabetical order.
    pub(crate) maps: &'static [&'static str],
}

impl FieldOrder {
    /// The order of Go's maps.
    pub(crate) const ALPHABETICAL: FieldOrder = FieldOrder { fields: &[], maps: &[] };

    /// Returns the fields in their order, each with the order of its value.
    pub(super) fn of(self, fields: &Map<String, Value>) -> Vec<(&str, &Value, FieldOrder)> {
        let within = |name: &str| if self.maps.contains(&name) { FieldOrder::ALPHABETICAL } else { self };
        let mut ordered: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value, within(name))).collect();
        let place = |name: &str| self.fields.iter().position(|field| *field == name);
        ordered.sort_by_key(|(name, ..)| place(name).unwrap_or(self.fields.len()));
        ordered
    }
}
