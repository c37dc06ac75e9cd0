//! The declarations of functions: their overloads, with the types of arguments and results.
//!
//! They are recorded from the environment that Kubernetes 1.37 compiles new expressions in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use crate::types::{Fields, Type, split_types};

/// A function and its overloads.
#[derive(Debug)]
pub(crate) struct FunctionDeclaration {
    pub(crate) name: &'static str,
    pub(crate) overloads: Vec<Overload>,
}

/// An overload of a function.
#[derive(Debug)]
pub(crate) struct Overload {
    pub(crate) id: &'static str,
    /// True for `a.f(b)`, where `a` is the first argument.
    pub(crate) is_member: bool,
    pub(crate) arguments: Vec<Type>,
    pub(crate) result: Type,
    /// The names of the type parameters.
    pub(crate) parameters: Vec<&'static str>,
}

static FUNCTIONS: LazyLock<HashMap<&'static str, FunctionDeclaration>> = LazyLock::new(|| {
    let mut functions: HashMap<&'static str, FunctionDeclaration> = HashMap::new();
    for line in include_str!("declarations.tsv").lines() {
        let mut columns = line.split('\t');
        let mut column = || columns.next().unwrap_or_default();
        let (name, id, kind, arguments, result) = (column(), column(), column(), column(), column());
        let overload = Overload {
            id,
            is_member: kind == "member",
            arguments: split_types(arguments).map(Type::parse).collect(),
            result: Type::parse(result),
            parameters: parameters(arguments, result),
        };
        let function = functions.entry(name).or_insert(FunctionDeclaration { name, overloads: Vec::new() });
        function.overloads.push(overload);
    }
    functions
});

/// The names of one letter in types.
fn parameters(arguments: &'static str, result: &'static str) -> Vec<&'static str> {
    let mut seen = HashSet::new();
    let words = [arguments, result].into_iter().flat_map(|text| text.split(['(', ')', ',', ' ']));
    words.filter(|word| word.len() == 1 && seen.insert(*word)).collect()
}

/// The function with a name.
fn function(name: &str) -> Option<&'static FunctionDeclaration> {
    FUNCTIONS.get(name)
}

/// The name of the function that escapes a key in a path of a JSON patch.
pub(crate) const ESCAPE_KEY: &str = "jsonpatch.escapeKey";

static ESCAPE: LazyLock<FunctionDeclaration> = LazyLock::new(|| FunctionDeclaration {
    name: ESCAPE_KEY,
    overloads: vec![Overload {
        id: "string_jsonpatch_escapeKey_string",
        is_member: false,
        arguments: vec![Type::String],
        result: Type::String,
        parameters: Vec::new(),
    }],
});

static JSON_PATCH: LazyLock<Arc<BTreeMap<String, Type>>> = LazyLock::new(|| {
    let field = |name: &str, ty| (name.to_owned(), ty);
    Arc::new(BTreeMap::from([
        field("op", Type::String),
        field("path", Type::String),
        field("from", Type::String),
        field("value", Type::Dyn),
    ]))
});

/// The names that expressions may refer to beside those of every expression.
#[derive(Clone, Copy)]
pub(crate) struct Names<'n> {
    pub(crate) variables: &'n HashMap<String, Type>,
    /// True if expressions can make `Object` and `JSONPatch`.
    pub(crate) has_patch_types: bool,
}

impl Names<'_> {
    /// The function with a name.
    pub(crate) fn function(self, name: &str) -> Option<&'static FunctionDeclaration> {
        if self.has_patch_types && name == ESCAPE_KEY { Some(&*ESCAPE) } else { function(name) }
    }

    /// The type that a name stands for.
    pub(crate) fn named_type(self, name: &str) -> Option<Type> {
        named_type(name).or_else(|| self.object_type(name))
    }

    /// The type of objects that expressions can make.
    pub(crate) fn object_type(self, name: &str) -> Option<Type> {
        if !self.has_patch_types {
            return None;
        }
        if name == "JSONPatch" {
            return Some(Type::object(name, Fields::Declared(Arc::clone(&JSON_PATCH))));
        }
        let is_object = name == "Object" || name.starts_with("Object.");
        is_object.then(|| Type::object(name, Fields::Any))
    }
}

/// The type that a name stands for.
fn named_type(name: &str) -> Option<Type> {
    Some(match name {
        "null_type" | "google.protobuf.NullValue" => Type::Null,
        "google.protobuf.Duration" => Type::Duration,
        "google.protobuf.Timestamp" => Type::Timestamp,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "type" => Type::Meta(None),
        "bool" | "int" | "uint" | "double" | "string" | "bytes" | "duration" | "timestamp" | "net.IP"
        | "net.CIDR" => Type::parse(name),
        "optional_type" => Type::optional(Type::Dyn),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_function_is_implemented() {
        // Special forms of the evaluator.
        let special = [
            "_&&_",
            "_||_",
            "_?:_",
            "_?_:_",
            "_==_",
            "_!=_",
            "_[_]",
            "_[?_]",
            "_?._",
            "@not_strictly_false",
            "or",
            "orValue",
        ];
        let mut missing: Vec<&str> = FUNCTIONS
            .values()
            .filter(|function| !special.contains(&function.name))
            .filter(|function| crate::library::function(function.name, None).is_none())
            .map(|function| function.name)
            .collect();
        missing.sort_unstable();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
