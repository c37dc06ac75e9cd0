//! Fields of a CRD's schema that have a schema or a simpler value.

use super::{Either, List, Message, Mut, Ref, Scalar, Value};
use crate::Str;

/// A schema or a list of schemas, as in `items`.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaOrArray<T> {
    /// One schema for all items.
    Schema(Box<T>),
    /// A schema for each item.
    Schemas(Vec<T>),
}

/// A schema or a boolean, as in `additionalProperties`.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaOrBool<T> {
    /// Undeclared fields follow this schema.
    Schema(Box<T>),
    /// True if any value is allowed, false if none is.
    Bool(bool),
}

/// A schema or a list of property names, as in `dependencies`.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaOrStringArray<T> {
    /// The whole object follows this schema.
    Schema(Box<T>),
    /// The names of required properties.
    Strings(Vec<Str>),
}

macro_rules! schema_or {
    ($name:ident, $other:ident, $view:expr, list: $list:expr, bool: $bool:expr) => {
        impl<T: Default> Default for $name<T> {
            fn default() -> Self {
                $name::Schema(Box::default())
            }
        }

        impl<T: Message + Default> Value for $name<T> {
            fn view(&self) -> Ref<'_> {
                match self {
                    $name::Schema(schema) => Ref::Message(&**schema),
                    $name::$other(other) => $view(other),
                }
            }

            fn view_mut(&mut self) -> Mut<'_> {
                Mut::Either(self)
            }
        }

        impl<T: Message + Default> Either for $name<T> {
            fn clear(&mut self) {
                *self = Self::default();
            }

            fn message(&mut self) -> &mut dyn Message {
                *self = Self::default();
                match self {
                    $name::Schema(schema) => &mut **schema,
                    $name::$other(_) => unreachable!("the default is a schema"),
                }
            }

            fn list(&mut self) -> Option<&mut dyn List> {
                let list: fn(&mut Self) -> Option<&mut dyn List> = $list;
                list(self)
            }

            fn bool(&mut self) -> Option<&mut dyn Scalar> {
                let bool: fn(&mut Self) -> Option<&mut dyn Scalar> = $bool;
                bool(self)
            }
        }

        impl<T: Message + Default> Value for Option<$name<T>> {
            fn view(&self) -> Ref<'_> {
                self.as_ref().map_or(Ref::Absent, Value::view)
            }

            fn view_mut(&mut self) -> Mut<'_> {
                Mut::Either(self)
            }
        }

        impl<T: Message + Default> Either for Option<$name<T>> {
            fn clear(&mut self) {
                *self = None;
            }

            fn message(&mut self) -> &mut dyn Message {
                self.get_or_insert_default().message()
            }

            fn list(&mut self) -> Option<&mut dyn List> {
                self.get_or_insert_default().list()
            }

            fn bool(&mut self) -> Option<&mut dyn Scalar> {
                self.get_or_insert_default().bool()
            }
        }
    };
}

schema_or!(SchemaOrArray, Schemas, Ref::List, list: |this| {
    *this = SchemaOrArray::Schemas(Vec::new());
    match this {
        SchemaOrArray::Schemas(list) => Some(list),
        SchemaOrArray::Schema(_) => None,
    }
}, bool: |_| None);
schema_or!(SchemaOrBool, Bool, |value: &bool| Ref::Bool(*value), list: |_| None, bool: |this| {
    *this = SchemaOrBool::Bool(false);
    match this {
        SchemaOrBool::Bool(value) => Some(value),
        SchemaOrBool::Schema(_) => None,
    }
});
schema_or!(SchemaOrStringArray, Strings, Ref::List, list: |this| {
    *this = SchemaOrStringArray::Strings(Vec::new());
    match this {
        SchemaOrStringArray::Strings(list) => Some(list),
        SchemaOrStringArray::Schema(_) => None,
    }
}, bool: |_| None);
