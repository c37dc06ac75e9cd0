//! Discovery of the served resources, its caches, and [`RestMapper`], which finds a resource by any of its names.

mod aggregated;
mod api_resource;
mod cached;
mod deferred;
mod disk;
mod documents;
mod failed;
mod http_cache;
mod mapper;
mod no_match;
mod openapi;
mod served;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::IF_NONE_MATCH;
use http::{Method, StatusCode};
use klient_apimachinery::codec::{DecodeError, Wire};
use klient_apimachinery::meta::v1::APIResourceList;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

pub use api_resource::{ApiGroup, ApiResource, ApiSubresource};
pub use cached::CachedDiscovery;
pub use deferred::DeferredRestMapper;
pub use disk::DiskCache;
pub use failed::{GroupDiscoveryFailed, GroupVersionError};
pub use mapper::RestMapper;
pub use no_match::NoMatch;
pub use openapi::{OpenApiV3, OpenApiV3GroupVersion};
pub use served::Served;

use crate::connection::Connection;
use crate::error::Error;
use crate::null::null_is_empty;
use crate::rest::{Request, Response};
use documents::Documents;
use http_cache::HttpCache;

const JSON: &str = "application/json";

/// As client-go: all groups in one answer, and plain JSON from servers that do not know that. kubectl's cache of
/// responses has this header beside each of them.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// The same for servers before Kubernetes 1.30.
const AGGREGATED_BETA: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The limit of a request without one in the configuration, as in client-go.
const TIMEOUT: Duration = Duration::from_secs(32);

/// A client for discovery: the groups, versions and resources that a server serves.
///
/// Each call asks the server. [`memory_cached`](Self::memory_cached) and [`disk_cached`](Self::disk_cached) keep the
/// answers.
#[derive(Clone, Debug)]
pub struct Discovery {
    connection: Connection,
    /// Responses that are valid as long as the server gives the same ETag.
    responses: Option<Arc<HttpCache>>,
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

/// The response of `/api` or `/apis`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Root {
    kind: String,
    /// Those of aggregated discovery, with their resources.
    #[serde(deserialize_with = "null_is_empty")]
    items: Vec<aggregated::Group>,
    /// The versions of the core group.
    #[serde(deserialize_with = "null_is_empty")]
    versions: Vec<String>,
    #[serde(deserialize_with = "null_is_empty")]
    groups: Vec<documents::Group>,
}

impl Discovery {
    pub(crate) fn new(connection: Connection) -> Self {
        Discovery { connection, responses: None }
    }

    /// A cache in memory.
    pub fn memory_cached(self) -> CachedDiscovery {
        CachedDiscovery::new(self, None)
    }

    /// A cache on disk, which other programs and kubectl share.
    pub fn disk_cached(self, cache: DiskCache) -> CachedDiscovery {
        let responses = cache.http.clone().map(|folder| Arc::new(HttpCache::new(folder)));
        CachedDiscovery::new(Discovery { responses, ..self }, Some(cache))
    }

