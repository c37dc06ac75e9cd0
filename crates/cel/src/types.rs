//! [`Type`], the static type of an expression.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::schema::Schema as Table;

use crate::schema::Schema;

/// The static type of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`, of 64 bits
    Int,
    /// `uint`, of 64 bits
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `duration`
    Duration,
    /// `timestamp`
    Timestamp,
    /// A type known at run time only.
    Dyn,
    /// The type of an expression with an error, which causes no further ones.
    Error,
    /// A list of items of a type.
    List(Arc<Type>),
    /// A map with the types of its keys and values.
    Map(Arc<(Type, Type)>),
    /// An object with declared fields, or a type of a library without any.
    Struct(Arc<Struct>),
    /// A type of a library with parameters, such as `optional_type(int)`.
    Opaque(Arc<str>, Arc<[Type]>),
    /// The type of types, with the type if it is known.
    Meta(Option<Arc<Type>>),
    /// A parameter of an overload, or a type not known yet.
    Param(Arc<str>),
}

/// An object type.
#[derive(Clone, Debug)]
pub(crate) struct Struct {
    pub(crate) name: Arc<str>,
    pub(crate) fields: Fields,
}

/// The fields of an object type.
#[derive(Clone, Debug)]
pub(crate) enum Fields {
    /// No fields: a type of a library.
    None,
    /// The fields of a schema.
    Schema(Arc<Schema>),
    /// The fields of a struct of Kubernetes.
    Table(&'static Table),
    /// These fields.
    Declared(Arc<BTreeMap<String, Type>>),
    /// Every field, of type `dyn`.
    Any,
}

/// The name of the type of optional values.
pub(crate) const OPTIONAL: &str = "optional_type";

impl Type {
    pub(crate) fn list(item: Type) -> Type {
        Type::List(Arc::new(item))
    }

    pub(crate) fn map(key: Type, value: Type) -> Type {
        Type::Map(Arc::new((key, value)))
    }

    pub(crate) fn optional(value: Type) -> Type {
        Type::Opaque(OPTIONAL.into(), [value].into())
    }

    pub(crate) fn named(name: &str) -> Type {
        Type::Struct(Arc::new(Struct { name: name.into(), fields: Fields::None }))
    }

    pub(crate) fn object(name: &str, fields: Fields) -> Type {
        Type::Struct(Arc::new(Struct { name: name.into(), fields }))
    }

    /// Returns true for the type of a type whose objects expressions make, which has no value.
    pub(crate) fn is_patch_type(&self) -> bool {
        let Type::Meta(Some(inner)) = self else { return false };
        matches!(&**inner, Type::Struct(own) if matches!(own.fields, Fields::Any | Fields::Declared(_)))
    }

    /// The type by its name at run time, with its parameters: `google.protobuf.Timestamp` for `timestamp`.
    pub(crate) fn runtime_name(&self) -> String {
        match self {
            Type::Null => "null_type".to_owned(),
            Type::Duration => "google.protobuf.Duration".to_owned(),
            Type::Timestamp => "google.protobuf.Timestamp".to_owned(),
            Type::Param(name) => format!("<{name}>"),
            ty => {
                let parameters: Vec<String> =
                    ty.parameters().iter().map(|inner| inner.runtime_name()).collect();
                let name = match ty {
                    Type::List(_) => "list".to_owned(),
                    Type::Map(_) => "map".to_owned(),
                    Type::Meta(_) => "type".to_owned(),
                    Type::Opaque(name, _) => name.to_string(),
                    ty => ty.to_string(),
                };
                match parameters.as_slice() {
                    [] => name,
                    parameters => format!("{name}({})", parameters.join(", ")),
                }
            }
        }
    }

    /// The type in an optional one.
    pub(crate) fn unwrap_optional(&self) -> Option<&Type> {
        match self {
            Type::Opaque(name, parameters) if &**name == OPTIONAL => parameters.first(),
            _ => None,
        }
    }

    pub(crate) fn is_dyn_or_error(&self) -> bool {
        matches!(self, Type::Dyn | Type::Error)
    }

    /// The parameters of a type, such as the type of a list's items.
    pub(crate) fn parameters(&self) -> Vec<&Type> {
        match self {
            Type::List(item) => vec![item],
            Type::Map(entry) => vec![&entry.0, &entry.1],
            Type::Opaque(_, parameters) => parameters.iter().collect(),
            Type::Meta(Some(inner)) => vec![inner],
            _ => Vec::new(),
        }
    }

