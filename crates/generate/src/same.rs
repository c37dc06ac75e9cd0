//! [`aliases`]: types that are the same, of which one is generated.

use std::collections::HashMap;

use crate::model::{Body, Type};
use crate::ty::Ty;

/// For each type the one that it is an alias of, if that has the same fields with the same documentation, or the same values.
///
/// A Go type that is the type of several fields is written into each of their schemas. Its code is generated once, for the field
/// that is nearest to its kind.
pub(crate) fn aliases(types: &[Type<'_>]) -> Vec<Option<usize>> {
    let mut classes: HashMap<String, usize> = HashMap::new();
    // The number of the class of a type, which is the type that is farthest from the kind.
    let mut class = vec![0; types.len()];
    let mut nearest: HashMap<usize, usize> = HashMap::new();
    // The types of a type's fields come behind it.
    for (at, ty) in types.iter().enumerate().rev() {
        class[at] = match key(ty, &class) {
            Some(key) => *classes.entry(key).or_insert(at),
            None => at,
        };
        nearest.insert(class[at], at);
    }
    let alias = |at: usize| Some(nearest[&class[at]]).filter(|nearest| *nearest != at);
    (0..types.len()).map(alias).collect()
}

/// All that the code of a type depends on, except for its names; `None` for a kind.
fn key(ty: &Type<'_>, class: &[usize]) -> Option<String> {
    let body = match &ty.body {
        Body::Kind(..) => return None,
        Body::Enum(variants, other) => format!("{variants:?} {other}"),
        Body::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let ty = with_classes(&field.ty, class);
                let presence = field.presence;
                format!(
                    "{} {} {ty:?} {presence:?} {:?} {:?}",
                    field.name, field.json, field.comment, field.apply
                )
            });
            fields.collect::<Vec<_>>().join("\n")
        }
    };
    // The first line of the documentation is the path.
    Some(format!("{body}\n{:?}", ty.comment.get(1..)))
}

/// A type with the classes of the types in it.
fn with_classes(ty: &Ty, class: &[usize]) -> Ty {
    let within = |ty: &Ty| Box::new(with_classes(ty, class));
    match ty {
        Ty::Struct(at) => Ty::Struct(class[*at]),
        Ty::Enum(at) => Ty::Enum(class[*at]),
        Ty::List(ty) => Ty::List(within(ty)),
        Ty::Map(ty) => Ty::Map(within(ty)),
        Ty::Optional(ty) => Ty::Optional(within(ty)),
        Ty::Boxed(ty) => Ty::Boxed(within(ty)),
        other => other.clone(),
    }
}
