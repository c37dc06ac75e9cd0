//! [`WriteLog`], the writes of one future, as the server answered them.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use klient_apimachinery::codec::protobuf::Envelope;
use klient_apimachinery::codec::{Format, Identity, ManagedFields, Wire as _};
use klient_apimachinery::meta::v1::{PartialObjectMetadata, Status};
use klient_apimachinery::{Map, ObjectKey, Str, compare_resource_versions};
use serde::Deserialize;
use serde::de::IgnoredAny;

tokio::task_local! {
    static CURRENT: WriteLog;
}

/// The writes that a future makes, through whichever [`Client`](crate::Client), with the versions that the server
/// answered: the last of each object. A controller waits for a cache to reach them, so that it reads its own writes.
/// Clones are the same log.
///
/// Creates, updates, patches, applies and deletes of one object are logged when the server has answered them with
/// success, whether they are sent by an [`Api`](crate::Api) or as a [`Request`](crate::Request) of a resource. Not
/// logged are dry runs, requests of an absolute path, deletes of a subresource, requests through a `proxy`, and
/// subresources whose answer has no version, such as evictions. A write whose answer is lost is not logged, either: its
/// version is not known. Clients of several clusters write into one log; their URLs tell their objects apart.
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
pub struct WriteLog {
    writes: Arc<Mutex<Writes>>,
    /// Those of the logs around this one, within whose futures it records.
    outer: Vec<Arc<Mutex<Writes>>>,
}

/// One write of each object.
#[derive(Debug, Default)]
struct Writes {
    list: Vec<LoggedWrite>,
    /// The places in the list by server, group, resource and key.
    places: HashMap<(Str, Str, Str, ObjectKey), usize>,
}

/// A write that the server has answered with success.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedWrite {
    /// The URL of the server, without user and password: that of [`Config::url`](crate::Config::url).
    pub server: Str,
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
    /// The labels of the object as the answer has them; `None` if the answer is not the object, as that of most deletes
    /// and of the subresource `scale`.
    pub labels: Option<Map<Str>>,
    /// True for a delete. The object is gone, or waits for its finalizers or its grace period.
    pub is_delete: bool,
    /// True for an update or patch that removed the last finalizer of an object which waited for that, so that it is
    /// gone. The answer has the version of the state before.
    pub is_gone: bool,
}

impl WriteLog {
    /// Runs a future and logs its writes, but not those of tasks that it spawns: run them with the
    /// [current](Self::current) log. Within the future of another log, both log them.
    pub async fn record<F: Future>(&self, future: F) -> F::Output {
        let mut log = self.clone();
        if let Some(around) = Self::current() {
            for writes in std::iter::once(around.writes).chain(around.outer) {
                if !log.all().any(|known| Arc::ptr_eq(known, &writes)) {
                    log.outer.push(writes);
                }
            }
        }
        CURRENT.scope(log, future).await
    }

    /// The log of the running future, to be taken into a task that it spawns.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Removes and returns the last write of each object, in the order of the first answers.
    pub fn take(&self) -> Vec<LoggedWrite> {
        std::mem::take(&mut *self.writes.lock().unwrap_or_else(PoisonError::into_inner)).list
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Mutex<Writes>>> {
        std::iter::once(&self.writes).chain(&self.outer)
    }

    fn push(&self, write: &LoggedWrite) {
        for writes in self.all() {
            writes.lock().unwrap_or_else(PoisonError::into_inner).push(write.clone());
        }
    }
}

impl Writes {
    /// Adds a write, in place of that of the object before.
    fn push(&mut self, write: LoggedWrite) {
        let object = (write.server.clone(), write.group.clone(), write.resource.clone(), write.key.clone());
        let place = *self.places.entry(object).or_insert(self.list.len());
        let Some(before) = self.list.get_mut(place) else {
            self.list.push(write);
            return;
        };
        // Answers may come in another order than the writes were made in.
        let order = compare_resource_versions(&before.resource_version, &write.resource_version);
        if before.uid != write.uid || !order.is_some_and(Ordering::is_gt) {
            *before = write;
        }
    }
}

/// The resource and the object of a request.
pub(crate) struct Target<'a> {
    pub(crate) server: &'a Str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: Option<&'a str>,
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
    let metadata = if is_object { metadata(format, answer) } else { None };
    let is_gone = !is_delete && metadata.as_ref().is_some_and(|metadata| is_gone(method, &target, metadata));
    // Other subresources may have the object's name and version, and no labels, as scale has.
    let labels = metadata.filter(|_| matches!(target.subresource, None | Some("status")));
    log.push(&LoggedWrite {
        server: target.server.clone(),
        group: target.group.into(),
        resource: target.resource.into(),
        key,
        uid,
        resource_version,
        labels: labels.map(|metadata| metadata.labels),
        is_delete,
        is_gone,
    });
}

/// Returns true if the server has deleted the object with this change, since nothing kept it any more.
fn is_gone(method: &Method, target: &Target<'_>, metadata: &Metadata) -> bool {
    // Namespaces have finalizers in their spec, too.
    if method == Method::POST || (target.group.is_empty() && target.resource == "namespaces") {
        return false;
    }
    metadata.deletion_timestamp.is_some()
        && metadata.finalizers.is_empty()
        && metadata.deletion_grace_period_seconds.unwrap_or(0) == 0
}

/// The metadata that the log needs of an answer. Others, such as managedFields, are not built.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    labels: Map<Str>,
    deletion_timestamp: Option<IgnoredAny>,
    finalizers: Vec<IgnoredAny>,
    deletion_grace_period_seconds: Option<i64>,
}

/// The metadata of an object of any kind.
fn metadata(format: Format, answer: &[u8]) -> Option<Metadata> {
    #[derive(Deserialize)]
    struct AnyObject {
        metadata: Metadata,
    }
    match format {
        Format::Json => Some(serde_json::from_slice::<AnyObject>(answer).ok()?.metadata),
        Format::Protobuf => {
            let object = Envelope::parse(answer).ok()?.raw;
            let object = PartialObjectMetadata::item_from_protobuf(object, ManagedFields::Skip).ok()?;
            let metadata = object.metadata;
            Some(Metadata {
                labels: metadata.labels,
                deletion_timestamp: metadata.deletion_timestamp.map(|_| IgnoredAny),
                finalizers: metadata.finalizers.iter().map(|_| IgnoredAny).collect(),
                deletion_grace_period_seconds: metadata.deletion_grace_period_seconds,
            })
        }
    }
}
