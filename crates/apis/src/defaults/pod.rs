//! Defaults of Pods and their structs.

use klient_apimachinery::values::{Map, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::{fill, object_mut, objects_mut};

/// Sets defaults of Pods that templates do not have.
pub(super) fn pod(object: &mut Map) {
    let Some(spec) = object_mut(object, "spec") else { return };
    if spec.get("terminationGracePeriodSeconds").and_then(Value::as_i64).is_some_and(|seconds| seconds < 0) {
        spec.insert("terminationGracePeriodSeconds".to_owned(), 1.into());
    }
    for list in ["containers", "initContainers"] {
        objects_mut(spec, list).for_each(requests_from_limits);
    }
    fill(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork").and_then(Value::as_bool) == Some(true) {
        for list in ["containers", "initContainers"] {
            objects_mut(spec, list).for_each(host_ports);
        }
    }
}

fn requests_from_limits(container: &mut Map) {
    let Some(resources) = object_mut(container, "resources") else { return };
    let Some(Value::Object(limits)) = resources.get("limits") else { return };
    let limits = limits.clone();
    let requests = map_at(resources, "requests");
    for (resource, amount) in limits {
        requests.entry(resource).or_insert(amount);
    }
}

fn host_ports(container: &mut Map) {
    for port in objects_mut(container, "ports") {
        if let Some(number) = port.get("containerPort").filter(|port| **port != 0).cloned() {
            fill(port, "hostPort", number);
        }
    }
}

pub(super) fn spec(spec: &mut Map) {
    let account = match text_at(spec, &["serviceAccountName"]) {
        "" => text_at(spec, &["serviceAccount"]),
        name => name,
    };
    if !account.is_empty() {
        let account = account.to_owned();
        spec.insert("serviceAccount".to_owned(), account.as_str().into());
        spec.insert("serviceAccountName".to_owned(), account.into());
    }
    fill(spec, "dnsPolicy", "ClusterFirst");
    fill(spec, "restartPolicy", "Always");
    fill(spec, "securityContext", json!({}));
    fill(spec, "terminationGracePeriodSeconds", 30);
    fill(spec, "schedulerName", "default-scheduler");
}

/// Syncs `podIP` and the first of `podIPs`.
pub(super) fn status(status: &mut Map) {
    let first = list_at(status, &["podIPs"]).first().and_then(|ip| ip.get("ip")).and_then(Value::as_str);
    match (text_at(status, &["podIP"]), first) {
        ("", Some(first)) => {
            let first = first.to_owned();
            status.insert("podIP".to_owned(), first.into());
        }
        (ip, first) if !ip.is_empty() && first != Some(ip) => {
            let list = json!([{ "ip": ip }]);
            status.insert("podIPs".to_owned(), list);
        }
        _ => {}
    }
}

pub(super) fn container(container: &mut Map) {
    if !container.contains_key("imagePullPolicy") {
        let policy = pull_policy(text_at(container, &["image"]));
        container.insert("imagePullPolicy".to_owned(), policy.into());
    }
    fill(container, "terminationMessagePath", "/dev/termination-log");
    fill(container, "terminationMessagePolicy", "File");
}

pub(super) fn probe(probe: &mut Map) {
    fill(probe, "timeoutSeconds", 1);
    fill(probe, "periodSeconds", 10);
    fill(probe, "successThreshold", 1);
    fill(probe, "failureThreshold", 3);
}

pub(super) fn http_get(action: &mut Map) {
    fill(action, "path", "/");
    fill(action, "scheme", "HTTP");
}

/// The default pull policy: `Always` for the tag `latest` or an image without tag and digest, else `IfNotPresent`.
pub(super) fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let (repository, tag) = match name[start..].find(':') {
        Some(colon) => (&name[..start + colon], Some(&name[start + colon + 1..])),
        None => (name, None),
    };
    let is_latest = tag == Some("latest") || (tag.is_none() && digest.is_none());
    if is_latest && is_repository(repository) { "Always" } else { "IfNotPresent" }
}

/// Returns true if a repository's name is in lower case; its domain may be in upper case.
fn is_repository(name: &str) -> bool {
    let is_domain =
        |part: &str| part.contains(['.', ':']) || part == "localhost" || part.to_lowercase() != part;
    let path = match name.split_once('/') {
        Some((domain, path)) if is_domain(domain) => path,
        _ => name,
    };
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-/".contains(&c);
    !path.is_empty() && path.bytes().all(inside)
}
