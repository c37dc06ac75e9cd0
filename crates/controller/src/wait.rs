//! Waiting for a condition on one object: [`wait_for`] and [`conditions`] (kube-rs' `await_condition`, `kubectl wait`).
//!
//! - *Watched*: the object is listed once and then watched, so that no state is asked for again and again. Broken
//!   connections are resumed.
//! - *Bounded*: there is a deadline, and the error says what was seen last.
//! - *One object*: with a uid, an object that was deleted and created again is not taken for the one that is meant.

mod combinators;
pub mod conditions;

use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::fields::Selector;
use klient_apimachinery::{Addressable, ListOptions, Object, Str, WatchEvent, verbs};
use klient_cache::{RetryWatch, RetryWatchOptions};
use klient_client::{Api, ErrorKind as RequestErrorKind};
use klient_workqueue::Backoff;

pub use combinators::{And, Not, Or};

use crate::error::{Error, ErrorKind};
use crate::identity::describe;

/// Delays between tries of the list while the server cannot be reached.
const BACKOFF: Backoff = Backoff {
    duration: Duration::from_millis(100),
    factor: 2.0,
    jitter: 0.5,
    steps: u32::MAX,
    cap: Some(Duration::from_secs(5)),
};

/// A condition on an object: one of [`conditions`], or a function that gets the object, or `None` if it does not exist.
pub trait Condition<K>: Send {
    /// Returns true if the condition is met by an object, or by its absence.
    ///
    /// # Errors
    ///
    /// If it cannot be met any more, with the reason.
    fn is_met(&mut self, object: Option<&K>) -> Result<bool, String>;

    /// The state of an object that does not meet the condition, such as `Ready is False (PagesMissing: 2 of 3)`.
    fn seen(&self, object: &K) -> String;

    /// The condition, such as `the condition Ready`.
    fn describe(&self) -> String;

    /// The condition that both are met (kube-rs' `Condition::and`). It cannot be met any more if one cannot.
    ///
    /// ```
    /// use klient_api::core::v1::Pod;
    /// use klient_controller::wait::{Condition, conditions};
    ///
    /// let is_scheduled = |pod: Option<&Pod>| pod.is_some_and(|pod| pod.spec.node_name.is_some());
    /// let mut ready = is_scheduled.and(conditions::condition("Ready").or(conditions::condition("Complete")));
    /// assert_eq!(ready.is_met(Some(&Pod::default())), Ok(false));
    /// ```
    fn and<C: Condition<K>>(self, other: C) -> And<K, Self, C>
    where
        Self: Sized,
    {
        And::new(self, other)
    }

    /// The condition that one of them is met (kube-rs' `Condition::or`). It cannot be met any more if both cannot.
    fn or<C: Condition<K>>(self, other: C) -> Or<K, Self, C>
    where
        Self: Sized,
    {
        Or::new(self, other)
    }

    /// The condition that this one is not met (kube-rs' `Condition::not`), also by an object that does not exist, or since
    /// it cannot be met any more.
    fn not(self) -> Not<K, Self>
    where
        Self: Sized,
    {
        Not::new(self)
    }
}

impl<K: Object, F: FnMut(Option<&K>) -> bool + Send> Condition<K> for F {
    fn is_met(&mut self, object: Option<&K>) -> Result<bool, String> {
        Ok(self(object))
    }

    fn seen(&self, object: &K) -> String {
        format!("it was at resourceVersion {}", object.resource_version())
    }

    fn describe(&self) -> String {
        "the condition".to_owned()
    }
}

/// Options of [`wait_for`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    /// The time until the wait fails; 30 s by default. With zero, the object is read once, as by `kubectl wait`.
    pub timeout: Duration,
    /// The uid of the object. Another object of its name, which was created after the one that is meant was deleted, is
    /// taken as no object. By default any object of the name counts.
    pub uid: Option<Str>,
}

impl Default for WaitOptions {
    fn default() -> Self {
        WaitOptions { timeout: Duration::from_secs(30), uid: None }
    }
}

