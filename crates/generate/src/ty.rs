//! [`Ty`], the type of a field.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ty {
    Bool,
    I32,
    I64,
    F64,
    Str,
    Time,
    ByteString,
    Quantity,
    IntOrString,
    /// JSON of any shape.
    Value,
    Condition,
    LabelSelector,
    ObjectMeta,
    /// A generated type, by its position in the model.
    Struct(usize),
    Enum(usize),
    List(Box<Ty>),
    Map(Box<Ty>),
    Optional(Box<Ty>),
    Boxed(Box<Ty>),
}

impl Ty {
    pub(crate) fn optional(self) -> Self {
        match self {
            Ty::Optional(_) => self,
            other => Ty::Optional(Box::new(other)),
        }
    }

    pub(crate) fn is_struct(&self) -> bool {
        matches!(self, Ty::Struct(_) | Ty::Condition | Ty::LabelSelector | Ty::ObjectMeta)
    }
}

/// The names that a module can use: those that it imports, unless it declares another type with the name.
pub(crate) struct Names<'a> {
    declared: BTreeSet<&'a str>,
    imported: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(declared: impl IntoIterator<Item = &'a str>) -> Self {
        Names { declared: declared.into_iter().collect(), imported: RefCell::default() }
    }

    /// The items to import from klient.
    pub(crate) fn imported(&self) -> BTreeSet<&'static str> {
        self.imported.borrow().clone()
    }

    /// Returns true if a name can be imported.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.declared.contains(name)
    }

    /// The name of an item of klient, which is imported, or its path if the name is not free.
    pub(crate) fn of_klient(&self, item: &'static str) -> String {
        let name = item.rsplit("::").next().unwrap_or(item);
        if !self.is_free(name) {
            return format!("klient::{item}");
        }
        self.imported.borrow_mut().insert(item);
        name.to_owned()
    }

    /// The name of an item of the prelude, or its path in a module of std if the name is not free.
    pub(crate) fn of_std(&self, name: &str, module: &str) -> String {
        if self.is_free(name) { name.to_owned() } else { format!("std::{module}::{name}") }
    }

    /// The text of a type. `types` are the names of the generated types.
    pub(crate) fn text(&self, ty: &Ty, types: &[&str]) -> String {
        match ty {
            Ty::Bool => "bool".to_owned(),
            Ty::I32 => "i32".to_owned(),
            Ty::I64 => "i64".to_owned(),
            Ty::F64 => "f64".to_owned(),
            Ty::Str => self.of_klient("Str"),
            Ty::Time => self.of_klient("Time"),
            Ty::ByteString => self.of_klient("ByteString"),
            Ty::Quantity => self.of_klient("Quantity"),
            Ty::IntOrString => self.of_klient("IntOrString"),
            Ty::Value => self.of_klient("serde_json::Value"),
            Ty::Condition => self.of_klient("Condition"),
            Ty::LabelSelector => self.of_klient("LabelSelector"),
            Ty::ObjectMeta => self.of_klient("ObjectMeta"),
            Ty::Struct(at) | Ty::Enum(at) => types[*at].to_owned(),
            Ty::List(item) => format!("{}<{}>", self.of_std("Vec", "vec"), self.text(item, types)),
            Ty::Map(value) => format!("{}<{}>", self.of_klient("Map"), self.text(value, types)),
            Ty::Optional(value) => {
                format!("{}<{}>", self.of_std("Option", "option"), self.text(value, types))
            }
            Ty::Boxed(value) => format!("{}<{}>", self.of_std("Box", "boxed"), self.text(value, types)),
        }
    }
}
