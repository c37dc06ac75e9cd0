//! [`Package`], the kinds of a group and version.

use std::collections::BTreeMap;

use crate::definition::{Definition, Version};
use crate::error::Error;
use crate::names;

/// The kinds of a group and version.
pub(crate) struct Package<'a> {
    pub(crate) group: &'a str,
    /// The module of the group.
    pub(crate) group_module: String,
    pub(crate) version: &'a str,
    pub(crate) kinds: Vec<(&'a Definition, &'a Version)>,
}

impl Package<'_> {
    /// The module of the version, within that of the group.
    pub(crate) fn version_module(&self) -> String {
        names::field(self.version)
    }

    pub(crate) fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// The name of the accessor, such as `apps_v1`.
    pub(crate) fn accessor(&self) -> String {
        format!("{}_{}", self.group_module, self.version_module())
    }

    /// The name of the accessor's type, such as `AppsV1`.
    pub(crate) fn accessor_type(&self) -> String {
        names::type_name(&self.accessor())
    }
}

/// Sorts the kinds of definitions by group and version. A group in `group_names` has that name as its module.
///
/// # Errors
///
/// If there are two definitions of one kind or with one name, or two groups with one module.
pub(crate) fn packages<'a>(
    definitions: &'a [Definition],
    group_names: &BTreeMap<String, String>,
) -> Result<Vec<Package<'a>>, Error> {
    let mut packages: BTreeMap<(&str, &str), Vec<(&Definition, &Version)>> = BTreeMap::new();
    for definition in distinct(definitions)? {
        for version in &definition.facts.versions {
            packages.entry((definition.group(), &version.name)).or_default().push((definition, version));
        }
    }
    let mut modules: BTreeMap<String, &str> = BTreeMap::new();
    let mut sorted = Vec::new();
    for ((group, version), mut kinds) in packages {
        kinds.sort_by(|(one, _), (other, _)| one.kind().cmp(other.kind()));
        let group_module = names::field(group_names.get(group).map_or(group, String::as_str));
        if group_module == "clientset" {
            let problem = "the module clientset is that of the clientset: choose another name";
            return Err(Error::new(problem).within(format!("group {group}")));
        }
        match modules.insert(group_module.clone(), group) {
            Some(other) if other != group => {
                let problem =
                    format!("its module would be {group_module}, as that of {other}: give one another name");
                return Err(Error::new(problem).within(format!("group {group}")));
            }
            _ => {}
        }
        sorted.push(Package { group, group_module, version, kinds });
    }
    Ok(sorted)
}

/// Definitions without those that are there twice, in the order of their names.
fn distinct(definitions: &[Definition]) -> Result<Vec<&Definition>, Error> {
    let mut by_name: BTreeMap<&str, &Definition> = BTreeMap::new();
    let mut by_kind: BTreeMap<(&str, &str), &Definition> = BTreeMap::new();
    for definition in definitions {
        let of_name = by_name.insert(definition.name(), definition);
        let of_kind = by_kind.insert((definition.group(), definition.kind()), definition);
        for other in of_name.into_iter().chain(of_kind) {
            if other.facts != definition.facts {
                return Err(Error::new(format!(
                    "{} and {} define {} of {} differently: generate them into different modules",
                    other.source,
                    definition.source,
                    definition.kind(),
                    definition.group()
                ))
                .within(format!("definition {}", definition.name())));
            }
        }
    }
    Ok(by_name.into_values().collect())
}
