//! Merging of a configuration into an object.

use std::collections::VecDeque;

use serde_json::Value;

use crate::schema::{Atom, Kind, List, Relation, Struct, TypeRef};
use crate::value::Node;
use crate::{Map, PathElement};

pub(super) fn merge(live: &Map, config: &Map, root: TypeRef<'_>) -> Map {
    match values(live.into(), config.into(), root) {
        Some(Value::Object(merged)) => merged,
        _ => Map::new(),
    }
}

/// `None` if the schema does not know the value.
fn values(live: Node<'_>, config: Node<'_>, ty: TypeRef<'_>) -> Option<Value> {
    // If a value changes its type, the configuration's replaces it.
    as_atom(live, config, &ty.atom_of(Some(config)))
}

fn as_atom(live: Node<'_>, config: Node<'_>, atom: &Atom<'_>) -> Option<Value> {
    match atom.kind()? {
        Kind::Scalar(_) => {}
        Kind::List(list) => {
            let (old, new) = (items(live), items(config));
            let is_leaf = matches!(list.relation, Relation::Atomic) || (old.is_empty() && new.is_empty());
            if !is_leaf {
                let merged = lists(old, new, &list);
                return (!merged.is_empty()).then_some(Value::Array(merged));
            }
        }
        Kind::Map(map) => {
            let (old, new) = (entries(live), entries(config));
            let is_empty = |entries: Option<&Map>| entries.is_none_or(Map::is_empty);
            let is_leaf = map.atomic || (is_empty(old) && is_empty(new));
            if !is_leaf {
                let merged = maps(old, new, &map);
                return (!merged.is_empty()).then_some(Value::Object(merged));
            }
        }
    }
    Some(config.to_value())
}

fn maps(live: Option<&Map>, config: Option<&Map>, map: &Struct<'_>) -> Map {
    // Entries of one side only stay as they are.
    let mut merged = live.cloned().unwrap_or_default();
    for (name, new) in config.into_iter().flatten() {
        let value = match merged.get(name) {
            None => Some(new.clone()),
            Some(old) => map.type_of(name).and_then(|ty| values(old.into(), new.into(), ty)),
        };
        match value {
            Some(value) => merged.insert(name.clone(), value),
            None => merged.remove(name),
        };
    }
    merged
}

/// Items of both lists in the order of the configuration; items of one list only at their place between the others.
/// Follows upstream's `visitListItems`, so that the order is the same.
fn lists(live: &[Value], config: &[Value], list: &List<'_>) -> Vec<Value> {
    let items = Items::new(live, config, list);
    let mut shared: VecDeque<usize> =
        items.config.iter().copied().filter(|id| items.of_live[*id] != Times::Never).collect();
    let mut next_shared = shared.pop_front();
    let mut is_merged = vec![false; items.of_live.len()];
    let mut merged = Vec::with_capacity(live.len().max(config.len()));
    let (mut at, mut to) = (0, 0);
    while at < items.live.len() || to < items.config.len() {
        if let (Some(&(own, _)), Some(&id)) = (items.live.get(at), items.config.get(to)) {
            if own == id {
                is_merged[id] = true;
                merged.extend(items.merge(id));
                (at, to) = (at + 1, to + 1);
                next_shared = shared.pop_front();
                continue;
            }
            if items.of_config[own].is_some() && next_shared.is_some_and(|next| next != own) {
                // Both lists have it; it comes later in the configuration.
                at += 1;
                continue;
            }
        }
        if let Some(&(own, place)) = items.live.get(at) {
            if items.of_config[own].is_none() {
                merged.push(live[place].clone());
                at += 1;
                continue;
            }
            if is_merged[own] {
                at += 1;
            }
        }
        if let Some(&id) = items.config.get(to) {
            is_merged[id] = true;
            merged.extend(items.merge(id));
            to += 1;
            if next_shared == Some(id) {
                next_shared = shared.pop_front();
            }
        }
    }
    merged
}

/// The number of occurrences of an item in the live list, and its position.
#[derive(Clone, Copy, PartialEq)]
enum Times {
    Never,
    Once(usize),
    Often,
}

/// The items of two lists; items with the same key have the same number.
struct Items<'v> {
    live_items: &'v [Value],
    config_items: &'v [Value],
    ty: TypeRef<'v>,
    /// Number and position of each item, in order.
    live: Vec<(usize, usize)>,
    /// Number of each item, in order.
    config: Vec<usize>,
    of_live: Vec<Times>,
    of_config: Vec<Option<usize>>,
}

impl<'v> Items<'v> {
    fn new(live: &'v [Value], config: &'v [Value], list: &List<'v>) -> Self {
        let elements = |items: &[Value], is_config: bool| {
            let elements = list.elements(items).into_iter();
            elements.map(move |(element, place)| (element, is_config, place)).collect::<Vec<_>>()
        };
        let mut all: Vec<(PathElement, bool, usize)> = elements(live, false);
        all.extend(elements(config, true));
        all.sort();
        let mut items = Items {
            live_items: live,
            config_items: config,
            ty: list.item,
            live: Vec::new(),
            config: Vec::new(),
            of_live: Vec::new(),
            of_config: Vec::new(),
        };
        let mut in_config = Vec::new();
        for (id, same) in all.chunk_by(|left, right| left.0 == right.0).enumerate() {
            let (mut of_live, mut of_config) = (Times::Never, None);
            for &(_, is_config, place) in same {
                if is_config {
                    in_config.push((place, id));
                    of_config.get_or_insert(place);
                } else {
                    items.live.push((id, place));
                    of_live = if of_live == Times::Never { Times::Once(place) } else { Times::Often };
                }
            }
            items.of_live.push(of_live);
            items.of_config.push(of_config);
        }
        items.live.sort_unstable_by_key(|(_, place)| *place);
        in_config.sort_unstable();
        items.config = in_config.into_iter().map(|(_, id)| id).collect();
        items
    }

    /// An item of the configuration merged with the live one, unless there are duplicates.
    fn merge(&self, id: usize) -> Option<Value> {
        let config = &self.config_items[self.of_config[id]?];
        match self.of_live[id] {
            Times::Never => Some(config.clone()),
            Times::Once(place) => values((&self.live_items[place]).into(), config.into(), self.ty),
            Times::Often => values(Node::Null, config.into(), self.ty),
        }
    }
}

fn items(node: Node<'_>) -> &[Value] {
    match node {
        Node::List(items) => items,
        _ => &[],
    }
}

fn entries(node: Node<'_>) -> Option<&Map> {
    match node {
        Node::Map(entries) => Some(entries),
        _ => None,
    }
}
