//! The clientset: one accessor type per group-version, one method per resource; and the same for informers.

use std::fmt::Write as _;

use crate::facts::{Facts, Package, Resource};
use crate::file::{GeneratedFile, HEADER};
use crate::names;
use crate::schema::module;

pub(crate) fn generate(facts: &Facts) -> Vec<GeneratedFile> {
    let packages: Vec<&Package> =
        facts.packages.iter().filter(|package| !package.resources.is_empty()).collect();
    let mut files = Vec::new();
    let mut root = String::from(HEADER);
    root.push_str("use crate::{Clientset, Informers};\n\n");
    for package in &packages {
        let group = package.module.split('/').next().unwrap_or_default();
        writeln!(root, "#[cfg(feature = {group:?})]\nmod {};", module(package)).expect("String");
        writeln!(root, "#[cfg(feature = {group:?})]\npub use {}::{};", module(package), type_name(package))
            .expect("String");
        if has_informers(package) {
            writeln!(
                root,
                "#[cfg(feature = {group:?})]\npub use {}::{}Informers;",
                module(package),
                type_name(package)
            )
            .expect("String");
        }
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
    root.push_str("}\n\nimpl<S: klient_apimachinery::Sources> Informers<S> {\n");
    for package in packages.iter().filter(|package| has_informers(package)) {
        let group = package.module.split('/').next().unwrap_or_default();
        let (method, ty) = (module(package), type_name(package));
        writeln!(
            root,
            "    /// Informers of {}.\n    #[cfg(feature = {group:?})]\n    pub fn {method}(&self) -> {ty}Informers<'_, S> {{\n        \
             {ty}Informers {{ factory: &self.factory }}\n    }}\n",
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
        "use {types} as types;\n{}#[allow(unused_imports)]\nuse klient_client::{{Api, Client, IntoPlace}};\n\n\
         /// Resources of {}.\n#[derive(Clone, Debug)]\npub struct {ty} {{\n    pub(crate) client: Client,\n}}\n\nimpl {ty} {{",
        if has_informers(package) { "use klient_cache::{Informer, InformerFactory};\n" } else { "" },
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
    if has_informers(package) {
        informers(package, &mut out);
    }
    GeneratedFile { path: format!("crates/clientset/src/generated/{}.rs", module(package)), text: out }
}

/// Returns true if an informer can cache a resource: it supports list and watch.
fn is_followed(resource: &Resource) -> bool {
    ["list", "watch"].iter().all(|verb| resource.verbs.iter().any(|other| other == verb))
}

fn has_informers(package: &Package) -> bool {
    package.resources.iter().any(is_followed)
}

fn informers(package: &Package, out: &mut String) {
    let ty = type_name(package);
    writeln!(
        out,
        "\n/// Informers of {}.\n#[derive(Debug)]\npub struct {ty}Informers<'a, S> {{\n    \
         pub(crate) factory: &'a InformerFactory<S>,\n}}\n\n\
         impl<S: klient_apimachinery::Sources> {ty}Informers<'_, S> {{",
        package.api_version()
    )
    .expect("String");
    for resource in package.resources.iter().filter(|resource| is_followed(resource)) {
        let (plural, kind) = (names::snake(&resource.plural), &resource.kind);
        writeln!(
            out,
            "    /// The informer of `{plural}`.\n    pub fn {plural}(&self) -> Informer<types::{kind}> {{\n        \
             self.factory.informer()\n    }}\n"
        )
        .expect("String");
    }
    out.push_str("}\n");
}
