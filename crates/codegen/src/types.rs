//! The built-in types: one struct per message, and the macros that name their fields, kinds and verbs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::documentation;
use crate::facts::{Facts, Field, Member, Message, Package, Resource, Type};
use crate::file::{GeneratedFile, HEADER};
use crate::names;
use crate::schema::{find, flatten, group_of, is_meta, path as schema_path};

/// Embedded structs of which one member is set at most; they become enums, so that the thirty kinds of volume
/// cost one pointer.
const ONE_OF: [&str; 2] = ["VolumeSource", "PersistentVolumeSource"];

/// Subresources that are created as objects of kinds of their own, and the marker traits of these.
const CREATED: [(&str, &str); 3] =
    [("binding", "BindingOf"), ("eviction", "EvictionOf"), ("token", "TokenRequestOf")];

/// Subresources and the marker traits they become.
const SUBRESOURCES: [(&str, &str); 9] = [
    ("status", "Status"),
    ("scale", "Scale"),
    ("log", "Log"),
    ("approval", "Approval"),
    ("ephemeralcontainers", "EphemeralContainers"),
    ("exec", "Exec"),
    ("finalize", "Finalize"),
    ("proxy", "Proxy"),
    ("resize", "Resize"),
];

/// Verbs of discovery and the marker traits they become.
const VERBS: [(&str, &str); 8] = [
    ("create", "Create"),
    ("delete", "Delete"),
    ("deletecollection", "DeleteCollection"),
    ("get", "Get"),
    ("list", "List"),
    ("patch", "Patch"),
    ("update", "Update"),
    ("watch", "Watch"),
];

pub(crate) fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let mut files: Vec<GeneratedFile> = facts.packages.iter().map(|package| types(facts, package)).collect();
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in facts.packages.iter().filter(|package| !is_meta(package)) {
        let (group, version) = package.module.split_once('/').expect("a module is group/version");
        groups.entry(group).or_default().push(version);
    }
    let mut root = String::from(HEADER);
    for (group, versions) in &groups {
        writeln!(root, "#[cfg(feature = {group:?})]\npub mod {group};").expect("String");
        let mut text = format!("{HEADER}//! Types of the `{group}` package.\n\n");
        for version in versions {
            writeln!(text, "pub mod {version};").expect("String");
        }
        files.push(GeneratedFile { path: format!("crates/api/src/generated/{group}.rs"), text });
    }
    files.push(GeneratedFile { path: "crates/api/src/generated.rs".to_owned(), text: root });
    files.push(exports("api", groups.keys()));
    files.push(kinds(facts));
    files
}

/// The modules of groups as names in the root of a crate. Of a name that has a condition, and that a program uses without it,
/// the compiler tells the feature, which it does not of a glob.
pub(crate) fn exports<'a>(crate_name: &str, groups: impl Iterator<Item = &'a &'a str>) -> GeneratedFile {
    let mut text = String::from(HEADER);
    for group in groups {
        if *group != "meta" {
            writeln!(text, "#[cfg(feature = {group:?})]").expect("String");
        }
        writeln!(text, "pub use generated::{group};").expect("String");
    }
    GeneratedFile { path: format!("crates/{crate_name}/src/generated/exports.rs"), text }
}

/// A test's walk over every kind.
fn kinds(facts: &Facts) -> GeneratedFile {
    let mut text = format!(
        "{HEADER}use super::Check;\n\n/// Checks every kind.\npub(crate) fn each(check: &mut impl Check) {{\n"
    );
    for package in facts.packages.iter().filter(|package| !is_meta(package)) {
        let module = package.module.replace('/', "::");
        for message in package.messages.iter().filter(|message| message.kind && !message.list) {
            writeln!(text, "    check.kind::<klient_api::{module}::{}>();", message.name).expect("String");
        }
    }
    text.push_str("}\n");
    GeneratedFile { path: "crates/api/tests/it/every_kind/generated.rs".to_owned(), text }
}

/// The groups whose types each group's types hold, for Cargo features.
pub(crate) fn features(facts: &Facts) -> BTreeMap<String, BTreeSet<String>> {
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in facts.packages.iter().filter(|package| !is_meta(package)) {
        let group = package.module.split('/').next().unwrap_or_default();
        let needs = features.entry(group.to_owned()).or_default();
        for message in &package.messages {
            for member in &message.members {
                let other = match member {
                    Member::Field(field) => foreign(&field.ty),
                    Member::Embed { message, .. } => message.split_once('/').map(|(group, _)| group),
                };
                needs.extend(other.filter(|other| *other != "meta" && *other != group).map(str::to_owned));
            }
        }
    }
    features
}

