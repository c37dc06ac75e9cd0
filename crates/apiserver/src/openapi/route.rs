//! [`Route`], an operation on a path, as both versions of OpenAPI describe it.

use std::collections::BTreeMap;

use klient_apimachinery::schema::{Schema, Type};
use serde_json::Value;

/// An operation.
pub(super) struct Route {
    pub(super) path: String,
    /// The method in lower case.
    pub(super) method: &'static str,
    pub(super) id: String,
    pub(super) tag: String,
    /// The verb of the API; `None` for a document, such as discovery.
    pub(super) action: Option<&'static str>,
    /// The kind that it is about, if any.
    pub(super) kind: Option<Value>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) consumes: &'static [&'static str],
    pub(super) produces: &'static [&'static str],
    /// The schemas of successful responses, by status.
    pub(super) responses: Vec<(u16, Value)>,
}

/// The body of a request.
pub(super) struct RequestBody {
    pub(super) schema: Value,
    pub(super) required: bool,
}

/// A parameter in the path or in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) ty: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Path,
    Query,
}

impl Place {
    pub(super) fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
        }
    }
}

impl Parameter {
    pub(super) const fn path(name: &'static str) -> Self {
        Parameter { name, place: Place::Path, ty: "string" }
    }

    pub(super) const fn query(name: &'static str, ty: &'static str) -> Self {
        Parameter { name, place: Place::Query, ty }
    }
}

/// The parameters of a struct of options: its fields that fit into a query.
pub(super) fn options(schema: &Schema) -> Vec<Parameter> {
    let parameter = |ty: &Type| match ty {
        Type::Bool => Some("boolean"),
        Type::Int32 | Type::Int64 => Some("integer"),
        Type::Double => Some("number"),
        Type::String => Some("string"),
        _ => None,
    };
    let fields = schema.fields.iter().filter_map(|field| {
        let ty = match field.ty {
            Type::List(item) => parameter(item),
            ref ty => parameter(ty),
        };
        Some(Parameter::query(field.json, ty?))
    });
    fields.collect()
}

/// The routes of each path, with the parameters that all of them have.
pub(super) fn by_path(routes: &[Route]) -> BTreeMap<&str, (Vec<Parameter>, Vec<&Route>)> {
    let mut paths: BTreeMap<&str, (Vec<Parameter>, Vec<&Route>)> = BTreeMap::new();
    for route in routes {
        paths.entry(&route.path).or_default().1.push(route);
    }
    for (shared, routes) in paths.values_mut() {
        let is_shared =
            |parameter: &&Parameter| routes.iter().all(|route| route.parameters.contains(*parameter));
        shared.extend(routes[0].parameters.iter().filter(is_shared));
        shared.sort();
    }
    paths
}

/// The parts of operations' names that a group-version gives.
pub(super) struct Naming {
    /// Such as `CoreV1`.
    prefix: String,
    /// Such as `core_v1`.
    pub(super) tag: String,
}

impl Naming {
    /// The naming of a group-version; of a group alone if the version is empty.
    pub(super) fn new(group: &str, version: &str) -> Self {
        let group = if group.is_empty() { "core" } else { group.strip_suffix(".k8s.io").unwrap_or(group) };
        let mut naming = Naming { prefix: camel_case(group, true), tag: camel_case(group, false) };
        if !version.is_empty() {
            naming.prefix += &camel_case(version, true);
            naming.tag = format!("{}_{}", naming.tag, camel_case(version, false));
        }
        naming
    }

    /// The ID of an operation.
    pub(super) fn id(&self, verb: &str, object: &str) -> String {
        format!("{verb}{}{object}", self.prefix)
    }
}

/// A name without punctuation, whose words after the first are capitalized.
pub(super) fn camel_case(name: &str, is_capitalized: bool) -> String {
    let mut capitalize = is_capitalized;
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' | '_' if capitalize => {
                out.push(c.to_ascii_uppercase());
                capitalize = false;
            }
            'a'..='z' | 'A'..='Z' | '_' => out.push(c),
            '0'..='9' if at > 0 => {
                out.push(c);
                capitalize = false;
            }
            _ => capitalize = true,
        }
    }
    out
}

/// A word with a capital first letter.
pub(super) fn title(word: &str) -> String {
    let first = word.chars().next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(word.chars().skip(1)).collect()
}
