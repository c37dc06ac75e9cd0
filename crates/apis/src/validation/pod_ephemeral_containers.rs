//! Updates of a Pod's `ephemeralcontainers` subresource: containers are added, and those that are there stay as they are.

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

use super::at::{At, same};
use super::pod::pod_spec;
use super::pod_annotations::MIRROR;

pub(super) fn ephemeral_containers(object: &Map, old: &Map, problems: &mut ErrorList) {
    pod_spec(object, problems);
    if At::new(old, "metadata.annotations").entry(MIRROR).is_some() {
        problems.0 = vec![FieldError::forbidden("", "static pods do not support ephemeral containers")];
        return;
    }
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    let list = spec.get("ephemeralContainers");
    for container in before.get("ephemeralContainers").items() {
        let name = container.get("name");
        let new = list.items().filter(|new| new.get("name").text() == name.text()).last();
        let change = match new {
            None => "removed",
            Some(new) if !same(new.raw(), container.raw()) => "changed",
            Some(_) => continue,
        };
        let name = quoted(name.text());
        problems.add(list.forbidden(format!("existing ephemeral containers {name} may not be {change}\n")));
    }
}
