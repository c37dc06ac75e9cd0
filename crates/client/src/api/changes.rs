//! [`Changes`], the objects of a resource and their changes, over broken connections.
//!
//! - *complete*: the objects are listed, and then watched from the version of the list on; a watch that ends goes on at the
//!   last version, and if the server has it no more, all objects are listed again;
//! - *patient*: what may be over in a moment is tried again after a delay that grows, and not before the server's
//!   `Retry-After`; [`Changes::last_error`] has it;
//! - *not for ever*: a refusal, or an object that cannot be decoded, is returned.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{List, ListOptions, Object, Place, Str, WatchEvent, WatchOptions, verbs};
use klient_workqueue::Backoff;
use tokio::time::sleep;

use super::list::collect;
use super::{Api, DynamicPlace, Watch};
use crate::error::Error;

/// The delays before what has broken is tried again.
pub(super) const BACKOFF: Backoff =
    Backoff { duration: Duration::from_millis(200), factor: 2.0, jitter: 0.2, steps: 5, cap: None };

/// The objects that selectors select and their changes, without a cache. Dropping it ends the watch.
///
/// `klient_cache::Informer` keeps the objects, and calls handlers.
pub struct Changes<K> {
    api: Api<K, DynamicPlace>,
    options: ListOptions,
    /// The last version that was seen; none if the objects are to be listed.
    version: Option<Str>,
    watch: Option<Watch<K>>,
    /// The time to wait before the next request.
    delay: Option<Duration>,
    backoff: Backoff,
    last_error: Option<Error>,
}

/// A change of objects.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<K> {
    /// All objects: at the beginning, and when changes may have been missed.
    Listed(List<K>),
    /// An object was created or changed, or selectors that did not select it do now.
    Applied(K),
    /// An object was deleted, or selectors select it no more. This is its last state.
    Deleted(K),
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Lists objects and follows their changes, over broken connections. Of the options, the selectors and those of
    /// `managedFields` count.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Namespace;
    /// use klient_client::{Change, Client, Config, ListOptions};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let mut changes = client.api::<Namespace>().changes(&ListOptions::fields("metadata.name=default"));
    /// let Change::Listed(namespaces) = changes.next().await? else { panic!("the list comes first") };
    /// assert_eq!(namespaces.items.len(), 1);
    /// # Ok(()) }
    /// ```
    pub fn changes(&self, options: &ListOptions) -> Changes<K>
    where
        K: verbs::List + verbs::Watch,
    {
        Changes {
            api: Api {
                endpoint: self.endpoint.clone(),
                place: DynamicPlace::new(self.place.namespace()),
                kind: PhantomData,
            },
            options: options.clone(),
            version: None,
            watch: None,
            delay: None,
            backoff: BACKOFF,
            last_error: None,
        }
    }
}

impl<K: Wire + Object> Changes<K> {
    /// The same objects, whose changes after a version come first, without a list.
    pub fn after(self, version: impl Into<Str>) -> Self {
        Changes { version: Some(version.into()).filter(|version: &Str| !version.is_empty()), ..self }
    }

    /// Waits for the next change. Cancelling it loses nothing.
    ///
    /// # Errors
    ///
    /// An error that is not [transient](Error::is_transient). Calling it again tries again.
    pub async fn next(&mut self) -> Result<Change<K>, Error> {
        loop {
            match self.step().await {
                Ok(Some(change)) => return Ok(change),
                Ok(None) => {}
                Err(error) => {
                    self.watch = None;
                    self.delay = Some(self.backoff.step().max(error.retry_after().unwrap_or_default()));
                    if error.is_expired() {
                        self.version = None;
                    }
                    if !error.is_transient() {
                        return Err(error);
                    }
                    self.last_error = Some(error);
                }
            }
        }
    }

    /// The last error that was tried again, if nothing has succeeded since.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// Does the next step; a change, if it has one.
    async fn step(&mut self) -> Result<Option<Change<K>>, Error> {
        if let Some(watch) = &mut self.watch {
            let event = watch.next().await.transpose()?;
            return Ok(self.take(event));
        }
        if let Some(delay) = self.delay {
            sleep(delay).await;
            self.delay = None;
        }
        let Some(version) = self.version.clone() else {
            let list = collect(self.api.start_items(&self.options).await?, Err).await?;
            self.last_error = None;
            self.version = list.metadata.resource_version.clone();
            return Ok(Some(Change::Listed(list)));
        };
        let options = WatchOptions {
            label_selector: self.options.label_selector.clone(),
            field_selector: self.options.field_selector.clone(),
            managed_fields: self.options.managed_fields,
            resource_version: Some(version),
            allow_bookmarks: true,
            ..WatchOptions::default()
        };
        self.watch = Some(self.api.start_watch(&options).await?);
        self.last_error = None;
        Ok(None)
    }

    /// Takes an event of the watch, or its end.
    fn take(&mut self, event: Option<WatchEvent<K>>) -> Option<Change<K>> {
        let (version, change) = match event {
            Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                (object.resource_version().into(), Some(Change::Applied(object)))
            }
            Some(WatchEvent::Deleted(object)) => {
                (object.resource_version().into(), Some(Change::Deleted(object)))
            }
            Some(WatchEvent::Bookmark(bookmark)) => (bookmark.resource_version, None),
            // It goes on at the last version.
            None => {
                (self.watch, self.delay) = (None, Some(self.backoff.step()));
                return None;
            }
            // An error, behind which a watch cannot go on.
            Some(_) => {
                (self.watch, self.version, self.delay) = (None, None, Some(self.backoff.step()));
                return None;
            }
        };
        self.version = Some(version).filter(|version: &Str| !version.is_empty());
        self.backoff = BACKOFF;
        change
    }
}

impl<K> fmt::Debug for Changes<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("version", &self.version).finish_non_exhaustive()
    }
}
