//! The environment of containers.

use klient_apimachinery::validation::field::{ErrorList, FieldError};

use super::at::At;
use super::form::{
    config_map_key, dns_label, dns_subdomain, no_backsteps, prefix_of, qualified_name, variable_name,
};
use super::resources::amount;

const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(super) fn variables(variables: &At<'_, '_>, problems: &mut ErrorList) {
    for variable in variables.items() {
        variable.get("name").must_have(variable_name, problems);
        let source = variable.get("valueFrom");
        if source.is_set() {
            value_from(&source, variable.get("value").text(), problems);
        }
    }
}

fn value_from(source: &At<'_, '_>, value: &str, problems: &mut ErrorList) {
    type Check = fn(&At<'_, '_>, &mut ErrorList);
    let kinds: [(&str, Check); 5] = [
        ("fieldRef", |field, problems| field_selector(field, &FIELDS, problems)),
        ("resourceFieldRef", |resource, problems| resource_selector(resource, false, problems)),
        ("configMapKeyRef", key_selector),
        ("secretKeyRef", key_selector),
        ("fileKeyRef", file_key),
    ];
    let mut found = 0;
    for (kind, check) in kinds {
        let at = source.get(kind);
        if at.is_set() {
            found += 1;
            check(&at, problems);
        }
    }
    let problem = match found {
        0 => {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        }
        _ if !value.is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    problems.add(source.invalid_as("", problem));
}

/// Checks a reference to one of some fields of the Pod.
pub(super) fn field_selector(selector: &At<'_, '_>, fields: &[&str], problems: &mut ErrorList) {
    for name in ["apiVersion", "fieldPath"] {
        if selector.get(name).is_empty() {
            return problems.add(selector.get(name).required(""));
        }
    }
    let at = selector.get("fieldPath");
    let path = if at.text() == "spec.host" { "spec.nodeName" } else { at.text() };
    let version = selector.get("apiVersion").text();
    if version != "v1" {
        let problem = format!("error converting fieldPath: unsupported pod version: {version}");
        return problems.add(at.invalid(problem));
    }
    if let Some((field, key)) = path.strip_suffix("']").and_then(|path| path.split_once("['")) {
        match field {
            "metadata.annotations" => subscript(selector, &key.to_lowercase(), problems),
            "metadata.labels" => subscript(selector, key, problems),
            _ => {
                let problem =
                    format!("error converting fieldPath: field label does not support subscript: {path}");
                problems.add(at.invalid(problem));
            }
        }
        return;
    }
    if fields.contains(&path) {
        return;
    }
    if is_field_label(path) {
        problems.add(FieldError::not_supported(at.path(), path, fields));
    } else {
        problems.add(at.invalid(format!("error converting fieldPath: field label not supported: {path}")));
    }
}

fn subscript(selector: &At<'_, '_>, key: &str, problems: &mut ErrorList) {
    for problem in qualified_name(key) {
        problems.add(selector.invalid_as(key, problem));
    }
}

/// Returns true if the downward API can refer to a field of a Pod.
fn is_field_label(path: &str) -> bool {
    FIELDS.contains(&path)
        || matches!(
            path,
            "metadata.annotations"
                | "metadata.labels"
                | "spec.restartPolicy"
                | "spec.schedulerName"
                | "status.phase"
        )
}

/// Checks a reference to a container's resource; where many containers can be meant, one must be named.
pub(super) fn resource_selector(selector: &At<'_, '_>, names_container: bool, problems: &mut ErrorList) {
    let (container, resource) = (selector.get("containerName"), selector.get("resource"));
    let is_huge_page =
        |name: &str| name.starts_with("limits.hugepages-") || name.starts_with("requests.hugepages-");
    if names_container && container.is_empty() {
        problems.add(container.required(""));
    } else if resource.is_empty() {
        problems.add(resource.required(""));
    } else if !is_huge_page(resource.text()) {
        let known = [
            "limits.cpu",
            "limits.ephemeral-storage",
            "limits.memory",
            "requests.cpu",
            "requests.ephemeral-storage",
            "requests.memory",
        ];
        resource.must_be_one_of(&known, problems);
    }
    divisor(selector, resource.text(), problems);
}

fn divisor(selector: &At<'_, '_>, resource: &str, problems: &mut ErrorList) {
    let divisor = selector.get("divisor");
    if amount(&divisor) == 0 {
        return;
    }
    let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let what = match resource {
        "limits.cpu" | "requests.cpu" => {
            if !matches!(divisor.text(), "1m" | "1") {
                let problem = "only divisor's values 1m and 1 are supported with the cpu resource";
                problems.add(divisor.invalid_as(resource, problem));
            }
            return;
        }
        "limits.memory" | "requests.memory" => "memory",
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => "local ephemeral storage",
        _ if resource.contains(".hugepages-") => "hugepages",
        _ => return,
    };
    if !sizes.contains(&divisor.text()) {
        let problem =
            format!("only divisor's values {} are supported with the {what} resource", sizes.join(", "));
        problems.add(divisor.invalid_as(resource, problem));
    }
}

fn key_selector(selector: &At<'_, '_>, problems: &mut ErrorList) {
    selector.get("name").must_be(dns_subdomain, problems);
    selector.get("key").must_have(config_map_key, problems);
}

fn file_key(selector: &At<'_, '_>, problems: &mut ErrorList) {
    selector.get("key").must_have(variable_name, problems);
    selector.get("volumeName").must_have(dns_label, problems);
    selector.get("path").must_have(no_backsteps, problems);
}

/// Checks `envFrom`.
pub(super) fn sources(sources: &At<'_, '_>, problems: &mut ErrorList) {
    for source in sources.items() {
        if !source.get("prefix").is_empty() {
            source.get("prefix").must_be(variable_name, problems);
        }
        let kinds = [source.get("configMapRef"), source.get("secretRef")];
        for kind in kinds.iter().filter(|kind| kind.is_set()) {
            kind.get("name").must_have(|name| prefix_of(dns_subdomain, name), problems);
        }
        match kinds.iter().filter(|kind| kind.is_set()).count() {
            0 => problems.add(sources.invalid_as("", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => problems.add(sources.invalid_as("", "may not have more than one field specified at a time")),
        }
    }
}
