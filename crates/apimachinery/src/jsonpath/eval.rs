//! Evaluation of a template over a value.

use serde_json::Value;

use super::compare::{Operator, compare};
use super::parse::{End, Node, Part, Slice};
use super::{Found, JsonPathError, MissingKeys};

/// The maximum nesting of ranges, which recurse.
const MAX_DEPTH: usize = 200;

/// The evaluation of a template over one value.
pub(super) struct Evaluation {
    missing: MissingKeys,
    /// The maximum number of values that a step may find.
    limit: usize,
    /// The number of ranges that have begun.
    begun: usize,
    /// The number of ranges around the present part.
    depth: usize,
    /// The number of `end`s met, and the part of the last one.
    ended: usize,
    last_end: Option<usize>,
}

/// An error with the values found before it: a filter that tests for existence uses these.
struct Failure<'a> {
    text: String,
    found: Vec<Found<'a>>,
}

type Step<'a> = Result<Vec<Found<'a>>, Failure<'a>>;

impl Evaluation {
    pub(super) fn new(missing: MissingKeys, limit: usize) -> Self {
        Evaluation { missing, limit, begun: 0, depth: 0, ended: 0, last_end: None }
    }

    pub(super) fn run<'a>(
        &mut self,
        parts: &'a [Part],
        value: Found<'a>,
    ) -> Result<Vec<Vec<Found<'a>>>, JsonPathError> {
        self.parts(parts, 0, value).map_err(JsonPathError)
    }

    /// Evaluates the parts from `start` on, up to the end of their range.
    fn parts<'a>(
        &mut self,
        parts: &'a [Part],
        start: usize,
        current: Found<'a>,
    ) -> Result<Vec<Vec<Found<'a>>>, String> {
        let mut all = Vec::new();
        let mut index = start;
        while let Some(part) = parts.get(index) {
            let found = self.part(part, current)?;
            if self.ended > 0 && self.ended <= self.depth {
                self.ended -= 1;
                self.last_end = Some(index);
                break;
            }
            if self.begun > 0 {
                self.begun -= 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("ranges are nested too deeply".to_owned());
                }
                self.range(parts, index + 1, found, &mut all)?;
                self.depth -= 1;
                index = self.last_end.filter(|end| *end > index).unwrap_or(index) + 1;
                continue;
            }
            all.push(found);
            index += 1;
        }
        Ok(all)
    }

    /// Evaluates the parts of a range for each item. Without items it does so once, to find the end of the range.
    fn range<'a>(
        &mut self,
        parts: &'a [Part],
        start: usize,
        items: Vec<Found<'a>>,
        all: &mut Vec<Vec<Found<'a>>>,
    ) -> Result<(), String> {
        if items.is_empty() {
            self.parts(parts, start, Found::Absent)?;
        }
        for item in items {
            let item = if item == Found::Null { Found::Absent } else { item };
            all.append(&mut self.parts(parts, start, item)?);
        }
        Ok(())
    }

    fn part<'a>(&mut self, part: &'a Part, current: Found<'a>) -> Result<Vec<Found<'a>>, String> {
        match part {
            Part::Text(text) => Ok(vec![Found::Text(text)]),
            Part::Action(nodes) => self.nodes(nodes, vec![current]).map_err(|failure| failure.text),
        }
    }

    fn nodes<'a>(&mut self, nodes: &'a [Node], input: Vec<Found<'a>>) -> Step<'a> {
        nodes.iter().try_fold(input, |found, node| {
            let found = self.node(node, found)?;
            if found.len() > self.limit {
                return Err(Failure { text: format!("more than {} values", self.limit), found: Vec::new() });
            }
            Ok(found)
        })
    }

    fn node<'a>(&mut self, node: &'a Node, input: Vec<Found<'a>>) -> Step<'a> {
        Ok(match node {
            Node::Text(text) => vec![Found::Text(text)],
            Node::Int(number) => vec![Found::Int(*number); input.len()],
            Node::Float(number) => vec![Found::Float(*number); input.len()],
            Node::Bool(value) => vec![Found::Bool(*value); input.len()],
            Node::Word(word) => self.word(word, input)?,
            Node::Field(name) => self.field(name, input)?,
            Node::Wildcard => input.into_iter().flat_map(Found::children).collect(),
            Node::Recursive => recursive(input),
            Node::Slice(slice) => slices(*slice, input)?,
            Node::Union(union) => self.union(union, input)?,
            Node::Filter { left, operator, right } => self.filter(left, operator, right, input)?,
        })
    }

    fn word<'a>(&mut self, word: &str, input: Vec<Found<'a>>) -> Step<'a> {
        match word {
            "range" => {
                self.begun += 1;
                Ok(input)
            }
            "end" if self.depth > 0 => {
                self.ended += 1;
                Ok(Vec::new())
            }
            "end" => Err(Failure { text: "not in range, nothing to end".to_owned(), found: Vec::new() }),
            _ => Err(Failure { text: format!("unrecognized identifier {word}"), found: input }),
        }
    }

    fn field<'a>(&mut self, name: &str, input: Vec<Found<'a>>) -> Step<'a> {
        let values = input.iter().filter_map(|value| match value {
            Found::Map(entries) => entries.get(name).map(Found::from),
            _ => None,
        });
        let found: Vec<_> = values.collect();
        if found.is_empty() && !input.is_empty() && self.missing == MissingKeys::Refused {
            return Err(Failure { text: format!("{name} is not found"), found });
        }
        Ok(found)
    }

    fn union<'a>(&mut self, union: &'a [Vec<Node>], input: Vec<Found<'a>>) -> Step<'a> {
        let mut all = Vec::new();
        for nodes in union {
            match self.nodes(nodes, input.clone()) {
                Ok(mut found) => all.append(&mut found),
                Err(failure) => return Err(Failure { found: input, ..failure }),
            }
        }
        Ok(all)
    }

    fn filter<'a>(
        &mut self,
        left: &'a [Node],
        operator: &Operator,
        right: &'a [Node],
        input: Vec<Found<'a>>,
    ) -> Step<'a> {
        let mut all = Vec::new();
        for value in &input {
            let Found::List(items) = value else {
                let text = format!("{} is not array or slice and cannot be filtered", value.display());
                return Err(Failure { text, found: input });
            };
            for item in items.iter().map(Found::from) {
                match self.passes(item, left, operator, right) {
                    Ok(true) => all.push(item),
                    Ok(false) => {}
                    Err(text) => return Err(Failure { text, found: input }),
                }
            }
        }
        Ok(all)
    }

    fn passes<'a>(
        &mut self,
        item: Found<'a>,
        left: &'a [Node],
        operator: &Operator,
        right: &'a [Node],
    ) -> Result<bool, String> {
        let lefts = self.nodes(left, vec![item]);
        if *operator == Operator::Exists {
            let found = lefts.unwrap_or_else(|failure| failure.found);
            return Ok(!found.is_empty());
        }
        let Some(left) = single(lefts)? else { return Ok(false) };
        let Some(right) = single(self.nodes(right, vec![item]))? else { return Ok(false) };
        compare(left, operator, right)
    }
}

