//! Removal and extraction of fields.

use serde_json::Value;

use crate::schema::{Kind, List, Relation, Struct, TypeRef};
use crate::value::{self, Node};
use crate::{FieldSet, Map, PathElement};

/// The object without these fields.
pub(super) fn remove(object: &Map, fields: &FieldSet, root: TypeRef<'_>) -> Map {
    walk(object, Take { fields, extract: false }, root)
}

/// The object with these fields only.
pub(super) fn extract(object: &Map, fields: &FieldSet, root: TypeRef<'_>) -> Map {
    walk(object, Take { fields, extract: true }, root)
}

fn walk(object: &Map, take: Take<'_>, root: TypeRef<'_>) -> Map {
    match take.value(object.into(), root) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

static NOTHING: FieldSet = FieldSet::EMPTY;

/// The fields to take out, and the part to return: these or the rest.
#[derive(Clone, Copy)]
struct Take<'a> {
    fields: &'a FieldSet,
    extract: bool,
}

impl<'a> Take<'a> {
    fn below(self, fields: Option<&'a FieldSet>) -> Self {
        Take { fields: fields.unwrap_or(&NOTHING), ..self }
    }

    /// The remaining value, null if there is none.
    fn value(self, value: Node<'_>, ty: TypeRef<'_>) -> Value {
        let whole = if self.extract { value } else { Node::Null };
        match ty.atom_of(Some(value)).kind() {
            None => Value::Null,
            Some(Kind::Scalar(_)) => value.to_value(),
            Some(Kind::List(list)) => match value {
                Node::List(items) if items.is_empty() || matches!(list.relation, Relation::Atomic) => {
                    whole.to_value()
                }
                Node::List(items) => self.list(items, &list),
                _ => Value::Null,
            },
            Some(Kind::Map(map)) => match value {
                Node::Map(entries) if entries.is_empty() || map.atomic => whole.to_value(),
                Node::Map(entries) => self.map(entries, &map),
                _ => Value::Null,
            },
        }
    }

    fn list(self, items: &[Value], list: &List<'_>) -> Value {
        let mut left = Vec::with_capacity(items.len());
        for item in items {
            let (named, below) = list.element(item).map_or((false, None), |element| self.fields.at(&element));
            if (named && !self.extract) || (!named && below.is_none() && self.extract) {
                continue;
            }
            left.push(match below {
                Some(_) => self.below(below).value(item.into(), list.item),
                None => item.clone(),
            });
        }
        if left.is_empty() { Value::Null } else { Value::Array(left) }
    }

    fn map(self, entries: &Map, map: &Struct<'_>) -> Value {
        let mut left = Map::new();
        for (name, value) in value::sorted(entries) {
            let ty = map.type_of(name);
            let within = |take: Self| ty.map_or(Value::Null, |ty| take.value(value.into(), ty));
            let value = match self.fields.at(&PathElement::field(name)) {
                // As upstream, which looks up this level's fields again below a field that is in the set itself.
                (true, _) if self.extract => within(self),
                (true, _) => continue,
                (false, below @ Some(_)) => within(self.below(below)),
                (false, None) if self.extract => continue,
                (false, None) => value.clone(),
            };
            left.insert(name.to_owned(), value);
        }
        if left.is_empty() { Value::Null } else { Value::Object(left) }
    }
}