/// Waits until an object meets a condition, and returns it; `None` if its absence meets it.
///
/// # Errors
///
/// [`ErrorKind::NoName`] if `name` is empty. [`ErrorKind::Timeout`] after [`WaitOptions::timeout`], with what was seen last. [`ErrorKind::Condition`] if the
/// condition cannot be met any more. [`ErrorKind::Replaced`] if the object with the uid of the options is gone and its
/// absence does not meet the condition. [`ErrorKind::Request`] if the server refuses the list or the watch; while it cannot
/// be reached or fails itself, the wait goes on.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta};
/// use klient_client::{Client, Config};
/// use klient_controller::wait::{WaitOptions, conditions, wait_for};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
///
/// let is_painted = |colors: Option<&ConfigMap>| colors.is_some_and(|colors| !colors.data.is_empty());
/// let painter = async {
///     let data = [("sky", "blue")].into();
///     config_maps.create(&ConfigMap { metadata: ObjectMeta::named("colors"), data, ..Default::default() }).await
/// };
/// let (colors, _) = tokio::join!(wait_for(&config_maps, "colors", is_painted, Default::default()), painter);
/// assert_eq!(colors?.unwrap().data["sky"], "blue");
///
/// let soon = WaitOptions { timeout: Duration::from_millis(1), ..Default::default() };
/// let error = wait_for(&config_maps, "colors", conditions::deleted(), soon).await.unwrap_err();
/// assert!(error.to_string().starts_with("configmaps default/colors: its deletion did not come within 0.001 s"), "{error}");
/// # Ok(()) }
/// ```
#[doc(alias = "await_condition")]
pub async fn wait_for<K, P>(
    api: &Api<K, P>,
    name: &str,
    condition: impl Condition<K>,
    options: WaitOptions,
) -> Result<Option<K>, Error>
where
    K: Wire + Object + Clone + verbs::List + verbs::Watch,
    P: Addressable,
{
    if name.is_empty() {
        let what =
            format!("{}: the object that is to be waited for has no name", api.resource().group_resource());
        return Err(Error::new(ErrorKind::NoName, what));
    }
    let wanted = condition.describe();
    let seen = "nothing was read yet".to_owned();
    let mut wait = Wait { condition, uid: options.uid, seen, watch: None };
    let ended = if options.timeout.is_zero() {
        wait.check(api, name).await.map(|checked| match checked {
            Checked::Met(object) => Some(object),
            Checked::NotMet(_) | Checked::Failed => None,
        })
    } else {
        tokio::time::timeout(options.timeout, wait.run(api, name))
            .await
            .map_or(Ok(None), |ended| ended.map(Some))
    };
    match ended {
        Ok(Some(object)) => Ok(object),
        Err(Failure::Request(error)) => Err(error),
        Err(Failure::Condition(kind, problem)) => {
            Err(Error::new(kind, format!("{}: {problem}", describe(api, api.within(), name))))
        }
        Ok(None) => {
            let subject = describe(api, api.within(), name);
            let mut what = format!(
                "{subject}: {wanted} did not come within {} s; {}",
                options.timeout.as_secs_f64(),
                wait.seen
            );
            if let Some(error) = wait.watch.as_ref().and_then(RetryWatch::last_error) {
                what += &format!("; the last error was: {error}");
            }
            Err(Error::new(ErrorKind::Timeout, what))
        }
    }
}

/// A wait in progress.
struct Wait<C, K> {
    condition: C,
    uid: Option<Str>,
    /// The state that was seen last.
    seen: String,
    /// The watch, after the list.
    watch: Option<RetryWatch<K>>,
}

/// The end of a wait without success.
enum Failure {
    Request(Error),
    Condition(ErrorKind, String),
}

/// The result of reading the object.
enum Checked<K> {
    /// The condition is met by the object, or by its absence.
    Met(Option<K>),
    /// It is not met at a resourceVersion.
    NotMet(String),
    /// The object was not read, which another try may mend.
    Failed,
}

