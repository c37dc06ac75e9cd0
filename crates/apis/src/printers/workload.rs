//! Rows of workloads and pod disruption budgets.

use serde_json::Value;

use super::row::Row;
use super::text::{NONE, bare_selector, containers, labels, qualified, selector, text};

const CONTAINERS: &[&str] = &["spec", "template", "spec", "containers"];

pub(super) fn deployment(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.list(CONTAINERS));
    vec![
        row.name(),
        ready(row),
        row.number(&["status", "updatedReplicas"]).into(),
        row.number(&["status", "availableReplicas"]).into(),
        row.age(),
        names,
        images,
        bare_selector(row.at(&["spec", "selector"])).into(),
    ]
}

pub(super) fn stateful_set(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.list(CONTAINERS));
    vec![row.name(), ready(row), row.age(), names, images]
}

fn ready(row: &Row<'_>) -> Value {
    format!("{}/{}", row.number(&["status", "readyReplicas"]), row.number(&["spec", "replicas"])).into()
}

pub(super) fn replica_set(row: &Row<'_>) -> Vec<Value> {
    replicas(row, selector(row.at(&["spec", "selector"])))
}

pub(super) fn replication_controller(row: &Row<'_>) -> Vec<Value> {
    replicas(row, labels(row.at(&["spec", "selector"])))
}

fn replicas(row: &Row<'_>, selector: String) -> Vec<Value> {
    let [names, images] = containers(row.list(CONTAINERS));
    vec![
        row.name(),
        row.number(&["spec", "replicas"]).into(),
        row.number(&["status", "replicas"]).into(),
        row.number(&["status", "readyReplicas"]).into(),
        row.age(),
        names,
        images,
        selector.into(),
    ]
}

pub(super) fn daemon_set(row: &Row<'_>) -> Vec<Value> {
    let status = |name| row.number(&["status", name]).into();
    let [names, images] = containers(row.list(CONTAINERS));
    vec![
        row.name(),
        status("desiredNumberScheduled"),
        status("currentNumberScheduled"),
        status("numberReady"),
        status("updatedNumberScheduled"),
        status("numberAvailable"),
        labels(row.at(&["spec", "template", "spec", "nodeSelector"])).into(),
        row.age(),
        names,
        images,
        selector(row.at(&["spec", "selector"])).into(),
    ]
}

pub(super) fn pod_template(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.list(&["template", "spec", "containers"]));
    vec![row.name(), names, images, labels(row.at(&["template", "metadata", "labels"])).into()]
}

pub(super) fn controller_revision(row: &Row<'_>) -> Vec<Value> {
    let owners = row.list(&["metadata", "ownerReferences"]);
    let controller = owners.iter().find(|owner| owner["controller"] == true);
    vec![
        row.name(),
        controller.map_or_else(|| NONE.to_owned(), controller_name).into(),
        row.number(&["revision"]).into(),
        row.age(),
    ]
}

fn controller_name(owner: &Value) -> String {
    let group = text(owner, "apiVersion").split_once('/').map_or("", |(group, _)| group);
    let name = text(owner, "name");
    match qualified(text(owner, "kind"), group).to_lowercase() {
        kind if kind.is_empty() => name.to_owned(),
        kind => format!("{kind}/{name}"),
    }
}

pub(super) fn disruption_budget(row: &Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        bound(row.at(&["spec", "minAvailable"])),
        bound(row.at(&["spec", "maxUnavailable"])),
        row.number(&["status", "disruptionsAllowed"]).into(),
        row.age(),
    ]
}

/// A number of pods or a percentage.
fn bound(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        Value::Number(number) => number.to_string().into(),
        _ => "N/A".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::printers::tests::check;

    fn template() -> Value {
        json!({"spec": {
            "containers": [{"name": "c", "image": "nginx:2"}, {"name": "d", "image": "redis"}],
            "nodeSelector": {"disk": "ssd"},
        }})
    }

    #[test]
    fn deployments_show_ready_of_desired_pods() {
        let selector = json!({"matchLabels": {"app": "web"}});
        check(
            "apps/v1/deployments",
            json!({
                "spec": {"replicas": 3, "selector": selector, "template": template()},
                "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
            }),
            json!(["a", "2/3", 3, 1, "22s", "c,d", "nginx:2,redis", "app=web"]),
        );
        check("apps/v1/deployments", json!({}), json!(["a", "0/0", 0, 0, "22s", "", "", ""]));
    }

    #[test]
    fn the_other_workloads_count_their_pods() {
        let selector = json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]});
        check(
            "apps/v1/replicasets",
            json!({
                "spec": {"replicas": 3, "selector": selector, "template": template()},
                "status": {"replicas": 2, "readyReplicas": 1},
            }),
            json!(["a", 3, 2, 1, "22s", "c,d", "nginx:2,redis", "app"]),
        );
        check(
            "v1/replicationcontrollers",
            json!({"spec": {"replicas": 1, "selector": {"app": "web"}}, "status": {"replicas": 1}}),
            json!(["a", 1, 1, 0, "22s", "", "", "app=web"]),
        );
        check(
            "apps/v1/statefulsets",
            json!({"spec": {"replicas": 2, "template": template()}, "status": {"readyReplicas": 1}}),
            json!(["a", "1/2", "22s", "c,d", "nginx:2,redis"]),
        );
        check(
            "apps/v1/daemonsets",
            json!({
                "spec": {"template": template()},
                "status": {
                    "desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3,
                    "updatedNumberScheduled": 2, "numberAvailable": 1, "numberMisscheduled": 9,
                },
            }),
            json!(["a", 5, 4, 3, 2, 1, "disk=ssd", "22s", "c,d", "nginx:2,redis", "<none>"]),
        );
    }

    #[test]
    fn controller_revisions_name_their_controller() {
        let owner = |version: &str, kind: &str, controller: bool| {
            let mut owner = json!({"apiVersion": version, "kind": kind, "name": "o"});
            owner["controller"] = controller.into();
            owner
        };
        for (owners, expected) in [
            (vec![], "<none>"),
            (vec![owner("apps/v1", "DaemonSet", false)], "<none>"),
            (vec![owner("v1", "Pod", false), owner("apps/v1", "DaemonSet", true)], "daemonset.apps/o"),
            (vec![owner("v1", "Thing", true)], "thing/o"),
            (vec![owner("", "", true)], "o"),
        ] {
            check(
                "apps/v1/controllerrevisions",
                json!({"metadata": {"ownerReferences": owners}, "revision": 4}),
                json!(["a", expected, 4, "22s"]),
            );
        }
    }

    #[test]
    fn disruption_budgets_show_numbers_and_percentages() {
        for (spec, minimum, maximum) in [
            (json!({"minAvailable": 2}), "2", "N/A"),
            (json!({"maxUnavailable": "50%"}), "N/A", "50%"),
            (json!({"minAvailable": 0}), "0", "N/A"),
            (json!({}), "N/A", "N/A"),
        ] {
            check(
                "policy/v1/poddisruptionbudgets",
                json!({"spec": spec, "status": {"disruptionsAllowed": 1}}),
                json!(["a", minimum, maximum, 1, "22s"]),
            );
        }
    }

    #[test]
    fn pod_templates_show_containers_and_labels() {
        check(
            "v1/podtemplates",
            json!({"template": {
                "metadata": {"labels": {"b": "2", "a": "1"}},
                "spec": {"containers": [{"name": "c", "image": "nginx"}, {"name": "d", "image": "redis:7"}]},
            }}),
            json!(["a", "c,d", "nginx,redis:7", "a=1,b=2"]),
        );
    }
}
