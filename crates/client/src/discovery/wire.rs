//! Discovery's documents: all groups at once, and group by group.

use klient_apimachinery::ResourceInfo;
use serde::Deserialize;

use super::{ApiResource, Served};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Root {
    pub(super) kind: String,
    pub(super) items: Vec<Group>,
    pub(super) versions: Vec<String>,
    pub(super) groups: Vec<LegacyGroup>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Group {
    metadata: Metadata,
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Version {
    version: String,
    freshness: String,
    resources: Vec<Resource>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    resource: String,
    response_kind: Option<Kind>,
    scope: String,
    singular_resource: String,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
    subresources: Vec<Subresource>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kind {
    kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Subresource {
    subresource: String,
}

impl Group {
    pub(super) fn join(self, served: &mut Served) {
        let group = self.metadata.name;
        for Version { version, freshness, resources } in self.versions {
            if freshness == "Stale" {
                let name = if group.is_empty() { version } else { format!("{group}/{version}") };
                let problem = format!("stale GroupVersion discovery: {name}");
                served.failed.insert(name, problem);
                continue;
            }
            // Without a kind it is only the place of its subresources.
            let whole = resources.into_iter().filter(|resource| resource.response_kind.is_some());
            served.resources.extend(whole.map(|resource| resource.described(&group, &version)));
        }
    }
}

impl Resource {
    fn described(self, group: &str, version: &str) -> ApiResource {
        ApiResource {
            info: ResourceInfo {
                group: group.to_owned().into(),
                version: version.to_owned().into(),
                kind: self.response_kind.unwrap_or_default().kind.into(),
                plural: self.resource.into(),
                namespaced: self.scope == "Namespaced",
            },
            singular: self.singular_resource,
            short_names: self.short_names,
            categories: self.categories,
            verbs: self.verbs,
            subresources: self.subresources.into_iter().map(|sub| sub.subresource).collect(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct LegacyGroup {
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct GroupVersion {
    group_version: String,
}

impl LegacyGroup {
    pub(super) fn group_versions(self) -> impl Iterator<Item = String> {
        self.versions.into_iter().map(|version| version.group_version)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ResourceList {
    resources: Vec<LegacyResource>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct LegacyResource {
    name: String,
    singular_name: String,
    namespaced: bool,
    kind: String,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
}

impl ResourceList {
    pub(super) fn resources(self, group_version: &str) -> Vec<ApiResource> {
        let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
        let mut out: Vec<ApiResource> = Vec::new();
        for resource in self.resources {
            match resource.name.split_once('/') {
                // A subresource follows its resource.
                Some((parent, name)) => {
                    let parent = out.iter_mut().find(|other| other.info.plural == parent);
                    parent.into_iter().for_each(|parent| parent.subresources.push(name.to_owned()));
                }
                None => out.push(ApiResource {
                    info: ResourceInfo {
                        group: group.to_owned().into(),
                        version: version.to_owned().into(),
                        kind: resource.kind.into(),
                        plural: resource.name.into(),
                        namespaced: resource.namespaced,
                    },
                    singular: resource.singular_name,
                    short_names: resource.short_names,
                    categories: resource.categories,
                    verbs: resource.verbs,
                    subresources: Vec::new(),
                }),
            }
        }
        out
    }
}
