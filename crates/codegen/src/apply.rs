//! Apply configurations: one type per struct that a kind which can be applied is made of, with a setter per field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::documentation;
use crate::facts::{Facts, Package, Resource, Type};
use crate::file::{GeneratedFile, HEADER};
use crate::names;
use crate::schema::{find, flatten, group_of, is_meta, path as schema_path};
use crate::types::exports;

/// Structs of metadata without an apply configuration: the configuration of an object has the setters of its metadata.
const METADATA: [&str; 2] = ["ObjectMeta", "ListMeta"];

/// Names of the methods of every configuration, followed by those of configurations with metadata. No field may have
/// such a name.
const RESERVED: [&str; 17] = [
    "new",
    "as_map",
    "into_value",
    "from_json",
    "from_yaml",
    "from_value",
    "extract",
    "extract_subresource",
    "name",
    "namespace",
    "generate_name",
    "uid",
    "resource_version",
    "labels",
    "annotations",
    "owner_references",
    "finalizers",
];

/// Number of names in [`RESERVED`] that also apply to configurations without metadata.
const RESERVED_ALWAYS: usize = 3;

/// The structs that configurations are made for, by the module of their package.
struct Reachable<'a>(BTreeMap<&'a str, BTreeSet<&'a str>>);

pub(crate) fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let reachable = Reachable::of(facts);
    let mut files = Vec::new();
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, names) in &reachable.0 {
        let package = find(facts, module);
        let (group, version) = module.split_once('/').expect("a module is group/version");
        groups.entry(group).or_default().push(version);
        files.push(configurations(facts, package, names));
    }
    let mut root = String::from(HEADER);
    for (group, versions) in &groups {
        if *group != "meta" {
            writeln!(root, "#[cfg(feature = {group:?})]").expect("String");
        }
        writeln!(root, "pub mod {group};").expect("String");
        let mut text = format!("{HEADER}//! Configurations of the `{group}` package.\n\n");
        for version in versions {
            writeln!(text, "pub mod {version};").expect("String");
        }
        files.push(file(group, text));
    }
    files.push(GeneratedFile { path: "crates/applyconfigurations/src/generated.rs".to_owned(), text: root });
    files.push(exports("applyconfigurations", groups.keys()));
    files.push(kinds(facts));
    files
}

/// The groups whose configurations each group's configurations hold, for Cargo features.
pub(crate) fn features(facts: &Facts) -> BTreeMap<String, BTreeSet<String>> {
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, names) in Reachable::of(facts).0 {
        let package = find(facts, module);
        let group = module.split('/').next().unwrap_or_default();
        if is_meta(package) {
            continue;
        }
        let needs = features.entry(group.to_owned()).or_default();
        for flat in names.iter().flat_map(|name| flatten(facts, package, name)) {
            if let Some((module, _)) = message(&flat.field.ty).and_then(|name| name.split_once('.')) {
                let other = module.split('/').next().unwrap_or_default();
                needs.extend((other != "meta" && other != group).then(|| other.to_owned()));
            }
        }
    }
    features
}

impl<'a> Reachable<'a> {
    fn of(facts: &'a Facts) -> Self {
        let mut reachable = Reachable(BTreeMap::new());
        let meta = find(facts, "meta/v1");
        reachable.add(facts, meta, "OwnerReference");
        for package in facts.packages.iter().filter(|package| !is_meta(package)) {
            for resource in package.resources.iter().filter(|resource| is_patched(&resource.verbs)) {
                reachable.add(facts, package, &resource.kind);
            }
            for (home, kind) in subresource_kinds(facts, package) {
                reachable.add(facts, home, kind);
            }
        }
        reachable
    }

    /// Adds a struct and those it holds.
    fn add(&mut self, facts: &'a Facts, package: &'a Package, name: &'a str) {
        if METADATA.contains(&name) || !self.0.entry(&package.module).or_default().insert(name) {
            return;
        }
        for flat in flatten(facts, package, name) {
            match (message(&flat.field.ty), schema_or(&flat.field.ty)) {
                (Some(name), _) => match name.split_once('.') {
                    Some((module, name)) => self.add(facts, find(facts, module), name),
                    None => self.add(facts, flat.package, name),
                },
                (None, true) => self.add(facts, flat.package, "JSONSchemaProps"),
                (None, false) => {}
            }
        }
    }
}