    /// The version of the server.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn version(&self) -> Result<Version, Error> {
        self.get("/version", JSON).await
    }

    /// The served groups (client-go's `ServerGroups`).
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn groups(&self) -> Result<Vec<ApiGroup>, Error> {
        Ok(self.roots().await?.groups)
    }

    /// All served resources: by two requests if the server has aggregated discovery, else by one concurrent request for
    /// each group-version (client-go's `ServerGroupsAndResources`). If a group-version fails, all are asked for once
    /// more, since the groups may have changed in between.
    ///
    /// # Errors
    ///
    /// If the server does not answer. Failures of single group-versions are in [`Served::failed`].
    #[doc(alias = "ServerGroupsAndResources")]
    pub async fn resources(&self) -> Result<Served, Error> {
        let documents = self.documents().await?;
        if documents.failed.is_empty() {
            Ok(documents.served())
        } else {
            Ok(self.documents().await?.served())
        }
    }

    /// The resources of a group-version, such as `apps/v1` (client-go's `ServerResourcesForGroupVersion`).
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the server does not serve it.
    pub async fn group_version(&self, group_version: &str) -> Result<Vec<ApiResource>, Error> {
        Ok(api_resource::resources(&self.list(group_version).await?))
    }

    /// The OpenAPI v2 document of the server in JSON, which is some megabytes.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if the server publishes none.
    pub async fn openapi_v2(&self) -> Result<Bytes, Error> {
        Ok(self.fetch(self.request("/openapi/v2", JSON)).await?.bytes().clone())
    }

    /// A client for the OpenAPI v3 documents, one for each group-version.
    pub fn openapi_v3(&self) -> OpenApiV3 {
        OpenApiV3::new(self.clone())
    }

    async fn documents(&self) -> Result<Documents, Error> {
        let mut documents = self.roots().await?;
        self.ask_for_lists(&mut documents).await;
        Ok(documents)
    }

    /// The groups, and the resources of those that the server describes in aggregated form.
    async fn roots(&self) -> Result<Documents, Error> {
        let (core, groups) = tokio::join!(self.root("/api"), self.root("/apis"));
        let core = match core {
            // A server may have no core group.
            Err(error) if error.is_not_found() => Root::default(),
            core => core?,
        };
        let mut documents = Documents::default();
        for root in [core, groups?] {
            root.add_to(&mut documents);
        }
        Ok(documents)
    }

    async fn root(&self, path: &str) -> Result<Root, Error> {
        let root: Root = match self.get(path, AGGREGATED).await {
            // A gateway may know none of the parameters of media types.
            Err(error) if error.is_not_acceptable() => return self.get(path, JSON).await,
            root => root?,
        };
        if root.is_aggregated() {
            return Ok(root);
        }
        match self.get::<Root>(path, AGGREGATED_BETA).await {
            Ok(beta) if beta.is_aggregated() => Ok(beta),
            Ok(_) | Err(_) => Ok(root),
        }
    }

    /// Asks for the resources of the group-versions that have none yet, side by side. One that does not answer keeps none
    /// of the others back.
    async fn ask_for_lists(&self, documents: &mut Documents) {
        let mut asking = JoinSet::new();
        for group_version in documents.groups.iter().flat_map(ApiGroup::group_versions) {
            if documents.lists.contains_key(&group_version) {
                continue;
            }
            let discovery = self.clone();
            asking.spawn(async move {
                let list = discovery.list(&group_version).await;
                (group_version, list)
            });
        }
        for (group_version, list) in asking.join_all().await {
            match list {
                Ok(list) => {
                    documents.lists.insert(group_version, list);
                }
                Err(error) => {
                    documents.failed.insert(group_version, GroupVersionError::Request(Arc::new(error)));
                }
            }
        }
    }

    async fn list(&self, group_version: &str) -> Result<APIResourceList, Error> {
        let path = match group_version.contains('/') {
            true => format!("/apis/{group_version}"),
            false => format!("/api/{group_version}"),
        };
        let list: APIResourceList = self.fetch(self.request(&path, JSON)).await?.decode()?;
        // The name by which it was asked for: the document may omit it.
        Ok(APIResourceList { group_version: group_version.into(), ..list })
    }

    fn request(&self, path: &str, accept: &str) -> Request {
        Request::new(self.connection.clone(), Method::GET).absolute_path(path).accept(accept)
    }

    async fn get<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<T, Error> {
        self.fetch(self.request(path, accept)).await?.decode::<Document<T>>().map(|document| document.0)
    }

    /// Sends a request, or has the response that an earlier one left confirmed by the server.
    async fn fetch(&self, request: Request) -> Result<Response, Error> {
        let request = request.timeout(self.connection.config().timeouts.whole.unwrap_or(TIMEOUT));
        let Some(responses) = &self.responses else { return request.send().await };
        let url = request.call()?.uri.to_string();
        let Some(stored) = responses.get(&url).await else {
            let response = request.clone().send().await?;
            responses.put(&url, &request, &response).await;
            return Ok(response);
        };
        let response = request.clone().header(IF_NONE_MATCH, &stored.etag).send().await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response.with_body(stored.body));
        }
        responses.put(&url, &request, &response).await;
        Ok(response)
    }
}

impl Root {
    fn is_aggregated(&self) -> bool {
        self.kind == "APIGroupDiscoveryList"
    }

    fn add_to(self, documents: &mut Documents) {
        aggregated::add(self.items, documents);
        if let Some(preferred) = self.versions.first() {
            documents.groups.push(ApiGroup {
                preferred_version: preferred.clone(),
                versions: self.versions,
                ..ApiGroup::default()
            });
        }
        documents.groups.extend(self.groups.into_iter().map(documents::Group::api_group));
    }
}
