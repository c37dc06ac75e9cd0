//! Identity of the items of a list.

use klient_apimachinery::Str;
use klient_apimachinery::go::quoted;
use serde_json::Value;

use crate::PathElement;
use crate::schema::{Keys, List, Relation};

impl List<'_> {
    /// The path element of an item. It does not depend on the item's position; items of an atomic list have none.
    ///
    /// # Errors
    ///
    /// The reason why the item has no path element, worded as upstream's.
    pub(crate) fn element(&self, item: &Value) -> Result<PathElement, String> {
        match self.relation {
            Relation::Atomic => Err("invalid indexing of non-associative list".to_owned()),
            Relation::Set => match item {
                Value::Object(_) => {
                    Err("associative list without keys has an element that's a map type".into())
                }
                Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
                Value::Null => {
                    Err("associative list without keys has an element that's an explicit null".to_owned())
                }
                scalar => Ok(PathElement::value(scalar.clone())),
            },
            Relation::Map(keys) => self.key(keys, item),
        }
    }

    fn key(&self, keys: Keys<'_>, item: &Value) -> Result<PathElement, String> {
        let object = match item {
            Value::Object(object) => object,
            Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
            _ => return Err("associative list with keys may not have non-map elements".to_owned()),
        };
        let declared = self.item.atom().map;
        let mut fields = Vec::with_capacity(2);
        for name in keys.iter() {
            let value = match (object.get(name), &declared) {
                (Some(value), _) => Some(value.clone()),
                (None, Some(declared)) => declared.default(name),
                (None, None) => {
                    return Err(format!(
                        "couldn't find default value for {name}: associative list may not have non-map types"
                    ));
                }
            };
            // A key field that is not set is left out; the item differs from those that have it.
            fields.extend(value.map(|value| (Str::from(name), value)));
        }
        if fields.is_empty() && keys.iter().next().is_some() {
            let names = keys.iter().map(quoted).collect::<Vec<_>>().join(" ");
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{names}] (and doesn't have default values for any key fields)"
            ));
        }
        Ok(PathElement::key(fields))
    }

    /// The path elements of all items that have one, with their positions, sorted; duplicates in order of position.
    pub(crate) fn elements(&self, items: &[Value]) -> Vec<(PathElement, usize)> {
        let with_place = |(place, item)| self.element(item).ok().map(|element| (element, place));
        let mut elements: Vec<_> = items.iter().enumerate().filter_map(with_place).collect();
        if !elements.is_sorted() {
            elements.sort_unstable();
        }
        elements
    }
}
