//! Pruning: finding objects that were applied earlier and are no longer in the manifests.

use std::collections::{BTreeSet, HashSet};

use klient_apimachinery::{Object, ResourceInfo, Unstructured};
use klient_client::{ApiResource, ListOptions};

use crate::cluster::Cluster;
use crate::error::CliError;
use crate::last_applied;
use crate::session::Session;

/// The objects and namespaces of this run of apply. Visited objects are not pruned.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    uids: HashSet<String>,
    namespaces: BTreeSet<String>,
}

impl Visited {
    /// Adds a namespace in which objects are pruned.
    pub(crate) fn visit_namespace(&mut self, namespace: &str) {
        self.namespaces.insert(namespace.to_owned());
    }

    /// Adds an object that is not pruned.
    pub(crate) fn visit_object(&mut self, object: &Unstructured) {
        self.uids.insert(object.uid().to_owned());
    }

    /// Returns true if the object was visited.
    pub(crate) fn contains(&self, object: &Unstructured) -> bool {
        self.uids.contains(object.uid())
    }
}

/// The kinds that are pruned without `--prune-allowlist` (group, version, kind).
const KINDS: [(&str, &str, &str); 16] = [
    ("", "v1", "ConfigMap"),
    ("", "v1", "Endpoints"),
    ("", "v1", "PersistentVolumeClaim"),
    ("", "v1", "Pod"),
    ("", "v1", "ReplicationController"),
    ("", "v1", "Secret"),
    ("", "v1", "Service"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "ReplicaSet"),
    ("apps", "v1", "StatefulSet"),
    ("", "v1", "Namespace"),
    ("", "v1", "PersistentVolume"),
];

/// Returns the resources of an allowlist of `GROUP/VERSION/KIND`, where `core` is the core group; of an empty one,
/// those of [`KINDS`], after kubectl's deprecation warning.
///
/// # Errors
///
/// If an entry has another form, or the server does not serve the kind.
pub(crate) async fn resources(
    cluster: &Cluster,
    allowed: &[String],
    session: &mut Session,
) -> Result<Vec<ApiResource>, CliError> {
    let mut resources = Vec::new();
    if allowed.is_empty() {
        session.console.eprintln(format_args!(
            "Warning: Deprecated: {} apply will no longer prune non-namespaced resources by default when used with the \
             --namespace flag in a future release. To preserve the current behaviour, list the resources you want to \
             target explicitly in the --prune-allowlist flag.",
            session.program
        ));
        for (group, version, kind) in KINDS {
            let found = cluster.rest_mapper().kind(group, kind, Some(version)).await;
            resources.push(found.map_err(|error| {
                let namespaced = !matches!(kind, "Namespace" | "PersistentVolume");
                let problem = CliError::from(error).go_error();
                CliError::Message(format!(
                    "error retrieving RESTMappings to prune: invalid resource {group}/{version}, Kind={kind}, \
                     Namespaced={namespaced}: {problem}"
                ))
            })?);
        }
        return Ok(resources);
    }
    for name in allowed {
        let parts: Vec<&str> = name.split('/').collect();
        let [group, version, kind] = parts[..] else {
            return Err(CliError::Message(format!(
                "invalid GroupVersionKind format: {name}, please follow <group/version/kind>"
            )));
        };
        let group = if group == "core" { "" } else { group };
        resources.push(cluster.rest_mapper().kind(group, kind, Some(version)).await?);
    }
    Ok(resources)
}

/// An object to prune.
#[derive(Debug)]
pub(crate) struct PruneObject {
    pub(crate) resource: ApiResource,
    pub(crate) object: Unstructured,
}

impl PruneObject {
    /// Returns kubectl's error for a resource whose objects cannot be listed or deleted.
    pub(crate) fn error(resource: &ResourceInfo, failure: &CliError) -> CliError {
        let scope = if resource.namespaced { "namespaced" } else { "nonNamespaced" };
        let kind = group_version_kind(resource);
        CliError::Message(format!("error pruning {scope} object {kind}: {}", failure.go_error()))
    }
}

/// Returns Go's string form of a GroupVersionKind: `GROUP/VERSION, Kind=KIND`.
pub(crate) fn group_version_kind(info: &ResourceInfo) -> String {
    format!("{}/{}, Kind={}", info.group, info.version, info.kind)
}

/// Finds the objects to prune: those that have the last-applied annotation, match the selector, and were not visited.
///
/// # Errors
///
/// If objects of a resource cannot be listed.
pub(crate) async fn find_objects_to_prune(
    cluster: &Cluster,
    resources: &[ApiResource],
    selector: &str,
    visited: &Visited,
) -> Result<Vec<PruneObject>, CliError> {
    let (namespaced, others): (Vec<_>, Vec<_>) =
        resources.iter().partition(|resource| resource.info.namespaced);
    let places = visited
        .namespaces
        .iter()
        .flat_map(|namespace| namespaced.iter().map(move |resource| (*resource, Some(namespace.as_str()))));
    let mut found = Vec::new();
    for (resource, namespace) in places.chain(others.into_iter().map(|resource| (resource, None))) {
        let objects = list_objects(cluster, resource, namespace, selector).await;
        let objects = objects.map_err(|failure| PruneObject::error(&resource.info, &failure))?;
        let applied = objects.into_iter().filter(|object| last_applied::of(object).is_some());
        let left = applied.filter(|object| !visited.contains(object));
        found.extend(left.map(|object| PruneObject { resource: resource.clone(), object }));
    }
    Ok(found)
}

/// Lists the objects of a resource that match a label selector, in pages of 500.
pub(crate) async fn list_objects(
    cluster: &Cluster,
    resource: &ApiResource,
    namespace: Option<&str>,
    selector: &str,
) -> Result<Vec<Unstructured>, CliError> {
    let mut options = ListOptions {
        label_selector: (!selector.is_empty()).then(|| selector.into()),
        limit: Some(500),
        ..ListOptions::default()
    };
    let info = &resource.info;
    let mut found = Vec::new();
    loop {
        let list = cluster.objects(resource, namespace).list(&options).await?;
        options.continue_token = list.continue_token().map(Into::into);
        found.extend(list.items.into_iter().map(|mut object: Unstructured| {
            // Items of typed lists have no apiVersion and kind.
            object["apiVersion"] = info.api_version().into();
            object["kind"] = (&*info.kind).into();
            object
        }));
        if options.continue_token.is_none() {
            return Ok(found);
        }
    }
}
