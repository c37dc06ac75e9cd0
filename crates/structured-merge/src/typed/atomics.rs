//! Atomic lists, maps and structs in an object.

use serde_json::Value;

use crate::schema::{Relation, TypeRef};
use crate::value::{self, Node};
use crate::{Map, PathElement};

/// The paths of the atomic lists, maps and structs in an object.
pub(super) fn atomics(object: &Map, root: TypeRef<'_>) -> Vec<String> {
    let mut found = Vec::new();
    walk(object.into(), root, &mut String::new(), &mut found);
    found
}

fn walk(node: Node<'_>, ty: TypeRef<'_>, path: &mut String, found: &mut Vec<String>) {
    let atom = ty.atom();
    match (node, atom.map, atom.list) {
        (Node::Map(entries), Some(map), _) => {
            if map.atomic {
                found.push(path.clone());
            }
            for (name, value) in value::sorted(entries) {
                if let Some(ty) = map.field(name) {
                    below(&PathElement::field(name), value, ty, path, found);
                }
            }
        }
        (Node::List(items), _, Some(list)) => {
            if matches!(list.relation, Relation::Atomic) {
                found.push(path.clone());
            }
            for (index, item) in items.iter().enumerate() {
                let element = PathElement::index(i64::try_from(index).unwrap_or(i64::MAX));
                below(&element, item, list.item, path, found);
            }
        }
        _ => {}
    }
}

fn below(element: &PathElement, value: &Value, ty: TypeRef<'_>, path: &mut String, found: &mut Vec<String>) {
    let len = path.len();
    path.push_str(&element.to_string());
    walk(value.into(), ty, path, found);
    path.truncate(len);
}
