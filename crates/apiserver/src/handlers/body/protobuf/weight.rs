//! Limits on the decoded size of protobuf: an empty struct takes two bytes, and a hundred times as much decoded, in
//! memory and again in JSON.

use klient_apimachinery::codec::protobuf::fields;
use klient_apimachinery::schema::{Schema, Type};

/// The limit of fields, set or not, of all structs of a body. Real objects stay far below.
const MOST_FIELDS: usize = 2_000_000;

/// The limit of nested structs, as in decoding.
const DEPTH: usize = 200;

/// Returns true if a struct becomes too large when decoded. Of invalid bytes only those before the error count:
/// decoding ends there too.
pub(super) fn is_too_large(raw: &[u8], schema: &'static Schema) -> bool {
    let mut scale = Scale { left: MOST_FIELDS };
    scale.weigh(raw, schema, &mut Vec::new(), 0).is_none()
}

struct Scale {
    left: usize,
}

impl Scale {
    /// Weighs a struct, or the one embedded in it at `within`; `None` if it is too large.
    fn weigh(
        &mut self,
        raw: &[u8],
        schema: &'static Schema,
        within: &mut Vec<u32>,
        depth: usize,
    ) -> Option<()> {
        if within.is_empty() {
            self.left = self.left.checked_sub(schema.fields.len() + 1)?;
        }
        if depth == DEPTH {
            return Some(());
        }
        for (number, bytes) in whole_fields(raw) {
            let field = schema.fields.iter().find(|field| field.number == number && field.within == *within);
            if let Some(field) = field {
                self.weigh_value(bytes, &field.ty, depth)?;
                continue;
            }
            within.push(number);
            if schema.fields.iter().any(|field| field.within.starts_with(within)) {
                self.weigh(bytes, schema, within, depth + 1)?;
            }
            within.pop();
        }
        Some(())
    }

    fn weigh_value(&mut self, bytes: &[u8], ty: &'static Type, depth: usize) -> Option<()> {
        match ty {
            Type::Message(schema) => self.weigh(bytes, schema, &mut Vec::new(), depth + 1),
            Type::List(ty) => self.weigh_value(bytes, ty, depth),
            Type::Map(ty) => self.weigh_entry(bytes, ty, depth),
            Type::SchemaOrArray(schema) | Type::SchemaOrBool(schema) | Type::SchemaOrStringArray(schema) => {
                // It is a part of a message of its own.
                for (_, part) in whole_fields(bytes) {
                    self.weigh(part, schema, &mut Vec::new(), depth + 1)?;
                }
                Some(())
            }
            _ => {
                self.left = self.left.checked_sub(1)?;
                Some(())
            }
        }
    }

    fn weigh_entry(&mut self, entry: &[u8], ty: &'static Type, depth: usize) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        for (number, part) in whole_fields(entry) {
            if number == 2 {
                self.weigh_value(part, ty, depth)?;
            }
        }
        Some(())
    }
}

/// The fields that contain bytes, up to the first invalid one.
fn whole_fields(raw: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    fields(raw).map_while(Result::ok)
}
