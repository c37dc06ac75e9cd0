//! [`Layout`], how protobuf numbers the fields of a struct.

use super::{Field, Type};

/// The fields of a struct, or of a struct embedded in one, by their protobuf numbers.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The part of every number; numbers are small and nearly all are taken.
    by_number: Box<[Option<Part>]>,
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

impl Layout {
    /// The layout of a struct's fields.
    pub(crate) fn of(fields: &[Field]) -> Self {
        let mut layout = Layout::default();
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| field.number > 0) {
            let part = match field.ty {
                Type::String => Part::Text { index, empty_is_absent: !field.pointer && field.omit_empty },
                _ => Part::Field(index),
            };
            layout.put(field.within, field.number, part);
        }
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

    /// All parts with their numbers, the last first, as one who writes from the end needs them.
    pub(crate) fn parts_from_last(&self) -> impl Iterator<Item = (u32, &Part)> {
        let parts = self.by_number.iter().zip(0..self.by_number.len() as u32);
        parts.rev().filter_map(|(part, number)| Some((number, part.as_ref()?)))
    }
}
