//! [`DeferredRestMapper`], a mapper that asks the server when it has to.

use super::RestMapper;
use super::api_resource::ApiResource;
use super::cached::CachedDiscovery;
use super::no_match::NoMatch;
use crate::error::Error;

/// A [`RestMapper`] that runs discovery on first use, and once more if a name or kind is not found in what is cached, as
/// that of a CustomResourceDefinition that was installed since, or of a group-version whose list could not be read
/// (client-go's `DeferredDiscoveryRESTMapper`). Callers who miss at the same time share one discovery.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config, ListOptions};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// use klient_client::DeferredRestMapper;
///
/// let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
/// let deployments = mapper.kind("apps", "Deployment", None).await?;
/// client.dynamic(&deployments).list(&ListOptions::default()).await?;
///
/// let error = mapper.resource("gadgets").await.unwrap_err();
/// assert!(error.no_match().is_some());
/// assert_eq!(error.to_string(), r#"the server doesn't have a resource type "gadgets""#);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DeferredRestMapper(CachedDiscovery);

impl DeferredRestMapper {
    /// A mapper of the resources that a cached discovery finds.
    pub fn new(discovery: CachedDiscovery) -> Self {
        DeferredRestMapper(discovery)
    }

    /// The discovery, to invalidate it.
    pub fn discovery(&self) -> &CachedDiscovery {
        &self.0
    }

    /// A mapper of the resources that are cached now.
    ///
    /// # Errors
    ///
    /// If the server is asked and does not answer.
    pub async fn mapper(&self) -> Result<RestMapper, Error> {
        self.0.resources().await.map(RestMapper::new)
    }

    /// The resource a name means: see [`RestMapper::resource`].
    ///
    /// # Errors
    ///
    /// An error with [`no_match`](Error::no_match) if it means nothing to the server; another if the server does not
    /// answer.
    pub async fn resource(&self, name: &str) -> Result<ApiResource, Error> {
        self.find(|mapper| mapper.resource(name)).await
    }

    /// The resource that serves a kind: see [`RestMapper::kind`].
    ///
    /// # Errors
    ///
    /// As [`resource`](Self::resource).
    pub async fn kind(&self, group: &str, kind: &str, version: Option<&str>) -> Result<ApiResource, Error> {
        self.find(|mapper| mapper.kind(group, kind, version)).await
    }

    async fn find(
        &self,
        find: impl Fn(&RestMapper) -> Result<&ApiResource, NoMatch>,
    ) -> Result<ApiResource, Error> {
        let current = self.0.current().await?;
        let no_match = match find(&RestMapper::new(current.served.clone())) {
            Ok(resource) => return Ok(resource.clone()),
            Err(no_match) => no_match,
        };
        // The name may be in a group-version whose list failed.
        if current.is_new && current.served.failed.is_empty() {
            return Err(no_match.into());
        }
        match self.0.newer_than(&current.served).await? {
            Some(newer) => Ok(find(&RestMapper::new(newer))?.clone()),
            None => Err(no_match.into()),
        }
    }
}
