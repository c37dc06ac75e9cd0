//! The containers of a pod by their names.

use klient_apimachinery::values::{Map, list_at};
use serde_json::Value;

/// The lists of containers in a pod's spec, in the order of kubectl's `VisitContainers`.
pub(super) const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Returns the first container of a name.
pub(super) fn find<'a>(pod: &'a Map, name: &str) -> Option<&'a Map> {
    let containers = LISTS.iter().flat_map(|list| list_at(pod, &["spec", list]));
    containers.filter_map(Value::as_object).find(|container| container["name"] == name)
}

/// Returns the first container of a name in lists.
pub(super) fn find_mut<'a>(pod: &'a mut Map, lists: &[&str], name: &str) -> Option<&'a mut Map> {
    let spec = pod.get_mut("spec")?.as_object_mut()?;
    let containers = spec.iter_mut().filter(|(list, _)| lists.contains(&list.as_str()));
    let mut found: Vec<(usize, &mut Map)> = containers
        .filter_map(|(list, containers)| {
            let place = lists.iter().position(|known| known == list)?;
            let mut containers = containers.as_array_mut()?.iter_mut().filter_map(Value::as_object_mut);
            Some((place, containers.find(|container| container["name"] == name)?))
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, container)| container).next()
}