    /// Returns true if two types are the same.
    pub(crate) fn is(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::List(one), Type::List(other)) => one.is(other),
            (Type::Map(one), Type::Map(other)) => one.0.is(&other.0) && one.1.is(&other.1),
            (Type::Struct(one), Type::Struct(other)) => one.name == other.name,
            (Type::Opaque(one, ours), Type::Opaque(other, theirs)) => {
                one == other && ours.len() == theirs.len() && ours.iter().zip(&**theirs).all(|(a, b)| a.is(b))
            }
            (Type::Meta(Some(one)), Type::Meta(Some(other))) => one.is(other),
            (Type::Meta(None), Type::Meta(None)) => true,
            (Type::Param(one), Type::Param(other)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other) && self.is_plain(),
        }
    }

    /// Returns true if two types are the same, except that type parameters equal each other.
    pub(crate) fn is_equivalent(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Meta(_), Type::Meta(_)) | (Type::Param(_), Type::Param(_)) => true,
            (Type::List(one), Type::List(other)) => one.is_equivalent(other),
            (Type::Map(one), Type::Map(other)) => {
                one.0.is_equivalent(&other.0) && one.1.is_equivalent(&other.1)
            }
            (Type::Opaque(one, ours), Type::Opaque(other, theirs)) => {
                one == other && ours.iter().zip(&**theirs).all(|(a, b)| a.is_equivalent(b))
            }
            _ => self.is(other),
        }
    }

    /// Returns true if the type has more than this number of parts.
    pub(crate) fn is_larger_than(&self, most: usize) -> bool {
        fn exceeds(ty: &Type, left: &mut usize) -> bool {
            if *left == 0 {
                return true;
            }
            *left -= 1;
            match ty {
                Type::List(item) => exceeds(item, left),
                Type::Map(entry) => exceeds(&entry.0, left) || exceeds(&entry.1, left),
                Type::Opaque(_, parameters) => parameters.iter().any(|ty| exceeds(ty, left)),
                Type::Meta(Some(ty)) => exceeds(ty, left),
                _ => false,
            }
        }
        let mut left = most;
        exceeds(self, &mut left)
    }

    /// Returns true for the types of single values that have a kind of their own in JSON or in CEL.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(
            self,
            Type::Null
                | Type::Bool
                | Type::Int
                | Type::Uint
                | Type::Double
                | Type::String
                | Type::Bytes
                | Type::Duration
                | Type::Timestamp
        )
    }

    fn is_plain(&self) -> bool {
        self.is_scalar() || matches!(self, Type::Dyn | Type::Error)
    }

    /// Parses a type as it is displayed.
    pub(crate) fn parse(text: &str) -> Type {
        Type::parse_with(text, &Type::named)
    }

    /// Parses a type as it is displayed, with a function for the types of objects.
    pub(crate) fn parse_with(text: &str, object: &dyn Fn(&str) -> Type) -> Type {
        let Some((name, rest)) = text.split_once('(') else {
            return match text {
                "null" => Type::Null,
                "bool" => Type::Bool,
                "int" => Type::Int,
                "uint" => Type::Uint,
                "double" => Type::Double,
                "string" => Type::String,
                "bytes" => Type::Bytes,
                "duration" => Type::Duration,
                "timestamp" => Type::Timestamp,
                "dyn" => Type::Dyn,
                "type" => Type::Meta(None),
                "net.IP" | "net.CIDR" => Type::Opaque(text.into(), [].into()),
                _ if text.len() == 1 => Type::Param(text.into()),
                _ => object(text),
            };
        };
        let mut parameters: Vec<Type> = split_types(rest.strip_suffix(')').unwrap_or(rest))
            .map(|ty| Type::parse_with(ty, object))
            .collect();
        match (name, parameters.len()) {
            ("list", 1) => Type::list(parameters.remove(0)),
            ("map", 2) => Type::Map(Arc::new((parameters.remove(0), parameters.remove(0)))),
            ("type", 1) => Type::Meta(Some(Arc::new(parameters.remove(0)))),
            _ => Type::Opaque(name.into(), parameters.into()),
        }
    }
}

/// The types in a list separated by commas.
pub(crate) fn split_types(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut depth = 0_usize;
        let end = rest.find(|c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        let (first, after) = match end {
            Some(end) => (&rest[..end], rest[end + 1..].trim_start()),
            None => (rest, ""),
        };
        rest = after;
        Some(first)
    })
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Duration => f.write_str("duration"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Dyn => f.write_str("dyn"),
            Type::Error => f.write_str("!error!"),
            Type::List(item) => write!(f, "list({item})"),
            Type::Map(entry) => write!(f, "map({}, {})", entry.0, entry.1),
            Type::Struct(own) => f.write_str(&own.name),
            Type::Meta(None) => f.write_str("type"),
            Type::Meta(Some(inner)) => write!(f, "type({inner})"),
            Type::Param(name) => f.write_str(name),
            Type::Opaque(name, parameters) => {
                f.write_str(name)?;
                if parameters.is_empty() {
                    return Ok(());
                }
                write!(f, "({})", Types(parameters))
            }
        }
    }
}

/// Types, separated by commas.
pub(crate) struct Types<'a>(pub(crate) &'a [Type]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ty) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            ty.fmt(f)?;
        }
        Ok(())
    }
}
