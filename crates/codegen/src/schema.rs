//! The `schema` crate's tables: one `static` per struct, one table of resources per group-version.

use std::fmt::Write as _;

use crate::facts::{Facts, Field, Member, Package, Resource, Type};
use crate::file::{GeneratedFile, HEADER};
use crate::names;

/// Fields that must not be shown: `STRUCT.FIELD`.
const SECRET: [&str; 5] = [
    "Secret.data",
    "Secret.stringData",
    "TokenReviewSpec.token",
    "TokenRequestStatus.token",
    "BoundObjectReference.token",
];

pub(crate) fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let mut files = Vec::new();
    for package in &facts.packages {
        files.push(tables(facts, package));
    }
    files.push(index(facts));
    files
}

/// Returns the module path of a package's tables, for use in another crate.
pub(crate) fn path(package: &Package) -> String {
    if is_meta(package) {
        "klient_apimachinery::meta::v1::schema".to_owned()
    } else {
        format!("klient_schema::{}", module(package))
    }
}

/// `core_v1` for `core/v1`.
pub(crate) fn module(package: &Package) -> String {
    package.module.replace('/', "_")
}

/// The group of a kind on the wire; empty for those of meta/v1 that all groups share.
pub(crate) fn group_of<'a>(package: &'a Package, kind: &str) -> &'a str {
    let own = kind.starts_with("PartialObjectMetadata") || kind.starts_with("Table");
    if is_meta(package) && !own { "" } else { &package.group }
}

/// Types of meta/v1 belong to the apimachinery crate.
pub(crate) fn is_meta(package: &Package) -> bool {
    package.module == "meta/v1"
}

fn tables(facts: &Facts, package: &Package) -> GeneratedFile {
    let mut out = String::from(HEADER);
    let krate = if is_meta(package) { "crate" } else { "klient_apimachinery" };
    writeln!(out, "#[allow(unused_imports)]\nuse {krate}::schema::{{ColumnSchema, Field, ListType, Patch, ResourceSchema, Schema, SubresourceSchema, Type}};\n").expect("String");
    for message in package.messages.iter().filter(|message| !message.list) {
        writeln!(
            out,
            "/// `{}`.\n#[rustfmt::skip]\npub static {}: Schema = Schema::new({:?}, {:?}, &[",
            message.name,
            names::constant(&message.name),
            package.module,
            message.name,
        )
        .expect("String");
        for flat in flatten(facts, package, &message.name) {
            let secret = SECRET.contains(&format!("{}.{}", message.name, flat.field.json).as_str());
            writeln!(out, "    {},", table_field(facts, package, &flat, secret)).expect("String");
        }
        out.push_str(if message.atomic { "]).atomic();\n\n" } else { "]);\n\n" });
    }
    if !package.resources.is_empty() {
        out.push_str("/// Resources of this group-version.\n#[rustfmt::skip]\npub static RESOURCES: &[ResourceSchema] = &[\n");
        for resource in &package.resources {
            writeln!(out, "    {},", table_resource(package, resource)).expect("String");
        }
        out.push_str("];\n");
    }
    let path = if is_meta(package) {
        "crates/apimachinery/src/generated/meta_v1_schema.rs".to_owned()
    } else {
        format!("crates/schema/src/generated/{}.rs", module(package))
    };
    GeneratedFile { path, text: out }
}

/// A field as it appears in a struct that may have embedded it.
pub(crate) struct FlatField<'a> {
    /// Package in which the name of its type is resolved.
    pub(crate) package: &'a Package,
    pub(crate) field: &'a Field,
    /// Numbers of the embedded structs around it, outermost first.
    pub(crate) within: Vec<u32>,
}

