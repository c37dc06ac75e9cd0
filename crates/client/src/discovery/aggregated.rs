//! Aggregated discovery: `APIGroupDiscoveryList` of apidiscovery.k8s.io/v2 and v2beta1, which have the same fields.

use klient_apimachinery::Str;
use klient_apimachinery::meta::v1::{APIResource, APIResourceList};
use serde::Deserialize;

use super::api_resource::{ApiGroup, group_version};
use super::documents::Documents;
use super::failed::GroupVersionError;
use crate::null::null_is_empty;

/// A group with all its versions and resources.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Group {
    #[serde(deserialize_with = "null_is_empty")]
    metadata: Metadata,
    #[serde(deserialize_with = "null_is_empty")]
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
    #[serde(deserialize_with = "null_is_empty")]
    resources: Vec<Resource>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Resource {
    resource: Str,
    response_kind: Option<Kind>,
    scope: String,
    singular_resource: Str,
    #[serde(deserialize_with = "null_is_empty")]
    verbs: Vec<Str>,
    #[serde(deserialize_with = "null_is_empty")]
    short_names: Vec<Str>,
    #[serde(deserialize_with = "null_is_empty")]
    categories: Vec<Str>,
    #[serde(deserialize_with = "null_is_empty")]
    subresources: Vec<Subresource>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kind {
    group: Str,
    version: Str,
    kind: Str,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Subresource {
    subresource: String,
    response_kind: Option<Kind>,
    #[serde(deserialize_with = "null_is_empty")]
    verbs: Vec<Str>,
}

/// Adds groups to the documents, as lists in the form of the other endpoints.
pub(super) fn add(groups: Vec<Group>, documents: &mut Documents) {
    for Group { metadata: Metadata { name }, versions } in groups {
        let mut group = ApiGroup { name, ..ApiGroup::default() };
        for Version { version, freshness, resources } in versions {
            let group_version = group_version(&group.name, &version);
            if freshness == "Stale" {
                documents.failed.insert(group_version.clone(), GroupVersionError::Stale(group_version));
                continue;
            }
            let resources = resources.into_iter().flat_map(Resource::flattened).collect();
            let list = APIResourceList {
                group_version: group_version.as_str().into(),
                resources,
                ..Default::default()
            };
            documents.lists.insert(group_version, list);
            group.versions.push(version);
        }
        group.preferred_version = group.versions.first().cloned().unwrap_or_default();
        documents.groups.push(group);
    }
}

impl Resource {
    /// The resource, and behind it its subresources. Without a kind the resource is only their place.
    fn flattened(self) -> Vec<APIResource> {
        let namespaced = self.scope == "Namespaced";
        let place = self.resource.clone();
        let singular = self.singular_resource.clone();
        let own = known(self.response_kind).map(|kind| APIResource {
            name: self.resource,
            singular_name: self.singular_resource,
            short_names: self.short_names,
            categories: self.categories,
            ..kind.resource(namespaced, self.verbs)
        });
        let subresources = self.subresources.into_iter().filter_map(move |subresource| {
            Some(APIResource {
                name: format!("{place}/{}", subresource.subresource).into(),
                singular_name: singular.clone(),
                ..known(subresource.response_kind)?.resource(namespaced, subresource.verbs)
            })
        });
        own.into_iter().chain(subresources).collect()
    }
}

fn known(kind: Option<Kind>) -> Option<Kind> {
    kind.filter(|Kind { group, version, kind }| !(group.is_empty() && version.is_empty() && kind.is_empty()))
}

impl Kind {
    /// A resource without a name.
    fn resource(self, namespaced: bool, verbs: Vec<Str>) -> APIResource {
        let given = |part: Str| (!part.is_empty()).then_some(part);
        APIResource {
            namespaced,
            group: given(self.group),
            version: given(self.version),
            kind: self.kind,
            verbs,
            ..Default::default()
        }
    }
}