fn foreign(ty: &Type) -> Option<&str> {
    match ty {
        Type::Message(name) => name.split_once('/').map(|(group, _)| group),
        Type::List(item) | Type::Map(item) => foreign(item),
        _ => None,
    }
}

fn types(facts: &Facts, package: &Package) -> GeneratedFile {
    let mut out = String::from(HEADER);
    let krate = if is_meta(package) { "crate" } else { "klient_apimachinery" };
    write!(out, "//! Types of {}.\n\nuse {krate}::*;\n", package.api_version()).expect("String");
    if is_meta(package) {
        out.push_str("use super::meta_v1_schema as schema;\n\n");
    } else {
        writeln!(out, "use {} as schema;\n", schema_path(package)).expect("String");
    }
    for message in &package.messages {
        if message.list {
            let item = message.name.trim_end_matches("List");
            writeln!(out, "/// A list of [`{item}`].\npub type {} = List<{item}>;\n", message.name)
                .expect("String");
        } else if ONE_OF.contains(&message.name.as_str()) {
            one_of(&mut out, message);
        } else {
            structure(&mut out, facts, package, message);
        }
    }
    let path = if is_meta(package) {
        "crates/apimachinery/src/generated/meta_v1.rs".to_owned()
    } else {
        format!("crates/api/src/generated/{}.rs", package.module)
    };
    GeneratedFile { path, text: out }
}

fn structure(out: &mut String, facts: &Facts, package: &Package, message: &Message) {
    let name = &message.name;
    out.push_str(&documentation::of_struct(facts, package, message));
    writeln!(out, "#[derive(Clone, Default)]\npub struct {name} {{").expect("String");
    let mut fields = String::new();
    let mut unions = String::new();
    let mut index = 0;
    for member in &message.members {
        match member {
            Member::Embed { message: union, .. } if ONE_OF.contains(&union.as_str()) => {
                let members = flatten(facts, package, union).len();
                writeln!(out, "    /// The member of the union that is set.\n    pub source: {union},")
                    .expect("String");
                write!(unions, " one_of source {index}..{};", index + members).expect("String");
                index += members;
            }
            Member::Embed { message: embedded, .. } => {
                for flat in flatten(facts, package, embedded) {
                    member_field(out, &mut fields, facts, flat.package, flat.field, index);
                    index += 1;
                }
            }
            Member::Field(field) => {
                member_field(out, &mut fields, facts, package, field, index);
                index += 1;
            }
        }
    }
    out.push_str("    #[doc(hidden)]\n    pub unknown: Unknown,\n}\n\n");
    let constant = names::constant(name);
    writeln!(out, "message! {{ {name}: schema::{constant} {{{fields} }}{unions} }}").expect("String");
    if message.kind {
        let group = group_of(package, name);
        let slash = if group.is_empty() { "" } else { "/" };
        let api_version = format!("{group}{slash}{}", package.version());
        writeln!(out, "kind! {{ {name}: {api_version:?}, {name:?}, schema::{constant} }}").expect("String");
    } else {
        writeln!(out, "serde! {{ {name} }}").expect("String");
    }
    let has_metadata = message.members.iter().any(|member| {
        matches!(member, Member::Field(field) if field.json == "metadata"
            && matches!(&field.ty, Type::Message(name) if name.ends_with("ObjectMeta")))
    });
    if message.kind && has_metadata {
        writeln!(out, "object! {{ {name} }}").expect("String");
    }
    let has_list = package.messages.iter().any(|other| other.list && other.name == format!("{name}List"));
    if let Some(resource) = package.resources.iter().find(|resource| &resource.kind == name) {
        resource_facts(out, package, resource, has_metadata);
        subresources(out, facts, resource);
    } else if package.module == "autoscaling/v1" && name == "Scale" {
        out.push_str("impl<K: verbs::Scale> verbs::ScaleType<Scale> for verbs::OfKind<K> {}\n");
    } else if has_list {
        writeln!(out, "// Served under no name of its own.").expect("String");
    }
    out.push('\n');
}

fn member_field(
    out: &mut String,
    fields: &mut String,
    facts: &Facts,
    package: &Package,
    field: &Field,
    index: usize,
) {
    let name = names::field(&field.json);
    let ty = field_type(facts, package, field);
    out.push_str(&documentation::of_field("    ", field));
    writeln!(out, "    pub {name}: {ty},").expect("String");
    write!(fields, " {index} {name}").expect("String");
}

fn field_type(facts: &Facts, package: &Package, field: &Field) -> String {
    let plain = value_type(facts, package, &field.ty);
    let is_metadata = field.json == "metadata" && plain.ends_with("Meta") && !in_template(package, field);
    // As in Go, so that it can be guessed: `pod.spec.node_name`, `deployment.status.replicas`.
    let is_state = matches!(field.json.as_str(), "spec" | "status") && !field.pointer;
    match &field.ty {
        Type::List(_) | Type::Map(_) => plain,
        Type::Special(name) if name == "StringList" => plain,
        _ if field.required || is_metadata => plain,
        Type::Message(_) if is_state => plain,
        Type::Message(_) => format!("Option<Box<{plain}>>"),
        _ => format!("Option<{plain}>"),
    }
}

