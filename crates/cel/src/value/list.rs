//! [`List`], a list of CEL.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Value, json};
use crate::failure::{Failure, Result};
use crate::schema::{Keys, Schema};

/// A list: JSON that is read item by item, values, or two lists one after the other.
#[derive(Clone, Debug)]
pub(crate) enum List<'a> {
    Json { items: &'a [Json], schema: &'a Schema, keys: &'a Keys },
    Items(Arc<Vec<Value<'a>>>),
    Joined(Arc<(List<'a>, List<'a>)>, usize),
}

impl<'a> List<'a> {
    pub(crate) fn new(items: Vec<Value<'a>>) -> List<'a> {
        List::Items(Arc::new(items))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            List::Json { items, .. } => items.len(),
            List::Items(items) => items.len(),
            List::Joined(_, len) => *len,
        }
    }

    /// The list with the items of another after its own.
    pub(crate) fn join(&self, other: &List<'a>) -> List<'a> {
        if self.len() == 0 {
            return other.clone();
        }
        if other.len() == 0 {
            return self.clone();
        }
        let len = self.len().saturating_add(other.len());
        List::Joined(Arc::new((self.clone(), other.clone())), len)
    }

    pub(crate) fn get(&self, index: usize) -> Result<Value<'a>> {
        let (mut list, mut index) = (self, index);
        loop {
            match list {
                List::Json { items, schema, .. } => {
                    return items
                        .get(index)
                        .map_or_else(|| Err(out_of_bounds(index)), |item| json::read(item, schema));
                }
                List::Items(items) => return items.get(index).cloned().ok_or_else(|| out_of_bounds(index)),
                List::Joined(both, _) => {
                    let first = both.0.len();
                    (list, index) = if index < first { (&both.0, index) } else { (&both.1, index - first) };
                }
            }
        }
    }

    /// The items in order.
    pub(crate) fn iter(&self) -> Iter<'_, 'a> {
        Iter { rest: vec![self], list: None, index: 0 }
    }

    /// The items as a vector.
    pub(crate) fn to_vec(&self) -> Result<Vec<Value<'a>>> {
        self.iter().collect()
    }
}

pub(crate) fn out_of_bounds(index: impl std::fmt::Display) -> Failure {
    Failure::Error(format!("index out of bounds: {index}"))
}

/// The items of a list.
pub(crate) struct Iter<'l, 'a> {
    /// The lists that follow, the next one last.
    rest: Vec<&'l List<'a>>,
    list: Option<&'l List<'a>>,
    index: usize,
}

impl<'a> Iterator for Iter<'_, 'a> {
    type Item = Result<Value<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let list = match self.list {
                Some(list) if self.index < list.len() => list,
                _ => {
                    let next = self.rest.pop()?;
                    if let List::Joined(both, _) = next {
                        self.rest.extend([&both.1, &both.0]);
                    } else {
                        (self.list, self.index) = (Some(next), 0);
                    }
                    continue;
                }
            };
            let index = self.index;
            self.index += 1;
            return Some(list.get(index));
        }
    }
}
