//! [`Layout`], how protobuf numbers the fields of a struct.

use super::{Field, Schema, Type};

/// The fields of a struct, or of a struct embedded in one, by their protobuf numbers.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The part of every number; numbers are small and nearly all are taken.
    by_number: Box<[Option<Part>]>,
    /// The same, for one who looks at bytes and does not read them.
    shapes: Box<[Shape]>,
}

/// What stands under a number.
#[derive(Debug)]
pub(crate) enum Part {
    /// A field, by its position in the schema.
    Field(usize),
    /// A field that holds text, as most do.
    Text {
        /// Its position in the schema.
        index: usize,
        /// What is empty is absent.
        empty_is_absent: bool,
    },
    /// An embedded struct, which JSON knows only the fields of.
    Embedded(Layout),
}

/// How the bytes under a number are made up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How protobuf writes it: 0 for a number, 2 for bytes.
    pub(crate) wire: u8,
    /// What is within.
    pub(crate) inner: Inner,
}

/// What is within a field's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inner {
    /// A number, text, or one of a list of texts.
    Plain,
    /// A struct, or one of a list of structs.
    Message(&'static Schema),
    /// An entry of a map from text to text.
    TextEntry,
    /// An embedded struct.
    Embedded,
    /// What its type says.
    Other(&'static Type),
    /// Nothing that is known.
    Unknown,
}

impl Shape {
    const UNKNOWN: Shape = Shape { wire: 0, inner: Inner::Unknown };

    fn of(ty: &'static Type) -> Self {
        let wire = if matches!(ty, Type::Bool | Type::Int32 | Type::Int64) { 0 } else { 2 };
        let inner = match ty {
            Type::Bool | Type::Int32 | Type::Int64 | Type::String | Type::List(Type::String) => Inner::Plain,
            Type::Map(Type::String) => Inner::TextEntry,
            Type::Message(schema) | Type::List(Type::Message(schema)) => Inner::Message(schema),
            _ => Inner::Other(ty),
        };
        Shape { wire, inner }
    }
}

impl Layout {
    /// The layout of a struct's fields.
    pub(crate) fn of(fields: &'static [Field]) -> Self {
        let mut layout = Layout::default();
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| field.number > 0) {
            let part = match field.ty {
                Type::String => Part::Text { index, empty_is_absent: !field.pointer && field.omit_empty },
                _ => Part::Field(index),
            };
            layout.put(field.within, field.number, part);
        }
        layout.find_shapes(fields);
        layout
    }

    fn put(&mut self, within: &[u32], number: u32, field: Part) {
        match within {
            [] => *self.slot(number) = Some(field),
            [outer, within @ ..] => {
                let part = self.slot(*outer).get_or_insert_with(|| Part::Embedded(Layout::default()));
                if let Part::Embedded(inner) = part {
                    inner.put(within, number, field);
                }
            }
        }
    }

    fn find_shapes(&mut self, fields: &'static [Field]) {
        let shape = |part: &mut Option<Part>| match part {
            None => Shape::UNKNOWN,
            Some(Part::Text { index, .. }) => Shape::of(&fields[*index].ty),
            Some(Part::Field(index)) => Shape::of(&fields[*index].ty),
            Some(Part::Embedded(inner)) => {
                inner.find_shapes(fields);
                Shape { wire: 2, inner: Inner::Embedded }
            }
        };
        self.shapes = self.by_number.iter_mut().map(shape).collect();
    }

    fn slot(&mut self, number: u32) -> &mut Option<Part> {
        let number = number as usize;
        if number >= self.by_number.len() {
            let mut longer = std::mem::take(&mut self.by_number).into_vec();
            longer.resize_with(number + 1, || None);
            self.by_number = longer.into();
        }
        &mut self.by_number[number]
    }

    /// What stands under a number.
    pub(crate) fn part(&self, number: u32) -> Option<&Part> {
        self.by_number.get(number as usize)?.as_ref()
    }

    /// How the bytes under a number are made up.
    #[inline]
    pub(crate) fn shape(&self, number: u32) -> &Shape {
        self.shapes.get(number as usize).unwrap_or(&Shape::UNKNOWN)
    }

    /// The layout of the struct under a number.
    #[inline]
    pub(crate) fn inner(&self, number: u32) -> Option<&Layout> {
        match self.shape(number).inner {
            Inner::Message(schema) => Some(schema.layout()),
            Inner::Embedded => match self.part(number) {
                Some(Part::Embedded(inner)) => Some(inner),
                _ => None,
            },
            _ => None,
        }
    }

    /// All parts with their numbers, the last first, as one who writes from the end needs them.
    pub(crate) fn parts_from_last(&self) -> impl Iterator<Item = (u32, &Part)> {
        let parts = self.by_number.iter().zip(0..self.by_number.len() as u32);
        parts.rev().filter_map(|(part, number)| Some((number, part.as_ref()?)))
    }
}