/// Returns true if the struct of the field is a template within an object, whose metadata can be absent.
fn in_template(package: &Package, field: &Field) -> bool {
    package.messages.iter().any(|message| {
        !message.kind
            && message
                .members
                .iter()
                .any(|member| matches!(member, Member::Field(f) if std::ptr::eq(f, field)))
    })
}

fn value_type(facts: &Facts, package: &Package, ty: &Type) -> String {
    match ty {
        Type::String => "Str".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Double => "f64".to_owned(),
        Type::Bytes => "ByteString".to_owned(),
        Type::Special(name) => match name.as_str() {
            "JSON" => "Json".to_owned(),
            "StringList" => "Vec<Str>".to_owned(),
            _ if name.starts_with("JSONSchemaPropsOr") => {
                format!(
                    "klient_apimachinery::message::SchemaOr{}<JSONSchemaProps>",
                    &name["JSONSchemaPropsOr".len()..]
                )
            }
            _ => name.clone(),
        },
        Type::Message(name) => message_path(facts, package, name),
        Type::List(item) => format!("Vec<{}>", value_type(facts, package, item)),
        Type::Map(value) => format!("Map<{}>", value_type(facts, package, value)),
    }
}

fn message_path(facts: &Facts, package: &Package, name: &str) -> String {
    match name.split_once('.') {
        None => {
            assert!(!ONE_OF.contains(&name), "{name} is used as a field, so it cannot be an enum");
            name.to_owned()
        }
        Some((module, name)) if is_meta(find(facts, module)) && !is_meta(package) => {
            format!("klient_apimachinery::meta::v1::{name}")
        }
        Some((module, name)) => format!("crate::{}::{name}", module.replace('/', "::")),
    }
}

fn one_of(out: &mut String, message: &Message) {
    let meaning =
        if message.meaning.is_empty() { "One of the sources of a volume." } else { &message.meaning };
    writeln!(out, "one_of! {{\n    /// {meaning}\n    pub enum {} {{", message.name).expect("String");
    for (index, member) in message.members.iter().enumerate() {
        let Member::Field(field @ Field { json, ty: Type::Message(ty), .. }) = member else {
            panic!("{} has a member that is no struct", message.name);
        };
        let variant: String = names::snake(json).split('_').map(names::pascal).collect();
        out.push_str(&documentation::of_field("        ", field));
        writeln!(out, "        {index} {variant}({ty}),").expect("String");
    }
    out.push_str("    }\n}\n\n");
}

fn resource_facts(out: &mut String, package: &Package, resource: &Resource, has_metadata: bool) {
    if !has_metadata {
        // `APIVersions` and the like: answers, not objects.
        return;
    }
    let scope = if resource.namespaced { "Namespaced" } else { "Cluster" };
    let mut verbs: Vec<&str> = VERBS
        .iter()
        .filter(|(verb, _)| resource.verbs.iter().any(|other| other == verb))
        .map(|(_, marker)| *marker)
        .collect();
    for (name, marker) in SUBRESOURCES {
        if resource.subresources.iter().any(|sub| sub.name == name) {
            verbs.push(marker);
        }
    }
    writeln!(
        out,
        "resource! {{ {}: {scope}, {:?}, {:?}, {:?}, {:?} {{ {} }} }}",
        resource.kind,
        package.group,
        package.version(),
        resource.kind,
        resource.plural,
        verbs.join(" ")
    )
    .expect("String");
}

/// The kinds that are created as a resource's subresources.
///
/// # Panics
///
/// If the facts have no package of such a kind.
fn subresources(out: &mut String, facts: &Facts, resource: &Resource) {
    for sub in &resource.subresources {
        let Some((_, marker)) = CREATED.iter().find(|(name, _)| *name == sub.name) else { continue };
        let mut path = sub.kind.clone();
        if let Some((api_version, kind)) = sub.kind.rsplit_once('.') {
            let mut packages = facts.packages.iter();
            let package = packages.find(|package| package.api_version() == api_version);
            let module = &package.unwrap_or_else(|| panic!("no package {api_version}")).module;
            let group = module.split('/').next().unwrap_or_default();
            writeln!(out, "#[cfg(feature = {group:?})]").expect("String");
            path = format!("crate::{}::{kind}", module.replace('/', "::"));
        }
        writeln!(out, "impl verbs::{marker}<{}> for {path} {{}}", resource.kind).expect("String");
    }
}
