//! [`Shape`]: a list, a map or one value, as far as the name of a type says so.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The shape of the values of a field's type.
pub(crate) enum Shape<'a> {
    /// A list of items of a type.
    List(&'a Type),
    /// A map with strings as keys, to values of a type.
    Map(&'a Type),
    /// One value, of the type without `Option` and `Box`.
    One(&'a Type),
}

impl<'a> Shape<'a> {
    pub(crate) fn of(ty: &'a Type) -> Self {
        let ty = bare(ty);
        let Some(segment) = last(ty) else { return Shape::One(ty) };
        let arguments = arguments(segment);
        match (segment.ident.to_string().as_str(), &arguments[..]) {
            ("Vec" | "VecDeque" | "BTreeSet", [item]) | ("HashSet" | "IndexSet", [item, ..]) => {
                Shape::List(bare(item))
            }
            ("BTreeMap" | "HashMap" | "IndexMap" | "Map", [key, value, ..]) if is_text(key) => {
                Shape::Map(bare(value))
            }
            ("Map", [value]) => Shape::Map(bare(value)),
            _ => Shape::One(ty),
        }
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Shape::List(_))
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self, Shape::Map(_))
    }
}

/// A type without `Option` and `Box`, and without the groups that declarative macros put around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => match last(ty).map(|segment| (segment.ident.to_string(), arguments(segment))) {
            Some((name, inner)) if name == "Option" || name == "Box" => {
                inner.first().map_or(ty, |ty| bare(ty))
            }
            _ => ty,
        },
    }
}

/// The last segment of a path.
fn last(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The types between angle brackets.
fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

fn is_named(ty: &Type, names: &[&str]) -> bool {
    let segment = last(bare(ty)).filter(|segment| segment.arguments.is_none());
    segment.is_some_and(|segment| names.contains(&segment.ident.to_string().as_str()))
}

/// Returns true for types of strings.
fn is_text(ty: &Type) -> bool {
    is_named(ty, &["String", "Str"])
}

/// Returns true for types that setters take by `Into`, as those of built-in kinds do.
pub(crate) fn is_into(ty: &Type) -> bool {
    is_named(ty, &["String", "Str", "Quantity", "IntOrString", "ByteString", "Value"])
}

/// Returns true for Rust's numbers and booleans.
pub(crate) fn is_number(ty: &Type) -> bool {
    is_named(
        ty,
        &["bool", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize", "f32", "f64"],
    )
}

/// Returns true for types that are certainly no lists, maps or structs.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    is_number(ty) || is_text(ty)
}
