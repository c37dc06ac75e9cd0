//! [`TypeRef`] and [`Atom`], the one shape of all schemas.

use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::schema::{Field, ListType, Schema as Table, Type as BuiltinType};
use serde_json::Value;

use super::structural;
use crate::value::Node;

/// The type of a value.
#[derive(Clone, Copy)]
pub(crate) struct TypeRef<'a>(Repr<'a>);

#[derive(Clone, Copy)]
enum Repr<'a> {
    /// An object of a built-in kind.
    Object(&'static Table),
    Builtin {
        ty: &'static BuiltinType,
        /// The field that contains the value and defines how lists and maps are merged; `None` for items.
        field: Option<&'static Field>,
    },
    Structural(&'a structural::Type),
    /// Any value. Maps are granular, lists are atomic.
    Deduced,
    /// Any value, atomic.
    Atomic,
}

/// The kinds of value that a type allows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Atom<'a> {
    pub(crate) scalar: Option<Scalar>,
    pub(crate) list: Option<List<'a>>,
    pub(crate) map: Option<Struct<'a>>,
}

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Numeric,
    String,
    Boolean,
    /// A scalar of any type.
    Untyped,
}

/// A list.
#[derive(Clone, Copy)]
pub(crate) struct List<'a> {
    pub(crate) item: TypeRef<'a>,
    pub(crate) relation: Relation<'a>,
}

/// The identity of the items of a list.
#[derive(Clone, Copy)]
pub(crate) enum Relation<'a> {
    /// None: the list is atomic.
    Atomic,
    /// By value.
    Set,
    /// By these fields.
    Map(Keys<'a>),
}

/// The names of the key fields of items.
#[derive(Clone, Copy)]
pub(crate) enum Keys<'a> {
    Builtin(&'static [&'static str]),
    Structural(&'a [String]),
}

/// A struct, or a map, or both.
#[derive(Clone, Copy)]
pub(crate) struct Struct<'a> {
    pub(crate) fields: Fields<'a>,
    /// The type of undeclared fields; without it, they are an error.
    pub(crate) element: Option<TypeRef<'a>>,
    pub(crate) atomic: bool,
}

/// The fields of a struct.
#[derive(Clone, Copy)]
pub(crate) enum Fields<'a> {
    None,
    Builtin {
        table: &'static Table,
        /// True if the object has `apiVersion` and `kind` too.
        kind: bool,
    },
    Structural(&'a structural::Fields),
}

impl<'a> TypeRef<'a> {
    pub(crate) const DEDUCED: TypeRef<'static> = TypeRef(Repr::Deduced);
    pub(crate) const ATOMIC: TypeRef<'static> = TypeRef(Repr::Atomic);

    /// Of an object of a built-in kind.
    pub(crate) const fn object(table: &'static Table) -> Self {
        TypeRef(Repr::Object(table))
    }

    pub(crate) const fn structural(ty: &'a structural::Type) -> Self {
        TypeRef(Repr::Structural(ty))
    }

    const fn builtin(ty: &'static BuiltinType) -> Self {
        TypeRef(Repr::Builtin { ty, field: None })
    }

    /// Returns true if values may be of any type and their types are deduced from them.
    pub(crate) fn is_deduced(self) -> bool {
        match self.0 {
            Repr::Deduced => true,
            Repr::Structural(ty) => ty.is_untyped(),
            _ => false,
        }
    }

    /// The kinds of value that the type allows.
    pub(crate) fn atom(self) -> Atom<'a> {
        match self.0 {
            Repr::Object(table) => Atom::of_struct(table, true, table.is_atomic),
            Repr::Builtin { ty, field } => Atom::builtin(ty, field),
            Repr::Structural(ty) => ty.atom(),
            Repr::Deduced => Atom::any(TypeRef::DEDUCED, false),
            Repr::Atomic => Atom::any(TypeRef::ATOMIC, true),
        }
    }

    /// The kind of a given value: one of those allowed, or all of them if it is none of these or absent.
    pub(crate) fn atom_of(self, value: Option<Node<'_>>) -> Atom<'a> {
        let atom = self.atom();
        match value {
            Some(Node::Scalar(_)) if atom.scalar.is_some() => Atom { scalar: atom.scalar, ..Atom::default() },
            Some(Node::List(_)) if atom.list.is_some() => Atom { list: atom.list, ..Atom::default() },
            Some(Node::Map(_)) if atom.map.is_some() => Atom { map: atom.map, ..Atom::default() },
            _ => atom,
        }
    }
}

/// The one kind by which a value is handled.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    Map(Struct<'a>),
    Scalar(Scalar),
    List(List<'a>),
}

impl<'a> Atom<'a> {
    pub(crate) const fn scalar(scalar: Scalar) -> Self {
        Atom { scalar: Some(scalar), list: None, map: None }
    }

    pub(crate) const fn list(item: TypeRef<'a>, relation: Relation<'a>) -> Self {
        Atom { scalar: None, list: Some(List { item, relation }), map: None }
    }

    pub(crate) const fn map(map: Struct<'a>) -> Self {
        Atom { scalar: None, list: None, map: Some(map) }
    }

    fn any(element: TypeRef<'a>, atomic: bool) -> Self {
        Atom {
            scalar: Some(Scalar::Untyped),
            list: Some(List { item: TypeRef::ATOMIC, relation: Relation::Atomic }),
            map: Some(Struct { fields: Fields::None, element: Some(element), atomic }),
        }
    }