/// The fields of a struct, with those of embedded structs in place.
pub(crate) fn flatten<'a>(facts: &'a Facts, package: &'a Package, name: &str) -> Vec<FlatField<'a>> {
    let (package, name) = resolve(facts, package, name);
    let message = package
        .messages
        .iter()
        .find(|message| message.name == name)
        .unwrap_or_else(|| panic!("{} has no struct {name}", package.module));
    let mut fields = Vec::new();
    for member in &message.members {
        match member {
            Member::Field(field) => fields.push(FlatField { package, field, within: Vec::new() }),
            Member::Embed { message, number } => {
                fields.extend(flatten(facts, package, message).into_iter().map(|mut flat| {
                    flat.within.insert(0, *number);
                    flat
                }));
            }
        }
    }
    fields
}

/// The package and name that a type word of `package` means.
fn resolve<'a, 'n>(facts: &'a Facts, package: &'a Package, name: &'n str) -> (&'a Package, &'n str) {
    match name.split_once('.') {
        Some((module, name)) => (find(facts, module), name),
        None => (package, name),
    }
}

fn table_field(facts: &Facts, home: &Package, flat: &FlatField<'_>, secret: bool) -> String {
    let field = flat.field;
    let ty = table_type(facts, home, flat.package, &field.ty);
    let mut out = format!("Field {{ json: {:?}, ty: {ty}, number: {}", field.json, field.number);
    if !flat.within.is_empty() {
        write!(out, ", within: &{:?}", flat.within).expect("String");
    }
    for (set, flag) in [
        (field.pointer, "pointer"),
        (field.omit_empty, "omit_empty"),
        (field.required, "required"),
        (field.map == "atomic", "atomic"),
        (field.map == "granular", "granular"),
        (secret, "secret"),
    ] {
        if set {
            write!(out, ", {flag}: true").expect("String");
        }
    }
    match field.list.split_once(':') {
        Some((_, keys)) => {
            let keys: Vec<&str> = keys.split(',').collect();
            write!(out, ", list: ListType::Map(&{keys:?})").expect("String");
        }
        None if field.list == "set" => out.push_str(", list: ListType::Set"),
        None if field.list == "atomic" => out.push_str(", list: ListType::Atomic"),
        None => {}
    }
    if let Some((strategy, key)) = field.patch.split_once(':') {
        let has = |word| strategy.split(',').any(|other| other == word);
        let (merge, retain_keys, replace_struct) = (has("merge"), has("retainKeys"), has("replace"));
        if merge || retain_keys || replace_struct {
            write!(
                out,
                ", patch: Patch {{ merge: {merge}, retain_keys: {retain_keys}, replace_struct: {replace_struct}, key: {key:?} }}"
            )
            .expect("String");
        }
    }
    if !field.default.is_empty() {
        write!(out, ", default: Some({:?})", field.default).expect("String");
    }
    if !field.values.is_empty() {
        write!(out, ", values: &{:?}", field.values).expect("String");
    }
    out.push_str(", ..Field::PLAIN }");
    out
}

/// A type as the tables of `home` write it, its name read as in `package`.
fn table_type(facts: &Facts, home: &Package, package: &Package, ty: &Type) -> String {
    match ty {
        Type::String => "Type::String".to_owned(),
        Type::Bool => "Type::Bool".to_owned(),
        Type::Int32 => "Type::Int32".to_owned(),
        Type::Int64 => "Type::Int64".to_owned(),
        Type::Double => "Type::Double".to_owned(),
        Type::Bytes => "Type::Bytes".to_owned(),
        Type::Special(name) => match name.strip_prefix("JSONSchemaPropsOr") {
            Some(other) => format!("Type::SchemaOr{other}(&JSON_SCHEMA_PROPS)"),
            None if name == "JSON" => "Type::Json".to_owned(),
            None => format!("Type::{name}"),
        },
        Type::Message(name) => {
            let (other, name) = resolve(facts, package, name);
            let constant = names::constant(name);
            if other.module == home.module {
                return format!("Type::Message(&{constant})");
            }
            let path = path(other).replace("klient_schema", "crate::generated");
            format!("Type::Message(&{path}::{constant})")
        }
        Type::List(item) => format!("Type::List(&{})", table_type(facts, home, package, item)),
        Type::Map(value) => format!("Type::Map(&{})", table_type(facts, home, package, value)),
    }
}

