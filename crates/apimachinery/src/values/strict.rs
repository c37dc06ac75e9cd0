//! What strict decoding says of JSON text.

use std::collections::HashSet;

use super::text::{DEEPEST, Text};
use super::{MOST_NOTES, names_its_kind, push_field};
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
    // What is no JSON is refused by what decodes it.
    let Ok(text) = Text::new(text) else { return Vec::new() };
    let mut notes = Notes { text, path: String::new(), found: Vec::new() };
    notes.value(shape, 0);
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

struct Notes<'a> {
    text: Text<'a>,
    path: String,
    found: Vec<String>,
}

impl Notes<'_> {
    fn value(&mut self, shape: Shape, depth: usize) {
        let shape = match shape {
            Shape::Type(Type::Message(schema)) => Shape::Struct { schema, is_kind: names_its_kind(schema) },
            shape => shape,
        };
        let is_looked_into = !matches!(shape, Shape::Type(ty) if !matches!(ty, Type::List(_) | Type::Map(_)));
        match self.text.peek() {
            b'{' if is_looked_into && depth <= DEEPEST => self.object(shape, depth),
            b'[' if is_looked_into && depth <= DEEPEST => self.list(shape.item(), depth),
            _ => self.text.skip(),
        }
    }

    fn list(&mut self, item: Shape, depth: usize) {
        self.text.open();
        let len = self.path.len();
        for index in 0.. {
            if !self.text.more() {
                break;
            }
            self.path.push_str(&format!("[{index}]"));
            self.value(item, depth + 1);
            self.path.truncate(len);
        }
    }

    fn object(&mut self, shape: Shape, depth: usize) {
        self.text.open();
        // The path may be long, and a key stand there many times.
        let (mut seen, mut noted) = (HashSet::new(), HashSet::new());
        while self.text.more() {
            let key = self.text.key();
            let Some(shape) = shape.field(&key) else {
                if noted.insert(key.clone()) {
                    self.add("unknown", &key);
                }
                self.text.skip();
                continue;
            };
            if seen.contains(&key) && noted.insert(key.clone()) {
                self.add("duplicate", &key);
            }
            let len = push_field(&mut self.path, &key);
            self.value(shape, depth + 1);
            self.path.truncate(len);
            seen.insert(key);
        }
    }

    fn add(&mut self, problem: &str, key: &str) {
        if self.found.len() >= MOST_NOTES {
            return;
        }
        let len = push_field(&mut self.path, key);
        let note = format!("{problem} field {}", quoted(&self.path));
        self.path.truncate(len);
        if !self.found.contains(&note) {
            self.found.push(note);
        }
    }
}
