//! What a server serves: [`Discovery`], and [`RestMapper`], which finds a resource by any of its names.

mod mapper;

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use klient_apimachinery::ResourceInfo;
use klient_apimachinery::codec::{DecodeError, Wire};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use mapper::{NoMatch, RestMapper};

use crate::client::Client;
use crate::error::Error;

/// As client-go: all groups in one answer, and plain JSON from servers that do not know that.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// As client-go.
const TIMEOUT: Duration = Duration::from_secs(32);

/// Asks a server what it serves.
#[derive(Clone, Debug)]
pub struct Discovery {
    client: Client,
}

/// A resource that a server serves.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiResource {
    /// Where it is served, and as what.
    pub info: ResourceInfo,
    /// The singular.
    pub singular: String,
    /// Other names, such as `po`.
    pub short_names: Vec<String>,
    /// Groups of resources it belongs to, such as `all`.
    pub categories: Vec<String>,
    /// What can be done with it.
    pub verbs: Vec<String>,
    /// What is served below its objects.
    pub subresources: Vec<String>,
}

impl ApiResource {
    /// Whether something can be done with it.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|other| other == verb)
    }
}

/// What a server serves: its resources, and the groups that could not be asked.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Resources, group by group in the server's order, the preferred version of a group first.
    pub resources: Vec<ApiResource>,
    /// Group-versions that the server lists but could not tell of, such as those of an extension that is down.
    pub failed: BTreeMap<String, String>,
}

/// What a server says of its version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Version {
    /// Such as `1`.
    pub major: String,
    /// Such as `37`.
    pub minor: String,
    /// Such as `v1.37.0`.
    pub git_version: String,
    /// The commit it was built from.
    pub git_commit: String,
    /// When it was built.
    pub build_date: String,
    /// Such as `linux/amd64`.
    pub platform: String,
}

/// Any JSON document.
struct Document<T>(T);

impl<T: DeserializeOwned + Send + Sync + 'static> Wire for Document<T> {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(bytes).map(Document).map_err(DecodeError::of_document)
    }

    fn to_json(&self, _: &mut Vec<u8>) {}
}

impl Discovery {
    pub(crate) fn new(client: Client) -> Self {
        Discovery { client }
    }

    /// What the server says of its version.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn version(&self) -> Result<Version, Error> {
        self.get("/version", "application/json").await
    }

    /// All resources that the server serves: in two requests where it can tell all at once, else in one for each
    /// group-version, made side by side.
    ///
    /// # Errors
    ///
    /// If the server does not answer. That single groups do not is told in [`Served::failed`].
    pub async fn resources(&self) -> Result<Served, Error> {
        let (core, groups) = tokio::join!(self.root("/api"), self.root("/apis"));
        let core = match core {
            // A server may have no core group.
            Err(error) if error.is_not_found() => Root::Legacy(Vec::new()),
            core => core?,
        };
        let mut served = Served::default();
        for root in [core, groups?] {
            match root {
                Root::Aggregated(resources) => served.resources.extend(resources),
                Root::Legacy(group_versions) => self.each(group_versions, &mut served).await?,
            }
        }
        Ok(served)
    }

    async fn get<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<T, Error> {
        let request = self.client.request(Method::GET).absolute_path(path).accept(accept);
        request.timeout(TIMEOUT).send().await?.decode::<Document<T>>().map(|document| document.0)
    }

    async fn root(&self, path: &str) -> Result<Root, Error> {
        let document: wire::Root = self.get(path, AGGREGATED).await?;
        Ok(match document {
            wire::Root { kind, items, .. } if kind == "APIGroupDiscoveryList" => {
                Root::Aggregated(items.into_iter().flat_map(wire::Group::resources).collect())
            }
            wire::Root { versions, groups, .. } => {
                let core = versions.into_iter();
                let named = groups.into_iter().flat_map(wire::LegacyGroup::group_versions);
                Root::Legacy(core.chain(named).collect())
            }
        })
    }

    /// Asks for group-versions one by one, side by side.
    async fn each(&self, group_versions: Vec<String>, served: &mut Served) -> Result<(), Error> {
        let mut asked = Vec::new();
        for group_version in group_versions {
            let discovery = self.clone();
            let path = match group_version.contains('/') {
                true => format!("/apis/{group_version}"),
                false => format!("/api/{group_version}"),
            };
            let asking =
                tokio::spawn(
                    async move { discovery.get::<wire::ResourceList>(&path, "application/json").await },
                );
            asked.push((group_version, asking));
        }
        for (group_version, asking) in asked {
            match asking.await {
                Ok(Ok(list)) => served.resources.extend(list.resources(&group_version)),
                Ok(Err(error)) if error.as_status().is_none() => return Err(error),
                Ok(Err(error)) => {
                    served.failed.insert(group_version, error.to_string());
                }
                Err(error) => {
                    served.failed.insert(group_version, error.to_string());
                }
            }
        }
        Ok(())
    }
}

/// What a server answers where discovery begins.
enum Root {
    Aggregated(Vec<ApiResource>),
    /// Group-versions, to be asked for one by one.
    Legacy(Vec<String>),
}

/// Discovery's documents.
mod wire {
    use super::{ApiResource, Deserialize, ResourceInfo};

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
        pub(super) fn resources(self) -> Vec<ApiResource> {
            let group = self.metadata.name;
            let versions = self.versions.into_iter();
            versions
                .flat_map(|version| {
                    let (group, name) = (group.clone(), version.version);
                    version.resources.into_iter().map(move |resource| resource.described(&group, &name))
                })
                .collect()
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
                    // A subresource stands behind its resource.
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
}
