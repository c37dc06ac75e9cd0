//! [`CachedDiscovery`], discovery whose answers are kept in memory and on disk.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::disk::{DiskCache, Warning};
use super::documents::Documents;
use super::served::Served;
use super::{Discovery, OpenApiV3};
use crate::error::Error;

/// Discovery whose answers are kept until they are invalidated. Clones share them.
///
/// Concurrent calls wait for one answer of the server.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config};
/// # let server = klient_apiserver::TestServer::start().await?;
/// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let discovery = client.discovery().memory_cached();
/// let served = discovery.resources().await?;
/// // The same, without a request.
/// assert!(std::sync::Arc::ptr_eq(&served, &discovery.resources().await?));
/// discovery.invalidate().await;
/// assert!(!std::sync::Arc::ptr_eq(&served, &discovery.resources().await?));
/// # Ok(()) }
/// ```
#[doc(alias = "CachedDiscoveryClient")]
#[derive(Clone)]
pub struct CachedDiscovery(Arc<Inner>);

struct Inner {
    discovery: Discovery,
    openapi: OpenApiV3,
    disk: Option<Arc<DiskCache>>,
    state: Mutex<State>,
    warning: Warning,
}

#[derive(Default)]
struct State {
    served: Option<Arc<Served>>,
    /// The documents on disk are older than the last invalidation.
    disk_is_stale: bool,
    /// The documents were asked for by this program.
    is_own: bool,
}

/// Everything that is served.
pub(super) struct Current {
    pub(super) served: Arc<Served>,
    /// It was asked for by this call.
    pub(super) is_new: bool,
}

impl CachedDiscovery {
    pub(super) fn new(discovery: Discovery, disk: Option<DiskCache>) -> Self {
        CachedDiscovery(Arc::new(Inner {
            openapi: discovery.openapi_v3(),
            discovery,
            disk: disk.map(Arc::new),
            state: Mutex::default(),
            warning: Warning::default(),
        }))
    }

    /// All served resources.
    ///
    /// # Errors
    ///
    /// If the server is asked and does not answer. Failures of single group-versions are in [`Served::failed`]; they are
    /// kept too.
    pub async fn resources(&self) -> Result<Arc<Served>, Error> {
        Ok(self.current().await?.served)
    }

    /// The client for the OpenAPI v3 documents, which keeps them until their hashes change.
    pub fn openapi_v3(&self) -> &OpenApiV3 {
        &self.0.openapi
    }

    /// The discovery that asks the server each time, with the cached responses of a cache on disk.
    pub fn uncached(&self) -> &Discovery {
        &self.0.discovery
    }

    /// Returns true if nothing newer is to be had for a name that was not found: the documents are those that this
    /// program asked for, with a cache on disk, and no group-version failed. A cache in memory is never fresh, since its program may run long: each
    /// name that is not found is worth a question.
    pub async fn is_fresh(&self) -> bool {
        self.0.state.lock().await.is_fresh(&self.0)
    }

    /// Drops the documents: the next call asks the server. Those on disk are for other programs.
    pub async fn invalidate(&self) {
        self.0.state.lock().await.invalidate();
    }

    pub(super) async fn current(&self) -> Result<Current, Error> {
        let mut state = self.0.state.lock().await;
        if let Some(served) = &state.served {
            return Ok(Current { served: served.clone(), is_new: false });
        }
        if let Some(documents) = self.load(&state).await {
            let served = Arc::new(documents.served());
            state.served = Some(served.clone());
            return Ok(Current { served, is_new: false });
        }
        Ok(Current { served: self.ask(&mut state).await?, is_new: true })
    }

    /// Everything that is served now, for a caller who did not find a name in the documents it has seen; `None` if those
    /// are fresh.
    pub(super) async fn newer_than(&self, seen: &Arc<Served>) -> Result<Option<Arc<Served>>, Error> {
        let mut state = self.0.state.lock().await;
        match &state.served {
            // Another caller was first.
            Some(served) if !Arc::ptr_eq(served, seen) => return Ok(Some(served.clone())),
            Some(_) if state.is_fresh(&self.0) => return Ok(None),
            _ => {}
        }
        state.invalidate();
        self.ask(&mut state).await.map(Some)
    }

    async fn load(&self, state: &State) -> Option<Documents> {
        let disk = self.0.disk.clone().filter(|_| !state.disk_is_stale)?;
        match tokio::task::spawn_blocking(move || disk.load()).await {
            Ok(Ok(documents)) => documents,
            Ok(Err(broken)) => {
                broken.warn();
                None
            }
            Err(_) => None,
        }
    }

    async fn ask(&self, state: &mut State) -> Result<Arc<Served>, Error> {
        let documents = self.0.discovery.documents().await?;
        if let Some(disk) = self.0.disk.clone() {
            let folder = disk.discovery.clone();
            let documents = documents.clone();
            let stored = tokio::task::spawn_blocking(move || disk.store(&documents));
            if let Ok(Err(error)) = stored.await {
                self.0.warning.once(&folder, &error);
            }
        }
        let served = Arc::new(documents.served());
        (state.served, state.is_own) = (Some(served.clone()), true);
        Ok(served)
    }
}

impl State {
    fn is_fresh(&self, inner: &Inner) -> bool {
        let is_whole = self.served.as_ref().is_none_or(|served| served.failed.is_empty());
        self.is_own && inner.disk.is_some() && is_whole
    }

    fn invalidate(&mut self) {
        *self = State { served: None, disk_is_stale: true, is_own: false };
    }
}

impl fmt::Debug for CachedDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedDiscovery")
            .field("discovery", &self.0.discovery)
            .field("disk", &self.0.disk)
            .finish_non_exhaustive()
    }
}
