//! [`WriteLog`], the writes of one future, as the server answered them.

use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use klient_apimachinery::codec::{Format, Identity, Wire as _};
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::{ObjectKey, Str};

tokio::task_local! {
    static CURRENT: WriteLog;
}

/// The writes that a future makes, through whichever [`Client`](crate::Client), with the versions that the server
/// answered. A controller waits for a cache to reach them, so that it reads its own writes. Clones are the same log.
///
/// Creates, updates, patches, applies and deletes of one object are logged when the server has answered them with
/// success, whether they are sent by an [`Api`](crate::Api) or as a [`Request`](crate::Request) of a resource. Not
/// logged are dry runs, requests of an absolute path, and subresources whose answer has no version, such as evictions.
/// A write whose answer is lost is not logged, either: its version is not known.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config, WriteLog};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
///
/// let log = WriteLog::default();
/// let created = log.record(config_maps.create(&colors)).await?;
/// assert_eq!(log.take()[0].resource_version, created.metadata.resource_version.unwrap_or_default());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteLog(Arc<Mutex<Vec<LoggedWrite>>>);

/// A write that the server has answered with success.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedWrite {
    /// The API group of the resource; empty for the core group.
    pub group: Str,
    /// The plural of the resource.
    pub resource: Str,
    /// The key of the object.
    pub key: ObjectKey,
    /// The uid of the object; empty if the answer did not have it.
    pub uid: Str,
    /// The `metadata.resourceVersion` of the answer; empty for a delete that was answered by a `Status`.
    pub resource_version: Str,
    /// True for a delete. The object is gone, or waits for its finalizers or its grace period.
    pub is_delete: bool,
}

impl WriteLog {
    /// Runs a future and logs its writes, but not those of tasks that it spawns: run them with the
    /// [current](Self::current) log.
    pub async fn record<F: Future>(&self, future: F) -> F::Output {
        CURRENT.scope(self.clone(), future).await
    }

    /// The log of the running future, to be taken into a task that it spawns.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Removes and returns the writes, in the order of their answers.
    pub fn take(&self) -> Vec<LoggedWrite> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, write: LoggedWrite) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(write);
    }
}

/// The resource and the object of a request.
pub(crate) struct Target<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) namespace: Option<&'a str>,
    /// `None` for a create.
    pub(crate) name: Option<&'a str>,
}

/// Logs a write that was answered with success, if a log is there.
pub(crate) fn log(method: &Method, target: Target<'_>, format: Format, answer: &[u8]) {
    let Some(log) = WriteLog::current() else { return };
    let is_delete = method == Method::DELETE;
    let identity = Identity::of_document(format, answer);
    let name = target.name.unwrap_or(&identity.name);
    if name.is_empty() || (identity.resource_version.is_empty() && !is_delete) {
        return;
    }
    let key = ObjectKey::new(target.namespace, name);
    // A Status has a version of its own, or none, and the object's uid in its details.
    let is_object = !identity.uid.is_empty();
    let (uid, resource_version) = if is_object || !is_delete {
        (identity.uid, identity.resource_version)
    } else {
        let details = Status::decode(format, answer).ok().and_then(|status| status.details);
        (details.and_then(|details| details.uid).unwrap_or_default(), Str::default())
    };
    let (group, resource) = (target.group.into(), target.resource.into());
    log.push(LoggedWrite { group, resource, key, uid, resource_version, is_delete });
}
