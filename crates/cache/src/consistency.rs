//! [`Differences`] between a store and the server's list at the store's version.
//!
//! The comparison is exact even for a store that lags behind, because the server lists at the store's own
//! version. It shows that a cache can be trusted, such as after a change of proxies or of the API server
//! (client-go's consistency detector).

use std::collections::HashMap;
use std::fmt;

use klient_apimachinery::codec::{ManagedFields, Wire};
use klient_apimachinery::{ListOptions, ListWatch, Object, SourceError, Str, VersionMatch};

use crate::error::Error;
use crate::key::ObjectKey;
use crate::pager::{Pager, PagerOptions};
use crate::store::{Change, Store};

/// Selectors of the objects to compare: see [`Store::check_against`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// The label selector that the store's reflector has.
    pub label_selector: Option<Str>,
    /// The field selector that the store's reflector has.
    pub field_selector: Option<Str>,
}

/// Differences between a store and the server's list at the store's version. Keys are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differences {
    /// The resourceVersion at which both were compared.
    pub resource_version: Box<str>,
    /// Objects that the server had and the store does not hold.
    pub missing: Vec<ObjectKey>,
    /// Objects that the store holds and the server did not have.
    pub extra: Vec<ObjectKey>,
    /// Objects that both have, at different versions.
    pub different: Vec<DifferentVersion>,
}

/// An object that the store holds at another version than the server had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct DifferentVersion {
    /// The key of the object.
    pub key: ObjectKey,
    /// The object's resourceVersion in the store.
    pub stored: Box<str>,
    /// The object's resourceVersion in the server's list.
    pub listed: Box<str>,
}

impl Differences {
    /// Returns true if store and server have the same objects at the same versions.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.different.is_empty()
    }
}

/// Formats as `at 12: missing shop/a; extra shop/b; shop/c is 7, not 9`, or `none at 12`.
impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "none at {}", self.resource_version);
        }
        write!(f, "at {}:", self.resource_version)?;
        let missing = self.missing.iter().map(|key| format!("missing {key}"));
        let extra = self.extra.iter().map(|key| format!("extra {key}"));
        let different = (self.different.iter())
            .map(|DifferentVersion { key, stored, listed }| format!("{key} is {stored}, not {listed}"));
        for (index, text) in missing.chain(extra).chain(different).enumerate() {
            write!(f, "{} {text}", if index == 0 { "" } else { ";" })?;
        }
        Ok(())
    }
}

impl<K: Wire + Object> Store<K> {
    /// Compares a snapshot of the store with the server's list at the snapshot's version, by key and
    /// resourceVersion of every object. The store may change meanwhile.
    ///
    /// The source must be the only one that fills the store. The cost is one full list on the server, and
    /// here one page of objects and a map of all keys; it is meant for tests and diagnosis.
    ///
    /// # Errors
    ///
    /// An error if the store has had no first list yet, or the server refuses the list.
    /// [`is_expired`](Error::is_expired) if the server no longer has the store's version, which says nothing
    /// about the store: etcd compacts after five minutes, so that the store of a resource without changes or
    /// bookmarks cannot be compared.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Namespace;
    /// use klient_cache::Informer;
    /// use klient_client::{Client, Config};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let namespaces = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?.api::<Namespace>();
    /// let informer = Informer::new(namespaces.clone(), Default::default());
    /// informer.start();
    /// informer.wait_for_sync().await?;
    ///
    /// let differences = informer.store().check_against(namespaces, &Default::default()).await?;
    /// assert!(differences.is_empty(), "{differences}");
    /// # Ok(()) }
    /// ```
    pub async fn check_against(
        &self,
        source: impl ListWatch<K>,
        options: &CheckOptions,
    ) -> Result<Differences, Error> {
        let (snapshot, undecodables) = self.snapshot_and_undecodables();
        let version = snapshot.resource_version();
        if matches!(version, "" | "0") {
            return Err(Error::invalid_version(
                self.resource(),
                version,
                "to compare a store at: wait for its first list",
            ));
        }
        let namespace = source.within().map(ToOwned::to_owned);
        let is_listed = |namespace_of: &str| namespace.as_deref().is_none_or(|listed| listed == namespace_of);
        let entries = snapshot.entries().filter(|entry| is_listed(&entry.namespace));
        let mut stored: HashMap<_, _> = entries.map(|entry| (entry.key(), entry)).collect();

        let list = ListOptions {
            label_selector: options.label_selector.clone(),
            field_selector: options.field_selector.clone(),
            resource_version: Some(version.into()),
            resource_version_match: Some(VersionMatch::Exact),
            managed_fields: ManagedFields::Skip,
            ..ListOptions::default()
        };
        let mut differences = Differences { resource_version: version.into(), ..Differences::default() };
        let mut pager = Pager::new(source, PagerOptions { list, ..PagerOptions::default() });
        while let Some(object) = pager.next_encoded().await? {
            // The comparison needs names and versions only, so that undecodable objects take part in it.
            let identity = object.identity();
            if identity.name.is_empty() {
                let problem = SourceError::unreadable("an object has no name that can be read");
                return Err(Error::list_failed(self.resource(), namespace.as_deref(), problem));
            }
            let key = ObjectKey::new(Some(&identity.namespace), &identity.name);
            let is_marked = |change: &Change<K>| {
                matches!(change, Change::Undecodable { version, .. } if version.key == key
                    && version.is_version(&identity.uid, &identity.resource_version))
            };
            if undecodables.iter().any(is_marked) {
                stored.remove(&key);
                continue;
            }
            match stored.remove(&key) {
                None => differences.missing.push(key),
                Some(entry) if *entry.version() == *identity.resource_version => {}
                Some(entry) => differences.different.push(DifferentVersion {
                    key,
                    stored: entry.version().into(),
                    listed: identity.resource_version.as_str().into(),
                }),
            }
        }
        differences.extra.extend(stored.into_keys());
        differences.missing.sort_unstable();
        differences.extra.sort_unstable();
        differences.different.sort_unstable();
        Ok(differences)
    }
}
