//! The paths in a source text, read without a parser: good enough for text that rustfmt has formatted.

use std::collections::BTreeMap;

use super::Module;

/// A text without its comments and without its tests.
pub(super) fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line.split("//").next().unwrap_or_default());
            kept.push('\n');
            continue;
        }
        // The item behind it ends on its own line, or with a bracket under its beginning.
        let indent = line.len() - line.trim_start().len();
        let is_whole = |line: &str| line.ends_with(';') || line.ends_with('}');
        let Some(first) = lines.find(|line| !line.trim_start().starts_with("#[")) else { break };
        if !is_whole(first) {
            let ends = |line: &str| {
                line.len() > indent && line[..indent].trim().is_empty() && line[indent..].starts_with('}')
            };
            lines.by_ref().find(|line| ends(line));
        }
    }
    kept
}

/// The absolute paths that a module imports from its crate.
pub(super) fn imports(text: &str, module: &[String]) -> Vec<Module> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("::") {
        let begin = text[..at].rfind(|c: char| !is_name(c)).map_or(0, |before| before + 1);
        let base = match &text[begin..at] {
            "crate" => Vec::new(),
            "super" if !text[..begin].ends_with("::") => {
                let ups = text[begin..].split("::").take_while(|part| *part == "super").count();
                module[..module.len().saturating_sub(ups)].to_vec()
            }
            _ => continue,
        };
        let rest = text[at + 2..].trim_start_matches("super::");
        tree(rest, &base, &mut found);
    }
    found
}

/// The names that a module has from those below it, with their paths.
pub(super) fn reexports(text: &str, module: &[String]) -> BTreeMap<String, Module> {
    let mut found = Vec::new();
    for line in text.split(';') {
        let Some((_, path)) = line.rsplit_once("use ") else { continue };
        let own = path.trim_start();
        if !["crate", "super", "std", "self"].iter().any(|root| own.starts_with(root)) {
            tree(own, module, &mut found);
        }
    }
    found.into_iter().filter_map(|path| Some((path.last()?.clone(), path))).collect()
}

/// Reads the names of a path, which may end in a tree of them, and returns what is behind it.
fn tree<'a>(text: &'a str, base: &[String], found: &mut Vec<Module>) -> &'a str {
    let mut text = text.trim_start();
    let mut path = base.to_vec();
    loop {
        if let Some(inside) = text.strip_prefix('{') {
            text = inside;
            loop {
                text = text.trim_start();
                if let Some(rest) = text.strip_prefix('}') {
                    return rest;
                }
                let rest = tree(text, &path, found).trim_start();
                let rest = rest.strip_prefix(',').unwrap_or(rest);
                // What is no name ends the tree.
                if rest.len() == text.len() {
                    return rest;
                }
                text = rest;
            }
        }
        let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !name.is_empty() && name != "self" {
            path.push(name.to_owned());
        }
        match rest.strip_prefix("::") {
            Some(next) if !name.is_empty() => text = next,
            _ => {
                found.push(path);
                let renamed = rest.trim_start().strip_prefix("as ");
                return renamed.map_or(rest, |rest| rest.trim_start_matches(is_name));
            }
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