fn is_patched(verbs: &[String]) -> bool {
    verbs.iter().any(|verb| verb == "patch")
}

/// The kinds that subresources take in place of the resource's own.
fn subresource_kinds<'a>(
    facts: &'a Facts,
    package: &'a Package,
) -> impl Iterator<Item = (&'a Package, &'a str)> {
    let subresources = package.resources.iter().flat_map(|resource| &resource.subresources);
    subresources.filter(|sub| is_patched(&sub.verbs)).filter_map(move |sub| {
        let (api_version, kind) = sub.kind.rsplit_once('.')?;
        let home = facts.packages.iter().find(|package| package.api_version() == api_version)?;
        Some((home, kind))
    })
}

/// The struct that a value of a type is or holds.
fn message(ty: &Type) -> Option<&str> {
    match ty {
        Type::Message(name) => Some(name),
        Type::List(item) | Type::Map(item) => message(item),
        _ => None,
    }
}

/// Returns true if a type is or contains one of OpenAPI's unions of a schema and a simpler value, such as a boolean.
fn schema_or(ty: &Type) -> bool {
    match ty {
        Type::Special(name) => name.starts_with("JSONSchemaPropsOr"),
        Type::List(item) | Type::Map(item) => schema_or(item),
        _ => false,
    }
}

fn file(name: &str, text: String) -> GeneratedFile {
    GeneratedFile { path: format!("crates/applyconfigurations/src/generated/{name}.rs"), text }
}

fn configurations(facts: &Facts, package: &Package, names: &BTreeSet<&str>) -> GeneratedFile {
    let mut out = String::from(HEADER);
    writeln!(
        out,
        "//! Configurations of {}.\n\n#[allow(unused_imports)]\nuse crate::fields::*;\nuse {} as schema;\n",
        package.api_version(),
        schema_path(package)
    )
    .expect("String");
    for name in names {
        configuration(&mut out, facts, package, name);
    }
    file(&package.module, out)
}

fn configuration(out: &mut String, facts: &Facts, package: &Package, name: &str) {
    let fields = flatten(facts, package, name);
    let has_metadata = fields.iter().any(|flat| is_metadata(&flat.field.ty));
    let constant = names::constant(name);
    let home = if is_meta(package) { "klient_apimachinery" } else { "klient_api" };
    let object = format!("{home}::{}::{name}", package.module.replace('/', "::"));
    match Kind::find(facts, package, name) {
        Some(Kind { namespaced }) => {
            let scope = if namespaced { "Namespaced" } else { "Cluster" };
            let group = group_of(package, name);
            let slash = if group.is_empty() { "" } else { "/" };
            writeln!(
                out,
                "kind! {{ {name}: {scope}, \"{group}{slash}{}\", {name:?}, schema::{constant}, {object} }}",
                package.version()
            )
        }
        None => {
            let version = package.api_version();
            writeln!(out, "part! {{ {name}: {version:?}, schema::{constant}, {object} }}")
        }
    }
    .expect("String");
    if has_metadata {
        writeln!(out, "metadata! {{ {name} }}").expect("String");
    }
    writeln!(out, "\nimpl {name} {{").expect("String");
    let taken = if has_metadata { &RESERVED[..] } else { &RESERVED[..RESERVED_ALWAYS] };
    for flat in fields.iter().filter(|flat| !is_metadata(&flat.field.ty)) {
        let method = names::field(&flat.field.json);
        assert!(!taken.contains(&method.as_str()), "{name} has a field {method}, which configurations have");
        let (parameter, call) = setter(package, flat.package, &flat.field.ty);
        writeln!(
            out,
            "{}    pub fn {method}(self, {parameter}) -> Self {{\n        Self(self.0.{})\n    }}\n",
            documentation::of_field("    ", flat.field),
            call.replace("NAME", &format!("{:?}", flat.field.json)),
        )
        .expect("String");
    }
    out.push_str("}\n\n");
}

/// A kind that can be applied.
struct Kind {
    namespaced: bool,
}

