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
use klient_apimachinery::{Addressable, List, ListOptions, Object, Str, verbs};
use klient_client::{Api, Change, Changes};

pub use combinators::{And, Not, Or};

use crate::error::{Error, ErrorKind};
use crate::identity::describe;

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
    let mut wait = Wait { condition, uid: options.uid, seen: None };
    let selected = ListOptions::fields(Selector::one("metadata.name", name).to_string());
    let mut last_error = None;
    let ended = if options.timeout.is_zero() {
        match api.list(&selected).await {
            Ok(listed) => wait.listed(listed, name),
            Err(error) if error.is_transient() => {
                last_error = Some(error.to_string());
                Ok(None)
            }
            Err(error) => Err(Failure::Request(error.into())),
        }
    } else {
        let mut changes = api.changes(&selected);
        let waited = tokio::time::timeout(options.timeout, wait.run(&mut changes, name)).await;
        last_error = changes.last_error().map(ToString::to_string);
        waited.map_or(Ok(None), |ended| ended.map(Some))
    };
    match ended {
        Ok(Some(object)) => Ok(object),
        Err(Failure::Request(error)) => Err(error),
        Err(Failure::Condition(kind, problem)) => {
            Err(Error::new(kind, format!("{}: {problem}", describe(api, api.within(), name))))
        }
        Ok(None) => {
            let subject = describe(api, api.within(), name);
            let seconds = options.timeout.as_secs_f64();
            let mut what = format!("{subject}: {wanted} did not come within {seconds} s");
            what.extend(wait.seen.map(|seen| format!("; {seen}")));
            what.extend(last_error.map(|error| format!("; the last error was: {error}")));
            Err(Error::new(ErrorKind::Timeout, what))
        }
    }
}

/// A wait in progress.
struct Wait<C> {
    condition: C,
    uid: Option<Str>,
    /// The state that was seen last.
    seen: Option<String>,
}

/// The end of a wait without success.
enum Failure {
    Request(Error),
    Condition(ErrorKind, String),
}

impl<C> Wait<C> {
    /// Checks the object in a list of those of its name. The result is the object, or its absence, if it meets the condition.
    fn listed<K: Object>(&mut self, listed: List<K>, name: &str) -> Result<Option<Option<K>>, Failure>
    where
        C: Condition<K>,
    {
        let object = listed.items.into_iter().find(|object| object.name() == name);
        let is_met = self.is_met(object.as_ref())?;
        Ok(is_met.then(|| object.filter(|object| self.is_same(object))))
    }

    /// Waits until the condition is met.
    async fn run<K: Wire + Object>(
        &mut self,
        changes: &mut Changes<K>,
        name: &str,
    ) -> Result<Option<K>, Failure>
    where
        C: Condition<K>,
    {
        loop {
            let met = match changes.next().await.map_err(|error| Failure::Request(error.into()))? {
                Change::Listed(listed) => self.listed(listed, name)?,
                Change::Applied(object) if self.is_met(Some(&object))? => {
                    Some(Some(object).filter(|object| self.is_same(object)))
                }
                Change::Applied(_) => None,
                Change::Deleted(_) => self.is_met(None::<&K>)?.then_some(None),
            };
            if let Some(object) = met {
                return Ok(object);
            }
        }
    }

    /// Returns true for the object that is meant.
    fn is_same(&self, object: &impl Object) -> bool {
        self.uid.as_deref().is_none_or(|uid| uid == object.uid())
    }

    fn is_met<K: Object>(&mut self, object: Option<&K>) -> Result<bool, Failure>
    where
        C: Condition<K>,
    {
        let same = object.filter(|object| self.is_same(*object));
        let is_met = self.condition.is_met(same);
        if is_met.map_err(|problem| Failure::Condition(ErrorKind::Condition, problem))? {
            return Ok(true);
        }
        let seen = match (same, object) {
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
        self.seen = Some(seen);
        Ok(false)
    }
}
