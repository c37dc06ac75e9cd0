//! [`Layout`], the fields of a struct by protobuf number.

use super::{Field, Schema, Type};

/// The fields of a struct, or of a struct embedded in one, by their protobuf numbers.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The parts by number; numbers are small and nearly all are used.
    by_number: Box<[Option<Part>]>,
    /// The same for validation, which does not need the fields.
    shapes: Box<[Shape]>,
}

/// The meaning of a protobuf number.
#[derive(Debug)]
pub(crate) enum Part {
    /// A field, by its position in the schema.
    Field(usize),
    /// A field with a string, the most common type.
    Text {
        /// Its position in the schema.
        index: usize,
        /// True if an empty string is absent.
        empty_is_absent: bool,
    },
    /// An embedded struct, of which JSON has only the fields.
    Embedded(Layout),
}

/// The encoding of the bytes under a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The wire type: 0 for a number, 2 for bytes.
    pub(crate) wire: u8,
    /// The content.
    pub(crate) inner: Inner,
}

/// The content of a field's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inner {
    /// A number, a string, or one of a list of strings.
    Plain,
    /// A struct, or one of a list of structs.
    Message(&'static Schema),
    /// An entry of a map from string to string.
    TextEntry,
    /// An embedded struct.
    Embedded,
    /// As its type defines.
    Other(&'static Type),
    /// An unknown field.
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

    /// The part with a number.
    pub(crate) fn part(&self, number: u32) -> Option<&Part> {
        self.by_number.get(number as usize)?.as_ref()
    }

    /// The encoding of the bytes under a number.
    #[inline]
    pub(crate) fn shape(&self, number: u32) -> &Shape {
        self.shapes.get(number as usize).unwrap_or(&Shape::UNKNOWN)
    }

    /// The layout of the embedded struct with a number.
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

    /// All parts with their numbers in reverse order, for writing from the end.
    pub(crate) fn parts_from_last(&self) -> impl Iterator<Item = (u32, &Part)> {
        let parts = self.by_number.iter().zip(0..self.by_number.len() as u32);
        parts.rev().filter_map(|(part, number)| Some((number, part.as_ref()?)))
    }
}
