//! The parts of which `#[derive(ApplyConfiguration)]` makes configurations: public for its expansion only.

use std::cell::RefCell;
use std::sync::OnceLock;

use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::schema::Field;
pub use klient_apimachinery::schema::{ListType, Schema, Type};
pub use klient_apimachinery::{
    ApplyConfiguration, Cluster, Namespaced, Object, Resource, Unstructured, codec::Wire,
};
pub use serde;
pub use serde_json::Value;

use crate::Configurable;
use crate::error::Error;
pub use crate::fields::{Fields, IntoJson, json_of};
pub use crate::read::{deserialize, from_json, from_value, from_yaml};
pub use crate::show::{debug, display};
pub use crate::subject::Subject;

/// A configuration whose type is described.
pub trait Described {
    /// The description.
    fn subject() -> &'static Subject;
}

/// A field of a struct of a program.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    json: &'static str,
    ty: fn() -> Type,
    list: ListType,
    is_atomic: bool,
    is_granular: bool,
    is_flattened: bool,
}

impl Shape {
    /// A field with a value of a type.
    pub const fn of<T: Configurable>(json: &'static str) -> Self {
        Shape {
            json,
            ty: T::value_type,
            list: ListType::Undeclared,
            is_atomic: false,
            is_granular: false,
            is_flattened: false,
        }
    }

    /// A field with any value.
    pub const fn any(json: &'static str) -> Self {
        Shape::of::<Value>(json)
    }

    /// The field, with a list type.
    pub const fn list(mut self, list: ListType) -> Self {
        self.list = list;
        self
    }

    /// The field, as one value.
    pub const fn atomic(mut self) -> Self {
        self.is_atomic = true;
        self
    }

    /// The field, as values that have owners of their own.
    pub const fn granular(mut self) -> Self {
        self.is_granular = true;
        self
    }

    /// The fields of the value in place of the field.
    pub const fn flattened(mut self) -> Self {
        self.is_flattened = true;
        self
    }
}

/// The description of a struct of a program, made when it is first needed.
#[derive(Debug)]
pub struct Known(OnceLock<Subject>);

thread_local! {
    /// The descriptions that this thread is making, one within the other.
    static IN_THE_MAKING: RefCell<Vec<*const Known>> = const { RefCell::new(Vec::new()) };
}

impl Known {
    /// A description that is to be made.
    #[expect(clippy::new_without_default, reason = "it is the value of a static")]
    pub const fn new() -> Self {
        Known(OnceLock::new())
    }

    /// The description of a kind.
    pub fn kind<K: Resource>(&'static self, shapes: &[Shape]) -> &'static Subject {
        self.0.get_or_init(|| {
            let metadata =
                Field { json: "metadata", ty: Type::Message(&OBJECT_META), omit_empty: true, ..Field::PLAIN };
            let mut fields = vec![metadata];
            let api_version: &'static str = K::INFO.api_version().leak();
            let name: &'static str = K::INFO.kind.into_owned().leak();
            let is_open = add(&mut fields, shapes);
            let table = table(api_version, name, fields, is_open);
            Subject { api_version, name, is_kind: true, table: leak(table) }
        })
    }

    /// The description of a struct within a kind.
    pub fn part(&'static self, name: &'static str, shapes: &[Shape], is_atomic: bool) -> &'static Subject {
        if let Some(subject) = self.0.get() {
            return subject;
        }
        // Not within the lock, on which a struct that has itself as a field would wait for itself.
        IN_THE_MAKING.with_borrow_mut(|all| all.push(self));
        let mut fields = Vec::new();
        let is_open = add(&mut fields, shapes);
        IN_THE_MAKING.with_borrow_mut(Vec::pop);
        self.0.get_or_init(|| {
            let table = table("", name, fields, is_open);
            let table = if is_atomic { table.atomic() } else { table };
            Subject { api_version: "", name, is_kind: false, table: leak(table) }
        })
    }

    /// The type of a struct within a kind; any value below itself.
    pub fn part_type(&'static self, subject: impl FnOnce() -> &'static Subject) -> Type {
        let is_below_itself =
            IN_THE_MAKING.with_borrow(|all| all.iter().any(|known| std::ptr::eq(*known, self)));
        if is_below_itself { Type::Json } else { Type::Message(subject().table) }
    }
}

/// Adds fields; returns true if other fields are allowed, too.
fn add(fields: &mut Vec<Field>, shapes: &[Shape]) -> bool {
    let mut is_open = false;
    for shape in shapes {
        match ((shape.ty)(), shape.is_flattened) {
            (Type::Message(table), true) if !table.fields.is_empty() => {
                fields.extend(table.fields.iter().cloned());
            }
            (_, true) => is_open = true,
            (ty, false) => fields.push(Field {
                json: shape.json,
                ty,
                omit_empty: true,
                list: shape.list,
                atomic: shape.is_atomic,
                granular: shape.is_granular,
                ..Field::PLAIN
            }),
        }
    }
    is_open
}

/// The table of a struct. One without fields allows any.
fn table(package: &'static str, name: &'static str, fields: Vec<Field>, is_open: bool) -> Schema {
    let fields: &'static [Field] = if is_open { &[] } else { fields.leak() };
    Schema::new(package, name, fields)
}

fn leak(schema: Schema) -> &'static Schema {
    Box::leak(Box::new(schema))
}

/// The fields that a field manager has applied to an object, or to a subresource of it.
///
/// # Errors
///
/// See `extract` of a configuration.
pub fn extract<K: Object + Wire>(
    object: &K,
    subject: &Subject,
    field_manager: &str,
    subresource: &str,
) -> Result<Fields, Error> {
    crate::extract::extract(Unstructured::from_typed(object), subject, field_manager, subresource)
}
