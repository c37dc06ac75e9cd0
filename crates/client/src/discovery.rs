//! Discovery of the served resources, and [`RestMapper`], which finds a resource by any of its names.

mod mapper;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use klient_apimachinery::ResourceInfo;
use klient_apimachinery::codec::{DecodeError, Wire};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

pub use mapper::{NoMatch, RestMapper};

use crate::connection::Connection;
use crate::error::Error;
use crate::rest::Request;

/// As client-go: all groups in one answer, and plain JSON from servers that do not know that.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// The limit of a request without one in the configuration, as in client-go.
const TIMEOUT: Duration = Duration::from_secs(32);

/// A client for discovery: the groups, versions and resources that a server serves.
#[derive(Clone, Debug)]
pub struct Discovery {
    connection: Connection,
}

/// A resource that a server serves.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiResource {
    /// The names and scope of the resource.
    pub info: ResourceInfo,
    /// The singular.
    pub singular: String,
    /// Other names, such as `po`.
    pub short_names: Vec<String>,
    /// Categories of the resource, such as `all`.
    pub categories: Vec<String>,
    /// Supported verbs.
    pub verbs: Vec<String>,
    /// Subresources.
    pub subresources: Vec<String>,
}

impl ApiResource {
    /// Returns true if the resource supports a verb.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|other| other == verb)
    }
}

/// The resources that a server serves, and the groups that could not be discovered.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Resources, group by group in the server's order, the preferred version of a group first.
    pub resources: Vec<ApiResource>,
    /// Group-versions that the server lists but whose discovery failed, such as those of an extension API server that
    /// is down, with the error.
    pub failed: BTreeMap<String, String>,
}

/// The version of a server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
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
    pub(crate) fn new(connection: Connection) -> Self {
        Discovery { connection }
    }

    /// The version of the server.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn version(&self) -> Result<Version, Error> {
        self.get("/version", "application/json").await
    }

    /// All served resources: by two requests if the server has aggregated discovery, else by one concurrent request for
    /// each group-version.
    ///
    /// # Errors
    ///
    /// If the server does not answer. Failures of single group-versions are in [`Served::failed`].
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
                Root::Aggregated(groups) => groups.into_iter().for_each(|group| group.join(&mut served)),
                Root::Legacy(group_versions) => self.each(group_versions, &mut served).await,
            }
        }
        Ok(served)
    }

    async fn get<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<T, Error> {
        let request = Request::new(self.connection.clone(), Method::GET).absolute_path(path).accept(accept);
        let limit = self.connection.config().timeouts.whole.unwrap_or(TIMEOUT);
        request.timeout(limit).send().await?.decode::<Document<T>>().map(|document| document.0)
    }

    async fn root(&self, path: &str) -> Result<Root, Error> {
        let document: wire::Root = match self.get(path, AGGREGATED).await {
            // A gateway may know none of the parameters of media types.
            Err(error) if error.is_not_acceptable() => self.get(path, "application/json").await?,
            document => document?,
        };
        Ok(match document {
            wire::Root { kind, items, .. } if kind == "APIGroupDiscoveryList" => Root::Aggregated(items),
            wire::Root { versions, groups, .. } => {
                let core = versions.into_iter();
                let named = groups.into_iter().flat_map(wire::LegacyGroup::group_versions);
                Root::Legacy(core.chain(named).collect())
            }
        })
    }

    /// Asks for group-versions one by one, side by side. One that does not answer keeps none of the others back.
    async fn each(&self, group_versions: Vec<String>, served: &mut Served) {
        let mut asking = JoinSet::new();
        for (index, group_version) in group_versions.iter().enumerate() {
            let discovery = self.clone();
            let path = match group_version.contains('/') {
                true => format!("/apis/{group_version}"),
                false => format!("/api/{group_version}"),
            };
            asking.spawn(async move {
                (index, discovery.get::<wire::ResourceList>(&path, "application/json").await)
            });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(index, _)| *index);
        for (group_version, (_, answer)) in group_versions.into_iter().zip(answers) {
            match answer {
                Ok(list) => served.resources.extend(list.resources(&group_version)),
                Err(error) => {
                    served.failed.insert(group_version, format!("{error:?}"));
                }
            }
        }
    }
}

/// The response of the discovery endpoints.
enum Root {
    Aggregated(Vec<wire::Group>),
    /// Group-versions, which are requested one by one.
    Legacy(Vec<String>),
}
