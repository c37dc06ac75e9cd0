//! [`default_container`], the container of a pod that is meant if none is named.

use klient_apimachinery::Unstructured;
use serde_json::Value;

/// The annotation that names the default container of a pod.
const ANNOTATION: &str = "kubectl.kubernetes.io/default-container";

/// The container of the annotation, if the pod has it, or the first one, as for kubectl.
pub(super) fn default_container(pod: &Unstructured) -> Option<&str> {
    let annotated = pod.at(&["metadata", "annotations", ANNOTATION]).and_then(Value::as_str);
    let annotated = annotated.filter(|name| containers(pod).any(|container| container == *name));
    annotated.or_else(|| pod.at(&["spec", "containers"])?.get(0)?.get("name")?.as_str())
}

/// The names of all containers, the init containers and ephemeral ones included.
pub(super) fn containers(pod: &Unstructured) -> impl Iterator<Item = &str> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let lists = lists.into_iter().filter_map(|list| pod.at(&["spec", list])?.as_array());
    lists.flatten().filter_map(|container| container.get("name")?.as_str())
}
