//! [`ApiResource`], [`ApiSubresource`] and [`ApiGroup`], the parts of a discovery document.

use klient_apimachinery::ResourceInfo;
use klient_apimachinery::meta::v1::{APIResource, APIResourceList, GroupVersionKind};

/// A resource that a server serves.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiResource {
    /// The names and scope of the resource.
    pub info: ResourceInfo,
    /// The singular, such as `deployment`; the lower-case kind if the server names none.
    pub singular: String,
    /// Other names, such as `po`.
    pub short_names: Vec<String>,
    /// Categories of the resource, such as `all`.
    pub categories: Vec<String>,
    /// Supported verbs.
    pub verbs: Vec<String>,
    /// Subresources, such as `status` and `scale`.
    pub subresources: Vec<ApiSubresource>,
}

/// A subresource that a server serves.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ApiSubresource {
    /// The name, such as `scale`.
    pub name: String,
    /// The kind of its objects, such as `Scale` of autoscaling/v1.
    pub kind: GroupVersionKind,
    /// Supported verbs.
    pub verbs: Vec<String>,
}

/// An API group that a server serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiGroup {
    /// The name; empty for the core group.
    pub name: String,
    /// The versions in the server's order, such as `v2` and `v1`.
    pub versions: Vec<String>,
    /// The version that the server prefers.
    pub preferred_version: String,
}

impl ApiResource {
    /// Returns true if the resource supports a verb.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|other| other == verb)
    }

    /// Finds a subresource by its name.
    pub fn subresource(&self, name: &str) -> Option<&ApiSubresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }
}

impl ApiGroup {
    /// The group-versions, such as `autoscaling/v2` and `v1`, in the server's order.
    pub fn group_versions(&self) -> impl Iterator<Item = String> {
        self.versions.iter().map(|version| group_version(&self.name, version))
    }

    /// The versions, the preferred one first.
    pub(super) fn versions_by_preference(&self) -> impl Iterator<Item = &String> {
        let preferred = self.versions.iter().find(|version| **version == self.preferred_version);
        preferred
            .into_iter()
            .chain(self.versions.iter().filter(|version| **version != self.preferred_version))
    }
}

/// `v1` or `apps/v1`.
pub(super) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The resources of a list, with their subresources.
pub(super) fn resources(list: &APIResourceList) -> Vec<ApiResource> {
    let (group, version) = list.group_version.split_once('/').unwrap_or(("", list.group_version.as_str()));
    let mut found: Vec<ApiResource> = Vec::new();
    for resource in &list.resources {
        match resource.name.split_once('/') {
            // A subresource follows its resource.
            Some((parent, name)) => {
                let parent = found.iter_mut().rev().find(|other| other.info.plural == parent);
                if let Some(parent) = parent {
                    parent.subresources.push(subresource(name, resource, group, version));
                }
            }
            None => found.push(api_resource(resource, group, version)),
        }
    }
    found
}

fn api_resource(resource: &APIResource, group: &str, version: &str) -> ApiResource {
    let singular = match resource.singular_name.as_str() {
        "" => resource.kind.to_lowercase(),
        singular => singular.to_owned(),
    };
    ApiResource {
        info: ResourceInfo {
            group: group.to_owned().into(),
            version: version.to_owned().into(),
            kind: resource.kind.to_string().into(),
            plural: resource.name.to_string().into(),
            namespaced: resource.namespaced,
        },
        singular,
        short_names: strings(&resource.short_names),
        categories: strings(&resource.categories),
        verbs: strings(&resource.verbs),
        subresources: Vec::new(),
    }
}

fn subresource(name: &str, resource: &APIResource, group: &str, version: &str) -> ApiSubresource {
    // A kind without a version is one of the resource's own group-version.
    let (group, version) = match resource.version.as_deref() {
        None | Some("") => (group, version),
        Some(version) => (resource.group.as_deref().unwrap_or_default(), version),
    };
    ApiSubresource {
        name: name.to_owned(),
        kind: GroupVersionKind::new(group, version, resource.kind.as_str()),
        verbs: strings(&resource.verbs),
    }
}

fn strings(list: &[klient_apimachinery::Str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
