//! [`GroupDiscoveryFailed`], the group-versions whose discovery failed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;

/// Group-versions that the server lists and whose discovery failed, such as those of an extension API server that is
/// down (client-go's `ErrGroupDiscoveryFailed`). The others are discovered all the same.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let served = client.discovery().resources().await?;
/// for (group_version, error) in &served.failed.groups {
///     eprintln!("{group_version} is not available: {error}");
/// }
/// // A program that needs all of them.
/// served.failed.into_result()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GroupDiscoveryFailed {
    /// The errors by group-version, such as `metrics.k8s.io/v1beta1`.
    pub groups: BTreeMap<String, GroupVersionError>,
}

/// The reason why the discovery of a group-version failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GroupVersionError {
    /// Aggregated discovery marks the group-version, which is named, as stale: its extension API server does not answer.
    Stale(String),
    /// The request for its resources failed.
    Request(Arc<Error>),
}

impl GroupDiscoveryFailed {
    /// Returns true if no discovery failed.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Success, or itself as the error if there is a group-version whose discovery failed.
    ///
    /// # Errors
    ///
    /// If it is not empty.
    pub fn into_result(self) -> Result<(), GroupDiscoveryFailed> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// In client-go's words.
impl fmt::Display for GroupDiscoveryFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unable to retrieve the complete list of server APIs: ")?;
        for (index, (group_version, error)) in self.groups.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{group_version}: {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for GroupDiscoveryFailed {}

/// In client-go's words.
impl fmt::Display for GroupVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupVersionError::Stale(group_version) => {
                write!(f, "stale GroupVersion discovery: {group_version}")
            }
            GroupVersionError::Request(error) => fmt::Display::fmt(error, f),
        }
    }
}

/// Its text holds that of the request's error.
impl std::error::Error for GroupVersionError {}
