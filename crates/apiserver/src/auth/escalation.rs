//! [`uncovered`], the permissions of rules that a user does not have.

use std::collections::BTreeSet;

use klient_apimachinery::go::quoted;
use serde_json::Value;

/// A part of a rule: one verb on one resource, or on one object, or on one path.
#[derive(Clone, Copy)]
enum Permission<'a> {
    Resource { group: &'a str, resource: &'a str, name: Option<&'a str>, verb: &'a str },
    Path { path: &'a str, verb: &'a str },
}

/// Describes the permissions of rules that other rules do not cover, in upstream's words, each kind once. It is empty if
/// they cover all.
pub(crate) fn uncovered(owned: &[Value], rules: &[Value]) -> BTreeSet<String> {
    let permissions = rules.iter().flat_map(permissions);
    let missing: Vec<_> =
        permissions.filter(|permission| !owned.iter().any(|rule| permission.is_in(rule))).collect();
    missing
        .iter()
        .map(|permission| {
            // Verbs on the same resource are one description.
            let verbs = missing.iter().filter(|other| permission.differs_by_verb(other));
            permission.describe(&verbs.map(Permission::verb).collect::<Vec<_>>())
        })
        .collect()
}

/// The strings of a list of a rule.
fn texts<'a>(rule: &'a Value, list: &str) -> Vec<&'a str> {
    rule[list].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn permissions(rule: &Value) -> Vec<Permission<'_>> {
    let verbs = texts(rule, "verbs");
    let names = texts(rule, "resourceNames");
    let names = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
    let mut permissions = Vec::new();
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for &verb in &verbs {
                permissions.extend(names.iter().map(|&name| Permission::Resource {
                    group,
                    resource,
                    name,
                    verb,
                }));
            }
        }
    }
    for path in texts(rule, "nonResourceURLs") {
        permissions.extend(verbs.iter().map(|&verb| Permission::Path { path, verb }));
    }
    permissions
}

impl<'a> Permission<'a> {
    fn verb(&self) -> &'a str {
        match *self {
            Permission::Resource { verb, .. } | Permission::Path { verb, .. } => verb,
        }
    }

    /// Returns true if a rule has the permission.
    fn is_in(&self, rule: &Value) -> bool {
        let has =
            |list: &str, word: &str| texts(rule, list).iter().any(|other| *other == "*" || *other == word);
        has("verbs", self.verb())
            && match *self {
                Permission::Resource { group, resource, name, .. } => {
                    let of_any = resource.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
                    let names = texts(rule, "resourceNames");
                    has("apiGroups", group)
                        && (has("resources", resource) || of_any.is_some_and(|any| has("resources", &any)))
                        && (names.is_empty() || name.is_some_and(|name| names.contains(&name)))
                }
                Permission::Path { path, .. } => {
                    texts(rule, "nonResourceURLs").iter().any(|owned| match owned.strip_suffix('*') {
                        Some(prefix) => path.starts_with(prefix),
                        None => *owned == path,
                    })
                }
            }
    }

    /// Returns true for another verb on the same resource or object. Permissions for paths are described one by one.
    fn differs_by_verb(&self, other: &Permission<'_>) -> bool {
        match (*self, *other) {
            (
                Permission::Resource { group, resource, name, .. },
                Permission::Resource {
                    group: other_group, resource: other_resource, name: other_name, ..
                },
            ) => (group, resource, name) == (other_group, other_resource, other_name),
            (Permission::Path { path, verb }, Permission::Path { path: other_path, verb: other_verb }) => {
                (path, verb) == (other_path, other_verb)
            }
            _ => false,
        }
    }

    fn describe(&self, verbs: &[&str]) -> String {
        let verbs = verbs.iter().map(quoted).collect::<Vec<_>>().join(" ");
        match *self {
            Permission::Resource { group, resource, name, .. } => {
                let (group, resource) = (quoted(group), quoted(resource));
                let name = name.map(|name| format!("ResourceNames:[{}], ", quoted(name))).unwrap_or_default();
                format!("{{APIGroups:[{group}], Resources:[{resource}], {name}Verbs:[{verbs}]}}")
            }
            Permission::Path { path, .. } => {
                format!("{{NonResourceURLs:[{}], Verbs:[{verbs}]}}", quoted(path))
            }
        }
    }
}
