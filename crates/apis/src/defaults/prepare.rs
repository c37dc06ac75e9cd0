//! Changes that admission and the kinds' strategies make before validation and storage.

use klient_apimachinery::Time;
use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::workload::{TEMPLATE_GENERATION, own_labels};
use super::{objects_mut, pod_admission, put, qos, service};

pub(super) fn create(resource: &ResourceSchema, object: &mut Map) {
    match (resource.group, resource.kind) {
        ("", "Pod") => pod(object),
        ("", "Service") => service::prepare_create(map_at(object, "spec")),
        ("", "Namespace") => namespace(object),
        ("", "PersistentVolume") => persistent_volume(object),
        ("", "PersistentVolumeClaim") => {
            object.insert("status".to_owned(), json!({"phase": "Pending"}));
            add_to_set(map_at(object, "metadata"), "finalizers", "kubernetes.io/pvc-protection");
            data_sources(map_at(object, "spec"));
        }
        ("", "ServiceAccount") => secret_names(object),
        ("apps", "DaemonSet") => set_template_generation(object, "1"),
        ("batch", "Job") => job(object),
        _ => {}
    }
}

pub(super) fn update(resource: &ResourceSchema, object: &mut Map, old: &Map) {
    match (resource.group, resource.kind) {
        ("", "Pod") => pod_admission::update(object, old),
        ("", "Service") => service::prepare_update(object, old),
        ("", "Namespace") => {
            let finalizers = at(old, &["spec", "finalizers"]).cloned();
            put(map_at(object, "spec"), "finalizers", finalizers);
        }
        ("", "PersistentVolumeClaim") => data_sources(map_at(object, "spec")),
        ("", "ServiceAccount") => secret_names(object),
        ("apps", "DaemonSet") => count_template(object, old),
        _ => {}
    }
}

fn add_to_set(object: &mut Map, list: &str, item: &str) {
    let list = object.entry(list).or_insert(Value::Null);
    match list {
        Value::Array(items) if items.iter().any(|other| other == item) => {}
        Value::Array(items) => items.push(item.into()),
        _ => *list = json!([item]),
    }
}

fn pod(object: &mut Map) {
    pod_admission::create(object);
    let mut status = json!({"phase": "Pending", "qosClass": qos::class(object)});
    if !list_at(object, &["spec", "schedulingGates"]).is_empty() {
        status["conditions"] = json!([{
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    object.insert("status".to_owned(), status);
}

fn namespace(object: &mut Map) {
    object.insert("status".to_owned(), json!({"phase": "Active"}));
    add_to_set(map_at(object, "spec"), "finalizers", "kubernetes");
    super::cluster::namespace(object);
}

fn persistent_volume(object: &mut Map) {
    let now = Time::now().to_string();
    object.insert("status".to_owned(), json!({"phase": "Pending", "lastPhaseTransitionTime": now}));
    add_to_set(map_at(object, "metadata"), "finalizers", "kubernetes.io/pv-protection");
}

/// Syncs the old and the new field for a claim's data source.
fn data_sources(spec: &mut Map) {
    match (spec.get("dataSource"), spec.get("dataSourceRef")) {
        (Some(source), None) => {
            let source = source.clone();
            spec.insert("dataSourceRef".to_owned(), source);
        }
        (None, Some(source)) if source.get("namespace").is_none() => {
            let source = source.clone();
            spec.insert("dataSource".to_owned(), source);
        }
        _ => {}
    }
}

/// Keeps only the name of references to secrets.
fn secret_names(object: &mut Map) {
    for secret in objects_mut(object, "secrets") {
        secret.retain(|name, _| name == "name");
    }
}

fn set_template_generation(object: &mut Map, generation: &str) {
    let annotations = map_at(map_at(object, "metadata"), "annotations");
    annotations.insert(TEMPLATE_GENERATION.to_owned(), generation.into());
}

fn count_template(object: &mut Map, old: &Map) {
    let before: i64 =
        text_at(old, &["metadata", "annotations", TEMPLATE_GENERATION]).parse().unwrap_or_default();
    let is_changed = at(object, &["spec", "template"]) != at(old, &["spec", "template"]);
    let generation = before.saturating_add(i64::from(is_changed));
    set_template_generation(object, &generation.to_string());
}

const JOB_NAME: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];
const CONTROLLER_UID: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];

/// Selects a Job's Pods by its UID, unless `manualSelector` is set.
fn job(object: &mut Map) {
    if at(object, &["spec", "manualSelector"]).and_then(Value::as_bool) == Some(true) {
        return;
    }
    let name = text_at(object, &["metadata", "name"]).to_owned();
    let uid = text_at(object, &["metadata", "uid"]).to_owned();
    let spec = map_at(object, "spec");
    let labels = map_at(map_at(map_at(spec, "template"), "metadata"), "labels");
    for label in JOB_NAME {
        labels.entry(label).or_insert_with(|| name.as_str().into());
    }
    for label in CONTROLLER_UID {
        labels.entry(label).or_insert_with(|| uid.as_str().into());
    }
    let labels = Value::Object(labels.clone());
    let selected = map_at(map_at(spec, "selector"), "matchLabels");
    selected.entry(CONTROLLER_UID[1]).or_insert_with(|| uid.into());
    // Upstream applies defaults again when it decodes the stored Job, which copies the labels of the template.
    own_labels(object, labels);
}
