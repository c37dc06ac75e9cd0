//! [`Reflector`], which keeps a store equal to the server's list.

mod decode_batches;
mod list;
mod options;
mod progress;
mod reflector_loop;
mod watch;
mod watch_list;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{ListWatch, Object};

pub use options::{ReflectorOptions, WatchErrorHandler};
pub(crate) use progress::Progress;
pub(crate) use reflector_loop::{ReflectorLoop, report_undecodable, undecodable_versions};

use crate::store::{Partition, Store, StoreWriter};

/// Keeps a store equal to the server's list: lists, watches, and lists again if the watch cannot continue
/// (client-go's `Reflector`).
///
/// It runs until dropped. Errors go to [`ReflectorOptions::on_error`], and are retried with backoff.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_apimachinery::Resource as _;
/// use klient_cache::{Keep, Reflector, StoreWriter};
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let writer = StoreWriter::new(Namespace::INFO, Keep::Packed);
/// let store = writer.store();
/// let reflector = Reflector::new(client.api::<Namespace>(), writer, Default::default());
/// tokio::spawn(reflector.run());
/// store.wait_for_resource_version("1").await?;
/// assert!(store.contains("kube-system"));
/// # Ok(()) }
/// ```
pub struct Reflector<K> {
    core: ReflectorLoop<K>,
}

impl<K: Wire + Object> Reflector<K> {
    /// A reflector that fills a store from a source.
    pub fn new(source: impl ListWatch<K>, writer: StoreWriter<K>, options: ReflectorOptions) -> Self {
        let (progress, partition) = (Progress::new(1), Partition::default());
        Reflector { core: ReflectorLoop::new(Arc::new(source), writer.store(), partition, progress, options) }
    }

    /// Lists and watches until the future is dropped.
    pub async fn run(self) -> Infallible {
        let mut core = self.core;
        let (queue, store) = (core.queue.clone(), core.store.clone());
        let on_error = core.options.on_error.clone();
        let _guard = FillGuard::start(store.clone());
        let taking = async {
            loop {
                let changes = store.apply(queue.pop_batch().await, &Partition::default());
                undecodable_versions(&changes)
                    .for_each(|version| report_undecodable(on_error.as_ref(), &version.error));
                queue.done();
            }
        };
        tokio::select! {
            never = core.run() => never,
            never = taking => never,
        }
    }
}

impl<K: Wire + Object> fmt::Debug for Reflector<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reflector").field(&self.core.store).finish()
    }
}

/// Marks a store as being filled, until dropped.
struct FillGuard<K: Wire + Object>(Store<K>);

impl<K: Wire + Object> FillGuard<K> {
    fn start(store: Store<K>) -> Self {
        store.set_stopped(false);
        FillGuard(store)
    }
}

impl<K: Wire + Object> Drop for FillGuard<K> {
    fn drop(&mut self) {
        self.0.set_stopped(true);
    }
}
