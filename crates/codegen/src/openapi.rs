//! Facts for OpenAPI documents besides the `schema` crate's tables: unions, the scheme, and descriptions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::facts::{Facts, Package};
use crate::file::{GeneratedFile, HEADER};
use crate::schema::flatten;

pub(crate) fn generate(facts: &Facts) -> GeneratedFile {
    let mut out = String::from(HEADER);
    out.push_str(
        "use crate::{Description, Union};\n\n\
         /// The group-versions of upstream's scheme, as in `apiVersion`.\n\
         #[rustfmt::skip]\npub static SCHEME: &[&str] = &[\n",
    );
    for api_version in &facts.scheme {
        writeln!(out, "    {api_version:?},").expect("String");
    }
    out.push_str(
        "];\n\n/// The unions, sorted.\n\
         #[rustfmt::skip]\npub static UNIONS: &[Union] = &[\n",
    );
    for (name, union) in unions(facts) {
        let (discriminator, fields) = union.split_once(':').unwrap_or_default();
        let fields: Vec<&str> = fields.split(',').collect();
        writeln!(out, "    Union {{ of: {name:?}, discriminator: {discriminator:?}, fields: &{fields:?} }},")
            .expect("String");
    }
    out.push_str(
        "];\n\n/// The meaning of structs and of their fields, sorted.\n\
         #[rustfmt::skip]\npub static DESCRIPTIONS: &[Description] = &[\n",
    );
    for (name, (meaning, fields)) in descriptions(facts) {
        writeln!(out, "    Description {{ of: {name:?}, meaning: {meaning:?}, fields: &[").expect("String");
        for (field, meaning) in fields {
            writeln!(out, "        ({field:?}, {meaning:?}),").expect("String");
        }
        out.push_str("    ] },\n");
    }
    out.push_str("];\n");
    GeneratedFile { path: "crates/schema/src/generated/openapi.rs".to_owned(), text: out }
}

/// The name of a struct in the tables, such as `core/v1.Pod`.
fn name(package: &Package, message: &str) -> String {
    format!("{}.{message}", package.module)
}

fn unions(facts: &Facts) -> BTreeMap<String, &str> {
    let messages = facts.packages.iter().flat_map(|package| {
        package.messages.iter().map(move |message| (name(package, &message.name), message.union.as_str()))
    });
    messages.filter(|(_, union)| !union.is_empty()).collect()
}

/// The meaning of each documented struct, and those of its fields.
fn descriptions(facts: &Facts) -> BTreeMap<String, (&str, BTreeMap<&str, &str>)> {
    let mut found = BTreeMap::new();
    for package in &facts.packages {
        for message in package.messages.iter().filter(|message| !message.list) {
            let flat = flatten(facts, package, &message.name);
            let fields: BTreeMap<&str, &str> = flat
                .iter()
                .filter(|flat| !flat.field.meaning.is_empty())
                .map(|flat| (flat.field.json.as_str(), flat.field.meaning.as_str()))
                .collect();
            if !message.meaning.is_empty() || !fields.is_empty() {
                found.insert(name(package, &message.name), (message.meaning.as_str(), fields));
            }
        }
    }
    found
}
