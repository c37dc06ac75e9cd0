//! [`Documents`], the answers of discovery in the form in which kubectl keeps them.

use std::collections::BTreeMap;

use klient_apimachinery::meta::v1::APIResourceList;
use serde::{Deserialize, Serialize};

use super::api_resource::{self, ApiGroup, group_version};
use super::failed::{GroupDiscoveryFailed, GroupVersionError};
use super::served::Served;
use crate::null::null_is_empty;

/// The groups of a server, and the resources of each group-version.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    pub(super) groups: Vec<ApiGroup>,
    /// By group-version.
    pub(super) lists: BTreeMap<String, APIResourceList>,
    pub(super) failed: BTreeMap<String, GroupVersionError>,
}

impl Documents {
    pub(super) fn served(self) -> Served {
        let mut resources = Vec::new();
        for group in &self.groups {
            for version in group.versions_by_preference() {
                let list = self.lists.get(&group_version(&group.name, version));
                resources.extend(list.into_iter().flat_map(api_resource::resources));
            }
        }
        Served { groups: self.groups, resources, failed: GroupDiscoveryFailed { groups: self.failed } }
    }
}

/// `APIGroupList` of meta.k8s.io/v1.
#[derive(Deserialize, Serialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GroupList {
    kind: String,
    api_version: String,
    #[serde(deserialize_with = "null_is_empty")]
    groups: Vec<Group>,
}

/// `APIGroup` without the addresses of the server, which nobody reads.
#[derive(Deserialize, Serialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Group {
    name: String,
    #[serde(deserialize_with = "null_is_empty")]
    versions: Vec<Version>,
    #[serde(deserialize_with = "null_is_empty")]
    preferred_version: Version,
}

/// `GroupVersionForDiscovery`.
#[derive(Deserialize, Serialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Version {
    group_version: String,
    version: String,
}

impl GroupList {
    pub(super) fn new(groups: &[ApiGroup]) -> Self {
        let groups = groups.iter().map(|group| {
            let version = |version: &String| Version {
                group_version: group_version(&group.name, version),
                version: version.clone(),
            };
            Group {
                name: group.name.clone(),
                versions: group.versions.iter().map(version).collect(),
                preferred_version: match group.preferred_version.as_str() {
                    "" => Version::default(),
                    _ => version(&group.preferred_version),
                },
            }
        });
        GroupList { kind: "APIGroupList".to_owned(), api_version: "v1".to_owned(), groups: groups.collect() }
    }

    /// The groups; none if it is another kind of document.
    pub(super) fn groups(self) -> Vec<ApiGroup> {
        if self.kind != "APIGroupList" {
            return Vec::new();
        }
        self.groups.into_iter().map(Group::api_group).collect()
    }
}

impl Group {
    pub(super) fn api_group(self) -> ApiGroup {
        ApiGroup {
            name: self.name,
            versions: self.versions.into_iter().map(|version| version.version).collect(),
            preferred_version: self.preferred_version.version,
        }
    }
}
