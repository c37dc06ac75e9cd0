//! [`Script`], a source with scripted watches, for tests of time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::Encoded;
use klient_apimachinery::{
    BoxFuture, ListOptions, ListWatch, Listing, Resource as _, ResourceInfo, SourceError, WatchEvent,
    WatchOptions, Watching,
};
use tokio::time::{Duration, Instant};

/// The outcome of starting a watch: an error, or a scene.
pub(crate) type Act = Result<Scene, SourceError>;

/// The events of a watch.
#[derive(Default)]
pub(crate) struct Scene {
    /// The silence before the events.
    pub(crate) silence: Duration,
    pub(crate) events: Vec<WatchEvent<Encoded<ConfigMap>>>,
    /// The failure that follows the events; without one the watch ends.
    pub(crate) failure: Option<SourceError>,
}

/// A source of config maps whose watches are played one after another; the last does not end.
#[derive(Clone)]
pub(crate) struct Script(Arc<Played>);

struct Played {
    info: ResourceInfo,
    began: Instant,
    acts: Mutex<VecDeque<Act>>,
    starts: Mutex<Vec<(Duration, String)>>,
}

impl Script {
    pub(crate) fn new(acts: Vec<Act>) -> Self {
        Script(Arc::new(Played {
            info: ConfigMap::INFO,
            began: Instant::now(),
            acts: Mutex::new(acts.into()),
            starts: Mutex::default(),
        }))
    }

    /// The start and the version of each watch.
    pub(crate) fn starts(&self) -> Vec<(Duration, String)> {
        self.0.starts.lock().unwrap().clone()
    }
}

impl ListWatch<ConfigMap> for Script {
    fn resource(&self) -> &ResourceInfo {
        &self.0.info
    }

    fn within(&self) -> Option<&str> {
        None
    }

    fn list<'a>(
        &'a self,
        _: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<ConfigMap>>, SourceError>> {
        Box::pin(async { Err(SourceError::transient("there is no list in the script")) })
    }

    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<ConfigMap>>, SourceError>> {
        let version = options.resource_version.as_deref().unwrap_or_default().to_owned();
        self.0.starts.lock().unwrap().push((self.0.began.elapsed(), version));
        let act = self.0.acts.lock().unwrap().pop_front();
        Box::pin(async move {
            let act = act.transpose()?;
            Ok(Box::new(Stage { is_last: act.is_none(), scene: act }) as Box<dyn Watching<ConfigMap>>)
        })
    }
}

struct Stage {
    scene: Option<Scene>,
    is_last: bool,
}

impl Watching<ConfigMap> for Stage {
    fn next<'a>(
        &'a mut self,
        out: &'a mut Vec<WatchEvent<Encoded<ConfigMap>>>,
    ) -> BoxFuture<'a, Result<bool, SourceError>> {
        Box::pin(async move {
            if self.is_last {
                std::future::pending::<()>().await;
            }
            let Some(scene) = self.scene.take() else { return Ok(false) };
            tokio::time::sleep(scene.silence).await;
            out.extend(scene.events);
            scene.failure.map_or(Ok(true), Err)
        })
    }
}
