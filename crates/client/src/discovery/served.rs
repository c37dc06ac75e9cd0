//! [`Served`], everything that a server serves.

use super::api_resource::{ApiGroup, ApiResource};
use super::failed::GroupDiscoveryFailed;

/// The groups and resources that a server serves, and the group-versions that could not be discovered.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Groups in the server's order, the core group first.
    pub groups: Vec<ApiGroup>,
    /// Resources, group by group in the server's order, the preferred version of a group first.
    pub resources: Vec<ApiResource>,
    /// Group-versions that the server lists but whose discovery failed, with the error.
    pub failed: GroupDiscoveryFailed,
}

impl Served {
    /// Every resource, in the version its group prefers, or in the first that has it (client-go's
    /// `ServerPreferredResources`).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use klient_client::{Client, Config};
    /// # let server = klient_apiserver::TestServer::start().await?;
    /// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let served = client.discovery().resources().await?;
    /// let namespaced = served.preferred().filter(|resource| resource.info.namespaced);
    /// let scalers: Vec<_> = namespaced.filter(|resource| resource.info.group == "autoscaling").collect();
    /// assert_eq!(scalers[0].info.version, "v2");
    /// # Ok(()) }
    /// ```
    pub fn preferred(&self) -> impl Iterator<Item = &ApiResource> {
        self.resources.iter().enumerate().filter_map(|(index, resource)| {
            let same = |other: &&ApiResource| {
                other.info.group == resource.info.group && other.info.plural == resource.info.plural
            };
            // The resources of a group follow each other.
            let group = self.resources[..index].iter().rev();
            let mut group = group.take_while(|other| other.info.group == resource.info.group);
            group.find(same).is_none().then_some(resource)
        })
    }
}
