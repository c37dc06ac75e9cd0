//! Finding objects that were applied once and are in no file any more.

use std::collections::{BTreeSet, HashSet};

use klient_apimachinery::{Object, ResourceInfo, Unstructured};
use klient_client::{ApiResource, ListOptions, RestMapper};

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::last_applied;
use crate::session::Session;

/// What a command has seen to: nothing of it is left over.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    uids: HashSet<String>,
    namespaces: BTreeSet<String>,
}

impl Visited {
    /// Objects of this namespace are looked at.
    pub(crate) fn namespace(&mut self, namespace: &str) {
        self.namespaces.insert(namespace.to_owned());
    }

    /// This object is not left over.
    pub(crate) fn object(&mut self, object: &Unstructured) {
        self.uids.insert(object.uid().to_owned());
    }

    /// Whether it was seen to.
    pub(crate) fn has(&self, object: &Unstructured) -> bool {
        self.uids.contains(object.uid())
    }
}

/// The kinds of which objects are pruned where none are named (group, version, kind).
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

/// The resources named as `GROUP/VERSION/KIND`, where the core group is `core`; the usual ones, of which kubectl warns,
/// if none are.
///
/// # Errors
///
/// If one is not named so, or the server does not know it.
pub(crate) fn resources(
    mapper: &RestMapper,
    allowed: &[String],
    session: &mut Session,
) -> Result<Vec<ApiResource>, Failure> {
    if allowed.is_empty() {
        session.console.note(format_args!(
            "Warning: Deprecated: {} apply will no longer prune non-namespaced resources by default when used with the \
             --namespace flag in a future release. To preserve the current behaviour, list the resources you want to \
             target explicitly in the --prune-allowlist flag.",
            session.program
        ));
        let known = KINDS.iter().map(|(group, version, kind)| {
            mapper.kind(group, kind, Some(version)).cloned().map_err(|error| {
                let namespaced = !matches!(*kind, "Namespace" | "PersistentVolume");
                Failure::Message(format!(
                    "error retrieving RESTMappings to prune: invalid resource {group}/{version}, Kind={kind}, \
                     Namespaced={namespaced}: {error}"
                ))
            })
        });
        return known.collect();
    }
    let mut resources = Vec::new();
    for name in allowed {
        let parts: Vec<&str> = name.split('/').collect();
        let [group, version, kind] = parts[..] else {
            return Err(Failure::Message(format!(
                "invalid GroupVersionKind format: {name}, please follow <group/version/kind>"
            )));
        };
        let group = if group == "core" { "" } else { group };
        resources.push(mapper.kind(group, kind, Some(version))?.clone());
    }
    Ok(resources)
}

/// An object that is left over.
#[derive(Debug)]
pub(crate) struct LeftOver {
    pub(crate) resource: ApiResource,
    pub(crate) object: Unstructured,
}

impl LeftOver {
    /// What went wrong with it.
    pub(crate) fn failed(resource: &ResourceInfo, failure: &Failure) -> Failure {
        let scope = if resource.namespaced { "namespaced" } else { "nonNamespaced" };
        let kind = kind(resource);
        Failure::Message(format!("error pruning {scope} object {kind}: {}", failure.go_text()))
    }
}

/// A kind as Go prints it in full.
pub(crate) fn kind(info: &ResourceInfo) -> String {
    format!("{}/{}, Kind={}", info.group, info.version, info.kind)
}

/// Finds what is left over: objects that were applied, are selected, and have not been visited.
///
/// # Errors
///
/// If objects of a resource cannot be listed.
pub(crate) async fn left_over(
    cluster: &Cluster,
    resources: &[ApiResource],
    selector: &str,
    visited: &Visited,
) -> Result<Vec<LeftOver>, Failure> {
    let (namespaced, others): (Vec<_>, Vec<_>) =
        resources.iter().partition(|resource| resource.info.namespaced);
    let places = visited
        .namespaces
        .iter()
        .flat_map(|namespace| namespaced.iter().map(move |resource| (*resource, Some(namespace.as_str()))));
    let mut found = Vec::new();
    for (resource, namespace) in places.chain(others.into_iter().map(|resource| (resource, None))) {
        let objects = selected(cluster, resource, namespace, selector).await;
        let objects = objects.map_err(|failure| LeftOver::failed(&resource.info, &failure))?;
        let applied = objects.into_iter().filter(|object| last_applied::of(object).is_some());
        let left = applied.filter(|object| !visited.has(object));
        found.extend(left.map(|object| LeftOver { resource: resource.clone(), object }));
    }
    Ok(found)
}

/// The objects of a resource that have some labels.
pub(crate) async fn selected(
    cluster: &Cluster,
    resource: &ApiResource,
    namespace: Option<&str>,
    selector: &str,
) -> Result<Vec<Unstructured>, Failure> {
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
            // Items of lists do not always say what they are.
            object["apiVersion"] = info.api_version().into();
            object["kind"] = (&*info.kind).into();
            object
        }));
        if options.continue_token.is_none() {
            return Ok(found);
        }
    }
}