/// The package of a module such as `core/v1`.
pub(crate) fn find<'a>(facts: &'a Facts, module: &str) -> &'a Package {
    facts
        .packages
        .iter()
        .find(|package| package.module == module)
        .unwrap_or_else(|| panic!("no package {module}"))
}

fn table_resource(package: &Package, resource: &Resource) -> String {
    let subresources: Vec<String> = resource
        .subresources
        .iter()
        .map(|sub| {
            let (group, version, kind) = match sub.kind.rsplit_once('.') {
                Some((api_version, kind)) => {
                    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
                    (group, version, kind)
                }
                None => ("", "", sub.kind.as_str()),
            };
            format!(
                "SubresourceSchema {{ name: {:?}, group: {group:?}, version: {version:?}, kind: {kind:?}, verbs: &{:?} }}",
                sub.name, sub.verbs
            )
        })
        .collect();
    let columns: Vec<String> = resource
        .columns
        .iter()
        .map(|column| {
            format!(
                "ColumnSchema {{ name: {:?}, ty: {:?}, format: {:?}, priority: {} }}",
                column.name, column.ty, column.format, column.priority
            )
        })
        .collect();
    format!(
        "ResourceSchema {{ group: {:?}, version: {:?}, plural: {:?}, singular: {:?}, kind: {:?}, namespaced: {}, served: {}, \
         verbs: &{:?}, short_names: &{:?}, categories: &{:?}, storage_hash: {:?}, unconditional_update: {}, \
         create_on_update: {}, returns_deleted: {}, generation: {}, subresources: &[{}], columns: &[{}], schema: &{} }}",
        package.group,
        package.version(),
        resource.plural,
        resource.singular,
        resource.kind,
        resource.namespaced,
        resource.served,
        resource.verbs,
        resource.short_names,
        resource.categories,
        resource.storage_hash,
        resource.unconditional_update,
        resource.create_on_update,
        resource.returns_deleted,
        resource.generation,
        subresources.join(", "),
        columns.join(", "),
        names::constant(&resource.kind),
    )
}

fn index(facts: &Facts) -> GeneratedFile {
    let mut out = String::from(HEADER);
    out.push_str("use klient_apimachinery::schema::{ResourceSchema, Schema};\n\n");
    for package in facts.packages.iter().filter(|package| !is_meta(package)) {
        writeln!(out, "pub mod {};", module(package)).expect("String");
    }
    out.push_str("pub mod openapi;\n");
    writeln!(
        out,
        "\n/// The Kubernetes version the tables were made from.\npub const KUBERNETES_VERSION: &str = {:?};\n",
        facts.kubernetes
    )
    .expect("String");
    out.push_str(
        "/// Every built-in resource, group-version by group-version, in the order of discovery.\n\
         pub static RESOURCES: &[&[ResourceSchema]] = &[\n",
    );
    for package in facts.packages.iter().filter(|package| !package.resources.is_empty()) {
        writeln!(out, "    {}::RESOURCES,", module(package)).expect("String");
    }
    out.push_str("];\n\n");
    out.push_str(
        "/// Every struct with an `apiVersion` and a `kind`: group, version, struct.\n\
         pub static KINDS: &[(&str, &str, &Schema)] = &[\n",
    );
    for package in &facts.packages {
        let path = path(package).replace("klient_schema::", "");
        for message in package.messages.iter().filter(|message| message.kind && !message.list) {
            writeln!(
                out,
                "    ({:?}, {:?}, &{path}::{}),",
                group_of(package, &message.name),
                package.version(),
                names::constant(&message.name)
            )
            .expect("String");
        }
    }
    out.push_str("];\n");
    GeneratedFile { path: "crates/schema/src/generated.rs".to_owned(), text: out }
}