impl Kind {
    fn find(facts: &Facts, package: &Package, name: &str) -> Option<Self> {
        let own = |resource: &&Resource| resource.kind == name && is_patched(&resource.verbs);
        if let Some(resource) = package.resources.iter().find(own) {
            return Some(Kind { namespaced: resource.namespaced });
        }
        let is_below = |other: &Package| {
            subresource_kinds(facts, other).any(|(home, kind)| home.module == package.module && kind == name)
        };
        facts.packages.iter().any(is_below).then_some(Kind { namespaced: true })
    }
}

fn is_metadata(ty: &Type) -> bool {
    matches!(ty, Type::Message(name) if name.rsplit('.').next().is_some_and(|name| METADATA.contains(&name)))
}

/// A setter's parameter, and its call with `NAME` for the JSON name.
fn setter(home: &Package, package: &Package, ty: &Type) -> (String, String) {
    match ty {
        Type::List(item) => {
            let (accepted, held) = value(home, package, item);
            (
                format!("items: impl IntoIterator<Item = {accepted}>"),
                format!("append::<{held}>(NAME, items)"),
            )
        }
        Type::Special(name) if name == "StringList" => (
            "items: impl IntoIterator<Item = impl Into<String>>".to_owned(),
            "append::<String>(NAME, items)".to_owned(),
        ),
        Type::Map(item) if matches!(&**item, Type::Special(name) if name == "StringList") => (
            "entries: impl IntoIterator<Item = (impl Into<String>, impl IntoIterator<Item = impl Into<String>>)>"
                .to_owned(),
            "merge_lists(NAME, entries)".to_owned(),
        ),
        Type::Map(item) => {
            let (accepted, held) = value(home, package, item);
            (
                format!("entries: impl IntoIterator<Item = (impl Into<String>, {accepted})>"),
                format!("merge::<{held}>(NAME, entries)"),
            )
        }
        _ => {
            let (accepted, held) = value(home, package, ty);
            (format!("value: {accepted}"), format!("set::<{held}>(NAME, value)"))
        }
    }
}

/// Returns the type that a setter accepts for a value, and the expression that converts it.
fn value(home: &Package, package: &Package, ty: &Type) -> (String, String) {
    let plain = |name: &str| (name.to_owned(), name.to_owned());
    let into = |name: &str| (format!("impl Into<{name}>"), name.to_owned());
    match ty {
        Type::String => into("String"),
        Type::Bool => plain("bool"),
        Type::Int32 => plain("i32"),
        Type::Int64 => plain("i64"),
        Type::Double => plain("f64"),
        Type::Bytes => into("ByteString"),
        Type::Special(name) => match name.as_str() {
            "JSON" | "RawExtension" => into("Value"),
            _ if name.starts_with("JSONSchemaPropsOr") => into("Value"),
            name => into(name),
        },
        Type::Message(name) => plain(&type_path(home, package, name)),
        Type::List(_) | Type::Map(_) => panic!("{} has a list or map in a list or map", home.module),
    }
}

/// The path of a configuration, as the file of `home` writes it, its name read as in `package`.
fn type_path(home: &Package, package: &Package, name: &str) -> String {
    let (module, name) = name.split_once('.').unwrap_or((&package.module, name));
    if module == home.module {
        name.to_owned()
    } else {
        format!("crate::{}::{name}", module.replace('/', "::"))
    }
}

/// A test's walk over every kind.
fn kinds(facts: &Facts) -> GeneratedFile {
    let mut text = format!(
        "{HEADER}use super::Check;\n\n/// Checks every kind.\npub(crate) fn each(check: &mut impl Check) {{\n"
    );
    for (module, names) in &Reachable::of(facts).0 {
        let package = find(facts, module);
        for (name, kind) in names.iter().filter_map(|name| Some((name, Kind::find(facts, package, name)?))) {
            let path = format!("klient_applyconfigurations::{}::{name}", module.replace('/', "::"));
            let new = if kind.namespaced { "new(\"name\", \"namespace\")" } else { "new(\"name\")" };
            writeln!(text, "    check.kind({path}::{new}, {path}::extract);").expect("String");
        }
    }
    text.push_str("}\n");
    GeneratedFile { path: "crates/applyconfigurations/tests/it/every_kind/generated.rs".to_owned(), text }
}