impl<C: Condition<K>, K: Wire + Object> Wait<C, K> {
    /// Reads the object once.
    async fn check<P>(&mut self, api: &Api<K, P>, name: &str) -> Result<Checked<K>, Failure>
    where
        K: verbs::List,
        P: Addressable,
    {
        let listed = match api.list(&ListOptions::fields(selector(name))).await {
            Ok(listed) => listed,
            Err(error) if is_transient(&error) => {
                self.seen = format!("the last error was: {error}");
                return Ok(Checked::Failed);
            }
            Err(error) => return Err(Failure::Request(error.into())),
        };
        let version = listed.resource_version().to_owned();
        let object = listed.items.into_iter().find(|object| object.name() == name);
        if self.is_met(object.as_ref())? {
            return Ok(Checked::Met(object.filter(|object| self.is_same(object))));
        }
        Ok(Checked::NotMet(version))
    }

    async fn run<P>(&mut self, api: &Api<K, P>, name: &str) -> Result<Option<K>, Failure>
    where
        K: Clone + verbs::List + verbs::Watch,
        P: Addressable,
    {
        let mut backoff = BACKOFF;
        loop {
            let version = match self.check(api, name).await? {
                Checked::Met(object) => return Ok(object),
                Checked::NotMet(version) => version,
                Checked::Failed => {
                    tokio::time::sleep(backoff.step()).await;
                    continue;
                }
            };
            let options =
                RetryWatchOptions { field_selector: Some(selector(name).into()), ..Default::default() };
            let watch = RetryWatch::new(api.clone(), &version, options);
            self.watch = Some(watch.map_err(|error| Failure::Request(error.into()))?);
            while let Some(event) = self.next().await {
                match event.map_err(|error| Failure::Request(error.into()))? {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                        backoff = BACKOFF;
                        if self.is_met(Some(&object))? {
                            return Ok(Some(object).filter(|object| self.is_same(object)));
                        }
                    }
                    WatchEvent::Deleted(_) => {
                        if self.is_met(None)? {
                            return Ok(None);
                        }
                    }
                    // The server no longer has the version: list again.
                    _ => break,
                }
            }
            self.watch = None;
            tokio::time::sleep(backoff.step()).await;
        }
    }

    /// The next event of the watch.
    async fn next(&mut self) -> Option<Result<WatchEvent<K>, klient_cache::Error>> {
        self.watch.as_mut()?.next().await
    }

    /// Returns true for the object that is meant.
    fn is_same(&self, object: &impl Object) -> bool {
        self.uid.as_deref().is_none_or(|uid| uid == object.uid())
    }

    fn is_met(&mut self, object: Option<&K>) -> Result<bool, Failure> {
        let same = object.filter(|object| self.is_same(*object));
        let is_met = self.condition.is_met(same);
        if is_met.map_err(|problem| Failure::Condition(ErrorKind::Condition, problem))? {
            return Ok(true);
        }
        self.seen = match (same, object) {
            (Some(object), _) => self.condition.seen(object),
            (None, _) if self.uid.is_none() => "it does not exist".to_owned(),
            (None, Some(_)) => {
                let problem = "the object was deleted, and another of its name created";
                return Err(Failure::Condition(ErrorKind::Replaced, problem.to_owned()));
            }
            (None, None) => {
                return Err(Failure::Condition(ErrorKind::Replaced, "the object was deleted".to_owned()));
            }
        };
        Ok(false)
    }
}

/// The field selector of an object.
fn selector(name: &str) -> String {
    Selector::one("metadata.name", name).to_string()
}

/// Returns true if another try of a list may help.
fn is_transient(error: &klient_client::Error) -> bool {
    use RequestErrorKind::{Auth, Connect, Connection, Timeout};
    matches!(error.kind(), Auth | Connect | Connection | Timeout)
        || error.retry_after().is_some()
        || error.code().is_some_and(|code| code >= 500)
}