/// The value to compare, if there is one.
fn single<'a>(found: Step<'a>) -> Result<Option<Found<'a>>, String> {
    match found.map_err(|failure| failure.text)?.as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(*value)),
        _ => Err("can only compare one element at a time".to_owned()),
    }
}

/// The value and all values in it that have children, parents first.
fn recursive(input: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    for value in input {
        let children = value.children();
        if !children.is_empty() {
            all.push(value);
            all.append(&mut recursive(children));
        }
    }
    all
}

fn slices<'a>(slice: Slice, input: Vec<Found<'a>>) -> Step<'a> {
    let mut all = Vec::new();
    for value in &input {
        let items = match value {
            Found::List(items) => *items,
            Found::Absent | Found::Null => continue,
            _ => {
                let text = format!("{} is not array or slice", value.type_name());
                return Err(Failure { text, found: input });
            }
        };
        match select(slice, items) {
            // kubectl stops once nothing is selected from one list.
            Ok(None) => return Ok(all),
            Ok(Some(items)) => all.extend(items.map(Found::from)),
            Err(text) => return Err(Failure { text, found: input }),
        }
    }
    Ok(all)
}

/// The items that a slice selects; none if it ends where it starts.
fn select(slice: Slice, items: &[Value]) -> Result<Option<impl Iterator<Item = &Value>>, String> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let start = from_end(slice.start.unwrap_or(0));
    let end = match slice.end {
        End::Last => length,
        End::At(index) => from_end(index),
        // Behind the last item is the end, not the first item again.
        End::Next => match slice.start.unwrap_or(0).wrapping_add(1) {
            0 => length,
            index => from_end(index),
        },
    };
    if start == end {
        return Ok(None);
    }
    if !(0..length).contains(&start) {
        return Err(format!("array index out of bounds: index {start}, length {length}"));
    }
    if !(0..=length).contains(&end) {
        return Err(format!("array index out of bounds: index {}, length {length}", end.saturating_sub(1)));
    }
    if start > end {
        return Err(format!("starting index {start} is greater than ending index {end}"));
    }
    let step = match slice.step {
        Some(step) if step <= 0 => return Err("step must be > 0".to_owned()),
        step => step.and_then(|step| usize::try_from(step).ok()).unwrap_or(1),
    };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    Ok(Some(items.get(range).unwrap_or_default().iter().step_by(step)))
}
