//! What strict decoding says of JSON text.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{MOST_NOTES, names_its_kind};
use crate::go::quoted;
use crate::schema::{Schema, Type};

/// What JSON text is decoded into.
#[derive(Clone, Copy)]
pub enum Target {
    /// A map of anything, as a custom resource or a patch is: no field is unknown.
    Anything,
    /// An object of a built-in kind.
    Kind(&'static Schema),
    /// The list of operations of a JSON patch.
    Operations,
}

/// The fields that the target does not know, and those that stand twice, in the order of the text and in Go's words.
/// What a type decodes by itself, as the schemas of a definition, is not looked into.
pub fn strict_notes(text: &[u8], target: Target) -> Vec<String> {
    let shape = match target {
        Target::Anything => Shape::Anything,
        Target::Kind(schema) => Shape::Struct { schema, is_kind: true },
        Target::Operations => Shape::Operations,
    };
    let mut notes = Notes::default();
    let lossy = String::from_utf8_lossy(text);
    let mut json = serde_json::Deserializer::from_str(&lossy);
    // What is no JSON is refused by what decodes it.
    let _ = Seed { notes: &mut notes, shape }.deserialize(&mut json);
    notes.found
}

/// What one value is decoded into.
#[derive(Clone, Copy)]
enum Shape {
    Anything,
    Struct { schema: &'static Schema, is_kind: bool },
    Type(Type),
    Operations,
    Operation,
}

#[derive(Default)]
struct Notes {
    path: String,
    found: Vec<String>,
}

impl Notes {
    fn add(&mut self, problem: &str, key: &str) {
        if self.found.len() >= MOST_NOTES {
            return;
        }
        let len = self.enter(key);
        let note = format!("{problem} field {}", quoted(&self.path));
        self.path.truncate(len);
        if !self.found.contains(&note) {
            self.found.push(note);
        }
    }

    fn enter(&mut self, key: &str) -> usize {
        let len = self.path.len();
        if len > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        len
    }
}

impl Shape {
    /// What a field is decoded into; nothing if it is not known.
    fn field(self, name: &str) -> Option<Shape> {
        match self {
            Shape::Struct { schema, is_kind } => match schema.field(name) {
                Some(field) => Some(Shape::Type(field.ty)),
                None if is_kind && matches!(name, "apiVersion" | "kind") => Some(Shape::Type(Type::String)),
                None => None,
            },
            Shape::Type(Type::Map(entry)) => Some(Shape::Type(*entry)),
            Shape::Operation => matches!(name, "op" | "path" | "from" | "value").then_some(Shape::Anything),
            Shape::Anything | Shape::Type(_) | Shape::Operations => Some(Shape::Anything),
        }
    }

    /// What an item of a list is decoded into.
    fn item(self) -> Shape {
        match self {
            Shape::Type(Type::List(item)) => Shape::Type(*item),
            Shape::Operations => Shape::Operation,
            _ => Shape::Anything,
        }
    }
}

struct Seed<'a> {
    notes: &'a mut Notes,
    shape: Shape,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            Shape::Type(Type::Message(schema)) => {
                self.shape = Shape::Struct { schema, is_kind: names_its_kind(schema) };
            }
            Shape::Type(Type::List(_) | Type::Map(_)) => {}
            Shape::Type(_) => return deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => {}
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let shape = self.shape.item();
        let len = self.notes.path.len();
        for index in 0.. {
            self.notes.path.push_str(&format!("[{index}]"));
            let item = seq.next_element_seed(Seed { notes: self.notes, shape })?;
            self.notes.path.truncate(len);
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        // The path may be long, and a key stand there many times.
        let (mut seen, mut noted) = (HashSet::new(), HashSet::new());
        while let Some(key) = access.next_key::<String>()? {
            let Some(shape) = self.shape.field(&key) else {
                if noted.insert(key.clone()) {
                    self.notes.add("unknown", &key);
                }
                access.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen.contains(&key) && noted.insert(key.clone()) {
                self.notes.add("duplicate", &key);
            }
            let len = self.notes.enter(&key);
            access.next_value_seed(Seed { notes: self.notes, shape })?;
            self.notes.path.truncate(len);
            seen.insert(key);
        }
        Ok(())
    }
}
