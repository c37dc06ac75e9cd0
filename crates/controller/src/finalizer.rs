//! [`Finalizer`], which keeps an object until its controller has cleaned up after it.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::qualified_name;
use klient_apimachinery::{Addressable, Object, Place, Str, verbs};
use klient_client::{Api, Patch};
use klient_workqueue::Backoff;
use serde_json::json;

use crate::attempt::next_attempt;
use crate::error::{Error, ErrorKind};
use crate::identity::{is_stale, read_again, uid_of};

/// The name of a finalizer: the object that has it stays until it is removed, so that its controller can delete what the
/// garbage collector does not.
///
/// [`begin`](Self::begin) adds it before the first act and tells when to clean up. All writes test the uid and the
/// resourceVersion of the object; on a conflict the object is read again, and changed only if it is still the same.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::{InNamespace, meta::v1::{DeleteOptions, ObjectMeta}};
/// use klient_client::{Api, Client, Config};
/// use klient_controller::{Error, Finalizer, FinalizerStep};
///
/// async fn reconcile(config_maps: &Api<ConfigMap, InNamespace>) -> Result<&'static str, Error> {
///     let finalizer = Finalizer::new("shop.example/paint")?;
///     let Some(colors) = config_maps.get_opt("colors").await? else { return Ok("gone") };
///     match finalizer.begin(config_maps, &colors).await? {
///         FinalizerStep::Apply(_colors) => Ok("paint"),
///         FinalizerStep::CleanUp(cleanup) => {
///             // Remove the paint of `cleanup.object`, and then:
///             cleanup.done().await?;
///             Ok("cleaned up")
///         }
///         FinalizerStep::Done => Ok("others clean up"),
///     }
/// }
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
/// config_maps.create(&colors).await?;
/// assert_eq!(reconcile(&config_maps).await?, "paint");
/// config_maps.delete("colors", &DeleteOptions::default()).await?;
/// assert_eq!(reconcile(&config_maps).await?, "cleaned up");
/// assert_eq!(reconcile(&config_maps).await?, "gone");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finalizer(Str);

/// The next act on an object with a finalizer: see [`Finalizer::begin`].
#[must_use]
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "objects are as large as handles")]
pub enum FinalizerStep<K, P: Place> {
    /// The object has the finalizer, and is not being deleted: bring about its desired state. It is as the server returned
    /// it if the finalizer was added just now.
    Apply(K),
    /// The object is being deleted: clean up, and then call [`Cleanup::done`].
    CleanUp(Cleanup<K, P>),
    /// The object is being deleted, and does not have the finalizer: there is nothing to do.
    Done,
}

/// An object that is being deleted and waits for its finalizer.
#[must_use = "the object stays until `done` is called"]
#[derive(Debug)]
pub struct Cleanup<K, P: Place> {
    /// The object.
    pub object: K,
    finalizer: Finalizer,
    api: Api<K, P>,
}

