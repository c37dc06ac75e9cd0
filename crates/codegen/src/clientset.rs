//! The clientset: one accessor type per group-version, one method per resource.

use std::fmt::Write as _;

use crate::facts::{Facts, Package};
use crate::generate::{GeneratedFile, HEADER};
use crate::names;
use crate::schema::module;

pub(crate) fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let packages: Vec<&Package> =
        facts.packages.iter().filter(|package| !package.resources.is_empty()).collect();
    let mut files = Vec::new();
    let mut root = String::from(HEADER);
    root.push_str("use crate::Clientset;\n\n");
    for package in &packages {
        let group = package.module.split('/').next().unwrap_or_default();
        writeln!(root, "#[cfg(feature = {group:?})]\nmod {};", module(package)).expect("String");
        writeln!(root, "#[cfg(feature = {group:?})]\npub use {}::{};", module(package), type_name(package))
            .expect("String");
        files.push(accessors(package));
    }
    root.push_str("\nimpl Clientset {\n");
    for package in &packages {
        let group = package.module.split('/').next().unwrap_or_default();
        let (method, ty) = (module(package), type_name(package));
        writeln!(
            root,
            "    /// Resources of {}.\n    #[cfg(feature = {group:?})]\n    pub fn {method}(&self) -> {ty} {{\n        \
             {ty} {{ client: self.client.clone() }}\n    }}\n",
            package.api_version()
        )
        .expect("String");
    }
    root.push_str("}\n");
    files.push(GeneratedFile { path: "crates/clientset/src/generated.rs".to_owned(), text: root });
    files
}

fn type_name(package: &Package) -> String {
    module(package).split('_').map(names::pascal).collect()
}

fn accessors(package: &Package) -> GeneratedFile {
    let ty = type_name(package);
    let types = format!("klient_api::{}", package.module.replace('/', "::"));
    let mut out = String::from(HEADER);
    writeln!(
        out,
        "use {types} as types;\n#[allow(unused_imports)]\nuse klient_client::{{Api, Client, IntoPlace}};\n\n\
         /// Resources of {}.\n#[derive(Clone, Debug)]\npub struct {ty} {{\n    pub(crate) client: Client,\n}}\n\nimpl {ty} {{",
        package.api_version()
    )
    .expect("String");
    for resource in &package.resources {
        let (plural, kind) = (names::snake(&resource.plural), &resource.kind);
        if resource.namespaced {
            writeln!(
                out,
                "    /// `{plural}`, in one namespace or all.\n    pub fn {plural}<P: IntoPlace>(&self, namespace: P) -> \
                 Api<types::{kind}, P::Place> {{\n        self.client.api().place(namespace)\n    }}\n"
            )
        } else {
            writeln!(
                out,
                "    /// `{plural}`.\n    pub fn {plural}(&self) -> Api<types::{kind}> {{\n        self.client.api()\n    }}\n"
            )
        }
        .expect("String");
    }
    out.push_str("}\n");
    GeneratedFile { path: format!("crates/clientset/src/generated/{}.rs", module(package)), text: out }
}