    fn of_struct(table: &'static Table, kind: bool, atomic: bool) -> Self {
        // An object without properties in OpenAPI may have any field.
        let element = table.fields.is_empty().then_some(TypeRef::DEDUCED);
        Atom::map(Struct { fields: Fields::Builtin { table, kind }, element, atomic })
    }

    fn builtin(ty: &'static BuiltinType, field: Option<&'static Field>) -> Self {
        match ty {
            BuiltinType::String | BuiltinType::Bytes | BuiltinType::Duration => Atom::scalar(Scalar::String),
            BuiltinType::Bool => Atom::scalar(Scalar::Boolean),
            BuiltinType::Int32 | BuiltinType::Int64 | BuiltinType::Double => Atom::scalar(Scalar::Numeric),
            BuiltinType::Time | BuiltinType::MicroTime | BuiltinType::Quantity => {
                Atom::scalar(Scalar::Untyped)
            }
            BuiltinType::IntOrString
            | BuiltinType::Json
            | BuiltinType::SchemaOrArray(_)
            | BuiltinType::SchemaOrBool(_)
            | BuiltinType::SchemaOrStringArray(_) => TypeRef::DEDUCED.atom(),
            BuiltinType::RawExtension => TypeRef::ATOMIC.atom(),
            BuiltinType::FieldsV1 => Atom { scalar: None, list: None, ..TypeRef::DEDUCED.atom() },
            BuiltinType::StringList => Atom::list(TypeRef::builtin(&BuiltinType::String), Relation::Atomic),
            BuiltinType::Message(table) => {
                let granular = field.is_some_and(|field| field.granular);
                let atomic = field.is_some_and(|field| field.atomic) || (table.is_atomic && !granular);
                Atom::of_struct(table, is_nested_kind(table), atomic)
            }
            BuiltinType::List(item) => {
                let relation = match field.map_or(ListType::Undeclared, |field| field.list) {
                    ListType::Undeclared | ListType::Atomic => Relation::Atomic,
                    ListType::Set => Relation::Set,
                    ListType::Map(keys) => Relation::Map(Keys::Builtin(keys)),
                };
                Atom::list(TypeRef::builtin(item), relation)
            }
            BuiltinType::Map(element) => Atom::map(Struct {
                fields: Fields::None,
                element: Some(TypeRef::builtin(element)),
                atomic: field.is_some_and(|field| field.atomic),
            }),
        }
    }

    /// The one kind by which the value is handled.
    pub(crate) fn kind(self) -> Option<Kind<'a>> {
        let map = self.map.map(Kind::Map);
        map.or(self.scalar.map(Kind::Scalar)).or(self.list.map(Kind::List))
    }

    /// Returns true if two atoms of one type are the same.
    pub(crate) fn is_same(&self, other: &Atom<'_>) -> bool {
        let parts = |atom: &Atom<'_>| (atom.scalar.is_some(), atom.list.is_some(), atom.map.is_some());
        parts(self) == parts(other)
    }
}

/// The one kind that is nested within another, in a StatefulSet, and has its own `apiVersion` and `kind` there.
fn is_nested_kind(table: &Table) -> bool {
    table.name == "PersistentVolumeClaim" && table.package == "core/v1"
}

impl<'a> Struct<'a> {
    /// The type of a declared field.
    pub(crate) fn field(&self, name: &str) -> Option<TypeRef<'a>> {
        match self.fields {
            Fields::None => None,
            Fields::Builtin { kind: true, .. } if matches!(name, "apiVersion" | "kind") => {
                Some(TypeRef::builtin(&BuiltinType::String))
            }
            Fields::Builtin { table, .. } => {
                table.field(name).map(|field| TypeRef(Repr::Builtin { ty: &field.ty, field: Some(field) }))
            }
            Fields::Structural(fields) => fields.get(name).map(|field| TypeRef::structural(&field.ty)),
        }
    }

    /// The type of the value under a name, if the name is allowed.
    pub(crate) fn type_of(&self, name: &str) -> Option<TypeRef<'a>> {
        self.field(name).or(self.element)
    }

    /// The default of a field that is not set.
    pub(crate) fn default(&self, name: &str) -> Option<Value> {
        match self.fields {
            Fields::None => None,
            Fields::Builtin { table, .. } => table.field(name).and_then(default),
            Fields::Structural(fields) => fields.get(name)?.default.clone(),
        }
    }
}

/// The default of a field, which is Go's zero where Go always has a value.
fn default(field: &Field) -> Option<Value> {
    if let Some(default) = field.default {
        return serde_json::from_str(default).ok();
    }
    match field.ty {
        _ if field.pointer || field.omit_empty => None,
        BuiltinType::String => Some("".into()),
        BuiltinType::Bool => Some(false.into()),
        BuiltinType::Int32 | BuiltinType::Int64 | BuiltinType::Double => Some(0.into()),
        _ => None,
    }
}

impl<'a> Keys<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a str> {
        let (builtin, structural): (&[&str], &[String]) = match self {
            Keys::Builtin(names) => (names, &[]),
            Keys::Structural(names) => (&[], names),
        };
        builtin.iter().copied().chain(structural.iter().map(String::as_str))
    }
}

/// The type of `metadata`.
pub(crate) fn metadata() -> Atom<'static> {
    Atom::of_struct(&OBJECT_META, false, false)
}
