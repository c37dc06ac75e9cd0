//! The registry of served resources: the built-in ones, and those that CustomResourceDefinitions add.

pub(crate) mod addresses;
pub(crate) mod custom_resource_definitions;
mod decode;
pub(crate) mod deletion;
mod fields;
mod group_version_kind;
pub(crate) mod kind_version;
pub(crate) mod pipeline;
mod resize;
mod resource;
mod storage_error;
pub(crate) mod strategy;
pub(crate) mod subresource;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use tokio::sync::watch;

pub(crate) use group_version_kind::GroupVersionKind;
pub(crate) use resource::{Resource, ResourceSource};
pub(crate) use storage_error::uid_mismatch;

use crate::storage::Object;
use klient_apiextensions::definition::{Definition, is_established};

/// All resources that are served.
pub(crate) struct Registry {
    /// Built-in ones, in the order of discovery.
    built_in: Vec<Arc<Resource>>,
    by_path: HashMap<(String, String, String), Arc<Resource>>,
    custom: RwLock<Custom>,
    /// Counts changes of custom resources, so that caches derived from them can be invalidated.
    generation: watch::Sender<u64>,
}

/// The resources added by CustomResourceDefinitions. Replaced as a whole when one changes.
#[derive(Default)]
struct Custom {
    /// By the name of the definition.
    definitions: BTreeMap<String, Arc<Definition>>,
    by_path: HashMap<(String, String, String), Arc<Resource>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let served = klient_schema::RESOURCES.iter().copied().flatten().filter(|resource| resource.served);
        let built_in: Vec<Arc<Resource>> =
            served.map(|schema| Arc::new(Resource::built_in(schema))).collect();
        let by_path = built_in.iter().map(|resource| (resource.path(), resource.clone())).collect();
        Registry { built_in, by_path, custom: RwLock::default(), generation: watch::Sender::default() }
    }

    /// The resource served at a group, version and plural.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        let path = (group.to_owned(), version.to_owned(), plural.to_owned());
        let built_in = self.by_path.get(&path).cloned();
        built_in.or_else(|| self.custom.read().expect("no panics while held").by_path.get(&path).cloned())
    }

    /// A built-in resource.
    pub(crate) fn built_in(&self, group: &str, version: &str, plural: &str) -> Arc<Resource> {
        let path = (group.to_owned(), version.to_owned(), plural.to_owned());
        self.by_path.get(&path).cloned().expect("the caller names a built-in resource")
    }

    /// Returns true if a group belongs to Kubernetes itself.
    pub(crate) fn is_built_in(&self, group: &str) -> bool {
        self.built_in.iter().any(|resource| resource.info.group == group)
    }

    /// All resources: the built-in ones, then custom ones sorted by group, version and plural.
    pub(crate) fn all(&self) -> Vec<Arc<Resource>> {
        let mut custom: Vec<Arc<Resource>> =
            self.custom.read().expect("no panics while held").by_path.values().cloned().collect();
        custom.sort_by_key(|resource| resource.path());
        self.built_in.iter().cloned().chain(custom).collect()
    }

    /// The other resources with the same objects that have a subresource, if one is given: other versions and groups.
    pub(crate) fn equivalents(&self, resource: &Resource, subresource: Option<&str>) -> Vec<Arc<Resource>> {
        let is_equivalent = |other: &Resource| {
            other.table == resource.table
                && other.path() != resource.path()
                && subresource.is_none_or(|name| other.subresource(name).is_some())
        };
        if resource.is_custom() {
            let custom = self.custom.read().expect("no panics while held");
            let Some(definition) = custom.definitions.get(&resource.definition_name()) else {
                return Vec::new();
            };
            // In the order of the definition.
            let versions = definition
                .versions
                .iter()
                .map(|version| (definition.group.clone(), version.name.clone(), definition.plural.clone()));
            let served = versions.filter_map(|path| custom.by_path.get(&path));
            return served.filter(|other| is_equivalent(other)).cloned().collect();
        }
        self.built_in.iter().filter(|other| is_equivalent(other)).cloned().collect()
    }

    /// The definition of a name, if it is established.
    pub(crate) fn definition(&self, name: &str) -> Option<Arc<Definition>> {
        self.custom.read().expect("no panics while held").definitions.get(name).cloned()
    }

    /// Changes with every definition.
    pub(crate) fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    /// Waits until the definition of a custom resource changes. Never returns for a built-in one.
    pub(crate) async fn replaced(&self, resource: &Resource) {
        let mut generation = self.generation.subscribe();
        let (group, version, plural) = resource.path();
        while self.find(&group, &version, &plural).is_some_and(|now| now.is_defined_as(resource)) {
            // The registry holds the sender.
            let _ = generation.changed().await;
        }
    }

    /// Replaces the resources of a definition by those of its present state, which `read` gives, or removes them if it is
    /// gone. One that serves the same as before is kept as it is.
    ///
    /// It is parsed without the lock; the present state is read again under it, and parsed again if it is another. So of
    /// two concurrent changes, the later one is also published later.
    pub(crate) fn refresh(&self, name: &str, read: impl Fn() -> Option<Arc<Object>>) {
        loop {
            let state = read();
            let value = state.as_ref().map(|state| state.value()).filter(is_established);
            let hash = value.as_ref().and_then(Definition::hash);
            let before = self.custom.read().expect("no panics while held").hash(name);
            let changed = value.filter(|_| hash != before);
            let now = changed.and_then(|value| Definition::parse(&value)).map(Arc::new);
            let resources: Vec<_> = now.iter().flat_map(Resource::custom).map(Arc::new).collect();

            let mut custom = self.custom.write().expect("no panics while held");
            let version = |state: Option<Arc<Object>>| state.map(|state| state.version);
            if version(read()) != version(state) || custom.hash(name) != before {
                continue;
            }
            if hash == before {
                return;
            }
            if let Some(before) = custom.definitions.remove(name) {
                for version in &before.versions {
                    let path = (before.group.clone(), version.name.clone(), before.plural.clone());
                    custom.by_path.remove(&path);
                }
            }
            if let Some(now) = now {
                custom.definitions.insert(name.to_owned(), now);
            }
            custom.by_path.extend(resources.into_iter().map(|resource| (resource.path(), resource)));
            drop(custom);
            self.generation.send_modify(|generation| *generation += 1);
            return;
        }
    }
}

impl Custom {
    /// The hash of a definition.
    fn hash(&self, name: &str) -> Option<u64> {
        self.definitions.get(name).map(|definition| definition.schema_hash)
    }
}
