//! Circles: files of a crate that import each other, directly or through others.
//!
//! An import is a path that begins with `crate::` or `super::`, wherever it stands, outside tests. A path to what a
//! module re-exports counts as one to the file that has it. A module and those below it may import each other.

mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use paths::{imports, reexports, without_tests};

/// A module, by the names that lead to it.
type Module = Vec<String>;

/// Circles that stay, each with its reason.
const KEPT: &[(&str, &str)] = &[
    (
        "apiserver: containers::built_in::archive, containers::built_in::commands, containers::built_in::container, \
         containers::built_in::shell",
        "a shell runs programs, and a shell is one of them: the recursion of processes",
    ),
    (
        "apimachinery: patch::strategic::list, patch::strategic::map, patch::strategic::order",
        "lists hold maps and maps lists: the recursion of the patch itself",
    ),
    (
        "cel: value::json, value::list, value::map",
        "JSON becomes lists and maps, whose items are read from JSON when they are asked for: the recursion of values",
    ),
    (
        "structured-merge: schema::atom, schema::structural",
        "an atom may be a struct and a struct has atoms: the recursion of the schema itself",
    ),
];

/// The circles of a crate whose sources are in a folder, each as the paths of its files.
pub(super) fn circles(source: &Path) -> Vec<Vec<String>> {
    let mut texts = BTreeMap::new();
    read(source, &mut Vec::new(), &mut texts);
    groups(&edges(&texts))
        .into_iter()
        .map(|group| group.iter().map(|module| module.join("::")).collect())
        .collect()
}

/// The reason why a circle stays, if it does.
pub(super) fn reason(name: &str, circle: &[String]) -> Option<&'static str> {
    let circle = format!("{name}: {}", circle.join(", "));
    KEPT.iter().find(|(kept, _)| *kept == circle).map(|(_, reason)| *reason)
}

/// The circles in the list that are not there any more.
pub(super) fn stale(found: &[(String, Vec<String>)]) -> Vec<&'static str> {
    let found: Vec<String> =
        found.iter().map(|(name, circle)| format!("{name}: {}", circle.join(", "))).collect();
    KEPT.iter().map(|(kept, _)| *kept).filter(|kept| !found.iter().any(|found| found == kept)).collect()
}

/// Reads the modules of a folder, but for those that are tests.
fn read(folder: &Path, module: &mut Module, texts: &mut BTreeMap<Module, String>) {
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    for path in files {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() {
            if name != "generated" {
                module.push(name.to_owned());
                read(&path, module, texts);
                module.pop();
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_root = module.is_empty() && matches!(name, "lib" | "main");
            let mut own = module.clone();
            own.extend((!is_root).then(|| name.to_owned()));
            texts.insert(own, without_tests(&fs::read_to_string(&path).unwrap_or_default()));
        }
    }
}

/// The modules that each module imports.
fn edges(texts: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let is_tested_only = |module: &Module| {
        let Some((name, parent)) = module.split_last() else { return false };
        let declared = |text: &String| text.lines().any(|line| declares(line, name));
        texts.get(parent).is_none_or(|text| !declared(text))
    };
    let modules: BTreeMap<&Module, &String> =
        texts.iter().filter(|(module, _)| module.is_empty() || !is_tested_only(module)).collect();
    let file_of = |path: &[String]| {
        let lengths = (0..=path.len()).rev();
        lengths.map(|length| &path[..length]).find_map(|path| modules.get_key_value(&path.to_vec()))
    };
    let reexported: BTreeMap<&Module, BTreeMap<String, Module>> =
        modules.iter().map(|(module, text)| (*module, reexports(text, module))).collect();
    let resolve = |path: &Module| -> Option<&Module> {
        let (module, _) = file_of(path)?;
        let name = path.get(module.len());
        match name.and_then(|name| reexported[module].get(name)) {
            Some(path) => file_of(path).map(|(module, _)| *module),
            None => Some(module),
        }
    };
    let mut edges = BTreeMap::new();
    for (module, text) in &modules {
        let others = imports(text, module);
        let others = others.iter().filter_map(resolve);
        let others = others.filter(|other| !module.starts_with(other) && !other.starts_with(module));
        edges.insert(*module, others.collect());
    }
    edges
}

/// Returns true if a line declares a module.
fn declares(line: &str, name: &str) -> bool {
    let line = line.trim().trim_end_matches(';');
    let words = line.rsplit_once(' ');
    words.is_some_and(|(before, last)| last == name && (before == "mod" || before.ends_with(" mod")))
}

/// The sets of modules each of which leads to every other.
fn groups<'a>(edges: &BTreeMap<&'a Module, BTreeSet<&'a Module>>) -> Vec<Vec<&'a Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|module| (*module, reachable(module, edges))).collect();
    let mut groups = Vec::new();
    let mut seen = BTreeSet::new();
    for (module, others) in &reached {
        if others.contains(module) && !seen.contains(module) {
            let group: Vec<&Module> =
                others.iter().copied().filter(|other| reached[other].contains(module)).collect();
            seen.extend(group.iter().copied());
            groups.push(group);
        }
    }
    groups
}

/// The modules that a module leads to, itself only by a circle.
fn reachable<'a>(
    module: &'a Module,
    edges: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![module];
    while let Some(module) = ahead.pop() {
        for other in edges.get(module).into_iter().flatten() {
            if reached.insert(*other) {
                ahead.push(other);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let module = |name: &str| -> Module {
            name.split("::").filter(|part| !part.is_empty()).map(Into::into).collect()
        };
        let texts = files.iter().map(|(name, text)| (module(name), without_tests(text))).collect();
        let edges = edges(&texts);
        let found = groups(&edges);
        let found: Vec<String> = found
            .iter()
            .map(|group| group.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn files_that_import_each_other_are_a_circle() {
        check(
            &[
                ("", "mod a;\nmod b;\npub(crate) mod c;"),
                ("a", "use std::fmt;\nuse crate::{b::B, c};"),
                ("b", "fn b() { crate::c::f(); }"),
                ("c", "use super::a::A;\n"),
            ],
            &["a b c"],
        );
        check(&[("", "mod a;\nmod b;"), ("a", "use crate::b::B;"), ("b", "// crate::a is above")], &[]);
    }

    #[test]
    fn a_module_and_those_below_it_may_import_each_other() {
        check(&[("", "mod a;"), ("a", "mod b;\nuse b::B;"), ("a::b", "use super::A;")], &[]);
    }

    #[test]
    fn what_is_re_exported_counts_as_where_it_is() {
        let b = ("b", "use crate::a::Thing;");
        check(
            &[
                ("", "mod a;\nmod b;"),
                ("a", "mod c;\npub(crate) use c::Thing;"),
                ("a::c", "use crate::b;"),
                b,
            ],
            &["a::c b"],
        );
    }

    #[test]
    fn tests_do_not_count() {
        check(
            &[
                ("", "mod a;\nmod b;\n#[cfg(test)]\nmod tests;"),
                ("a", "use crate::b::B;"),
                ("b", "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
                ("tests", "use crate::a::A;"),
            ],
            &[],
        );
    }
}
