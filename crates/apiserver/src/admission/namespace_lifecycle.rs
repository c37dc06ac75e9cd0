//! `NamespaceLifecycle`: rejects objects in namespaces that do not exist or are terminating, and the deletion of the
//! cluster's required namespaces.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::Map;

use super::{Attributes, Operation, Plugin};
use crate::registry::{Registry, Resource};
use crate::status::{Failure, Result};
use crate::storage::{Key, Storage, Unchanged};

/// Namespaces that cannot be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// The admission plugin.
pub(crate) struct NamespaceLifecycle {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
}

impl Plugin for NamespaceLifecycle {
    fn admit<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        _object: Option<&'a mut Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let Attributes { operation, resource, namespace, name, .. } = *attributes;
        Box::pin(ready(match (operation, namespace) {
            (Operation::Create, Some(namespace)) => {
                Self::check(&*self.storage, &self.registry, resource, namespace, name).map(drop)
            }
            (Operation::Delete, _) => check_delete(resource, name),
            _ => Ok(()),
        }))
    }
}

impl NamespaceLifecycle {
    /// The namespace of an object to be created, which must not change until it is stored.
    ///
    /// # Errors
    ///
    /// 404 if the namespace does not exist, 403 if it is terminating.
    pub(crate) fn check(
        storage: &dyn Storage,
        registry: &Registry,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Unchanged> {
        let namespaces = registry.built_in("", "v1", "namespaces");
        let Some(found) = storage.get(&namespaces.table, &Key::new(None, namespace)) else {
            return Err(Failure::not_found(&namespaces.target(namespace)));
        };
        if !found.is_terminating {
            return Ok(Unchanged {
                table: namespaces.table.clone(),
                key: found.key.clone(),
                version: found.version,
            });
        }
        let problem =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let cause = format!("namespace {namespace} is being terminated");
        let refused = Failure::forbidden(&resource.target(name), &problem);
        Err(refused.caused_by("NamespaceTerminating", &cause, "metadata.namespace"))
    }
}

fn check_delete(resource: &Resource, name: &str) -> Result<()> {
    let is_namespace = resource.info.group.is_empty() && resource.info.kind == "Namespace";
    if is_namespace && IMMORTAL.contains(&name) {
        return Err(Failure::forbidden(&resource.target(name), "this namespace may not be deleted"));
    }
    Ok(())
}
