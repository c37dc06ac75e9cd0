//! Warnings and errors of strict decoding.

use std::collections::HashSet;

use super::depth::MAX_PARSE_DEPTH;
use super::text::Text;
use super::{MAX_STRICT_ERRORS, names_its_kind, push_field};
use crate::go::quoted;
use crate::schema::{Schema, Type};

/// The type into which JSON is decoded.
#[derive(Clone, Copy)]
pub enum Target {
    /// A map with any fields, for custom resources and patches: no field is unknown.
    Anything,
    /// An object of a built-in kind.
    Kind(&'static Schema),
    /// The list of operations of a JSON patch.
    Operations,
}

/// The unknown and duplicate fields, in the order of the input and in Go's words. Types that unmarshal themselves, such
/// as the schemas of a definition, are not checked.
pub fn strict_errors(text: &[u8], target: Target) -> Vec<String> {
    let shape = match target {
        Target::Anything => Shape::Anything,
        Target::Kind(schema) => Shape::Struct { schema, is_kind: true },
        Target::Operations => Shape::Operations,
    };
    // A syntax error is reported by the decoder.
    let Ok(text) = Text::new(text) else { return Vec::new() };
    let mut notes = Notes { text, path: String::new(), found: Vec::new() };
    notes.value(shape, 0);
    notes.found
}

/// The type into which a value is decoded.
#[derive(Clone, Copy)]
enum Shape {
    Anything,
    Struct { schema: &'static Schema, is_kind: bool },
    Type(Type),
    Operations,
    Operation,
}

impl Shape {
    /// The type of a field; `None` if it is unknown.
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

    /// The type of an item of a list.
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
            b'{' if is_looked_into && depth <= MAX_PARSE_DEPTH => self.object(shape, depth),
            b'[' if is_looked_into && depth <= MAX_PARSE_DEPTH => self.list(shape.item(), depth),
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
        // The path may be long, and a key occur many times.
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
        if self.found.len() >= MAX_STRICT_ERRORS {
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