impl Finalizer {
    /// A finalizer with a qualified name: a domain, a slash and a word, such as `shop.example/cleanup`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FinalizerName`] if it is not such a name. API servers accept others for custom resources only.
    ///
    /// ```
    /// use klient_controller::Finalizer;
    /// let error = Finalizer::new("cleanup").unwrap_err();
    /// assert!(error.to_string().starts_with(r#"the finalizer "cleanup" has no domain"#), "{error}");
    /// ```
    pub fn new(name: &str) -> Result<Self, Error> {
        let problem = match qualified_name(name).into_iter().next() {
            Some(problem) => format!("is not a qualified name: {problem}"),
            None if name.contains('/') => return Ok(Finalizer(name.into())),
            None => format!("has no domain: name it as example.com/{name}"),
        };
        Err(Error::new(ErrorKind::FinalizerName, format!("the finalizer {} {problem}", quoted(name))))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Returns true if an object has the finalizer.
    #[doc(alias = "ContainsFinalizer")]
    pub fn is_on(&self, object: &impl Object) -> bool {
        object.finalizers().any(|other| other == self.name())
    }

    /// The next act on an object, as it is in a cache or was read. Adds the finalizer if it is missing and the object is
    /// not being deleted. A finalizer that a cached object has is trusted, as by controller-runtime: the server is not asked
    /// whether the object still has it.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub async fn begin<K, P>(&self, api: &Api<K, P>, object: &K) -> Result<FinalizerStep<K, P>, Error>
    where
        K: Wire + Object + Clone + verbs::Get + verbs::Patch,
        P: Addressable,
    {
        if object.deletion_timestamp().is_none() {
            let current = self.add(api, object).await?.unwrap_or_else(|| object.clone());
            // It may be deleted since the object was read.
            return Ok(match current.deletion_timestamp() {
                None => FinalizerStep::Apply(current),
                Some(_) => self.end(api, current),
            });
        }
        Ok(self.end(api, object.clone()))
    }

    /// The next act on an object as it is on the server, which is read first: [`FinalizerStep::Done`] if it is gone, or
    /// another of its name was created.
    ///
    /// It is for acts outside of the cluster. A cache may still have an object that is gone and cleaned up after, as after a
    /// restart, and [`begin`](Self::begin), which writes nothing for it, would let its controller bring it back for ever. In
    /// the cluster the uid of the owner prevents that. It costs a request per reconcile.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub async fn begin_latest<K, P>(&self, api: &Api<K, P>, object: &K) -> Result<FinalizerStep<K, P>, Error>
    where
        K: Wire + Object + Clone + verbs::Get + verbs::Patch,
        P: Addressable,
    {
        match api.get_opt(object.name()).await? {
            Some(latest) if latest.uid() == object.uid() => self.begin(api, &latest).await,
            _ => Ok(FinalizerStep::Done),
        }
    }

    /// The act on an object that is being deleted.
    fn end<K: Object, P: Addressable>(&self, api: &Api<K, P>, object: K) -> FinalizerStep<K, P> {
        if self.is_on(&object) {
            FinalizerStep::CleanUp(Cleanup { object, finalizer: self.clone(), api: api.clone() })
        } else {
            FinalizerStep::Done
        }
    }

    /// Adds the finalizer, and returns the object as the server made it; `None` if nothing was to be written, because the
    /// object has it or is being deleted. If that shows only when the object is read again, after a conflict, that object
    /// is returned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Replaced`] if the object was deleted and another of its name exists. [`ErrorKind::NoUid`] if the
    /// object has no uid. [`ErrorKind::Request`] if the object does not exist or cannot be written.
    #[doc(alias = "AddFinalizer")]
    pub async fn add<K, P>(&self, api: &Api<K, P>, object: &impl Object) -> Result<Option<K>, Error>
    where
        K: Wire + Object + verbs::Get + verbs::Patch,
        P: Addressable,
    {
        let add = |finalizers: &mut Vec<Str>, is_deleted: bool| {
            let is_missing = !finalizers.contains(&self.0) && !is_deleted;
            if is_missing {
                finalizers.push(self.0.clone());
            }
            is_missing
        };
        change(api, object, add).await
    }

    /// Removes the finalizer, and returns the object as the server made it; `None` if nothing was to be written, because
    /// the object does not have it, or is gone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUid`] if the object has no uid. [`ErrorKind::Request`] if the object cannot be written.
    #[doc(alias = "RemoveFinalizer")]
    pub async fn remove<K, P>(&self, api: &Api<K, P>, object: &impl Object) -> Result<Option<K>, Error>
    where
        K: Wire + Object + verbs::Get + verbs::Patch,
        P: Addressable,
    {
        let remove = |finalizers: &mut Vec<Str>, _| {
            let before = finalizers.len();
            finalizers.retain(|other| *other != self.0);
            finalizers.len() != before
        };
        match change(api, object, remove).await {
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::Replaced => Ok(None),
            changed => changed,
        }
    }
}

impl<K, P> Cleanup<K, P>
where
    K: Wire + Object + verbs::Get + verbs::Patch,
    P: Addressable,
{
    /// Removes the finalizer. The object is gone once it has no other.
    ///
    /// # Errors
    ///
    /// As [`Finalizer::remove`].
    pub async fn done(self) -> Result<(), Error> {
        self.finalizer.remove(&self.api, &self.object).await.map(drop)
    }
}

/// Changes the finalizers of an object until there is no conflict.
async fn change<K, P>(
    api: &Api<K, P>,
    object: &impl Object,
    mut change: impl FnMut(&mut Vec<Str>, bool) -> bool,
) -> Result<Option<K>, Error>
where
    K: Wire + Object + verbs::Get + verbs::Patch,
    P: Addressable,
{
    let (name, uid) = (object.name(), uid_of(object)?);
    let mut backoff = Backoff::DEFAULT_BACKOFF;
    let mut version = Str::from(object.resource_version());
    let mut finalizers: Vec<Str> = object.finalizers().map(Str::from).collect();
    let mut is_deleted = object.deletion_timestamp().is_some();
    let mut fresh = None;
    loop {
        if !change(&mut finalizers, is_deleted) {
            return Ok(fresh);
        }
        let metadata = json!({"uid": uid, "resourceVersion": version, "finalizers": finalizers});
        let error = match api.patch(name, &Patch::Merge(json!({ "metadata": metadata }))).await {
            Err(error) if is_stale(&error) => error,
            patched => return Ok(patched.map(Some)?),
        };
        next_attempt(&mut backoff, error).await?;
        let current: K = read_again(api, object).await?;
        version = current.resource_version().into();
        finalizers = current.finalizers().map(Str::from).collect();
        is_deleted = current.deletion_timestamp().is_some();
        fresh = Some(current);
    }
}
