//! [`Shape`], what values of a field are chosen from.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// What values of a field are chosen from. There are few for each field, so that managers meet.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// One of these.
    One(Vec<Value>),
    /// An object with some of these fields.
    Object(Vec<Field>),
    /// An object with some of these keys, whose values are chosen alike.
    Map(&'static [&'static str], Box<Shape>),
    /// Some of these, in any order.
    List(Vec<Value>),
    /// Items that have one of these objects in them, and some of the fields.
    Keyed(Vec<Value>, Vec<Field>),
    /// An array of one value of each.
    Tuple(Vec<Shape>),
    /// A value of one of them.
    Any(Vec<Shape>),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    name: &'static str,
    /// It is in every object that is to stand by itself.
    required: bool,
    shape: Shape,
}

/// A field that may be left out.
pub(crate) fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape }
}

/// A field that an object cannot do without.
pub(crate) fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape }
}

impl Field {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl Shape {
    /// One of the items of a JSON array.
    pub(crate) fn one(values: Value) -> Shape {
        Shape::One(items(values))
    }

    /// Some of the items of a JSON array.
    pub(crate) fn list(values: Value) -> Shape {
        Shape::List(items(values))
    }

    /// Items of a list that is a map, by their keys.
    pub(crate) fn keyed(keys: Value, fields: Vec<Field>) -> Shape {
        Shape::Keyed(items(keys), fields)
    }

    pub(crate) fn strings(keys: &'static [&'static str]) -> Shape {
        Shape::Map(keys, Box::new(Shape::one(json!(["1", "2"]))))
    }

    /// Chooses a value; a whole one has all that is required.
    pub(crate) fn choose(&self, random: &mut Rng, whole: bool) -> Value {
        match self {
            Shape::One(values) => values[random.usize(..values.len())].clone(),
            Shape::Object(fields) => Value::Object(choose_fields(fields, random, whole)),
            Shape::Map(keys, values) => {
                let chosen = keys.iter().filter(|_| random.bool()).collect::<Vec<_>>();
                chosen.into_iter().map(|key| ((*key).to_owned(), values.choose(random, whole))).collect()
            }
            Shape::Tuple(shapes) => shapes.iter().map(|shape| shape.choose(random, whole)).collect(),
            Shape::Any(shapes) => shapes[random.usize(..shapes.len())].choose(random, whole),
            Shape::List(values) => Value::Array(some(values, random, false)),
            Shape::Keyed(keys, fields) => {
                let keys = some(keys, random, whole);
                let item = |mut key: Value| {
                    if let Value::Object(key) = &mut key {
                        key.append(&mut choose_fields(fields, random, whole));
                    }
                    key
                };
                keys.into_iter().map(item).collect()
            }
        }
    }
}

fn items(values: Value) -> Vec<Value> {
    let Value::Array(values) = values else { panic!("{values} is no array") };
    values
}

fn choose_fields(fields: &[Field], random: &mut Rng, whole: bool) -> Map<String, Value> {
    let mut object = Map::new();
    for field in fields {
        if (whole && field.required) || random.u8(..100) < 35 {
            let whole = whole || random.bool();
            object.insert(field.name.to_owned(), field.shape.choose(random, whole));
        }
    }
    object
}

/// Some of them, shuffled; with `one`, one at least.
fn some(values: &[Value], random: &mut Rng, one: bool) -> Vec<Value> {
    let mut chosen: Vec<Value> = values.iter().filter(|_| random.u8(..100) < 45).cloned().collect();
    random.shuffle(&mut chosen);
    if one && chosen.is_empty() {
        chosen.extend(values.first().cloned());
    }
    chosen
}
