//! Storage: volumes of the cluster, claims to them, and their classes.

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::at::{At, same};
use super::form::{dns_label, dns_subdomain, qualified_name};
use super::resources::{amount, non_negative, quantity};
use super::selector::{label_selector, node_selector};
use super::volume_source::{
    AWS_DISK, AZURE_DISK, AZURE_FILE, CEPHFS, CINDER, FC, FLEX, FLOCKER, GCE_DISK, GLUSTERFS, HOST_PATH,
    ISCSI, LOCAL, NFS, PHOTON, PORTWORX, QUOBYTE, RBD, SCALE_IO, STORAGEOS, Source, VSPHERE, driver_name,
    exactly_one,
};

/// Every kind of source a PersistentVolume can have, in the order they are looked at.
const SOURCES: [Source; 21] = [
    HOST_PATH, GCE_DISK, AWS_DISK, GLUSTERFS, FLOCKER, NFS, RBD, QUOBYTE, CEPHFS, ISCSI, CINDER, FC, FLEX,
    AZURE_FILE, VSPHERE, PHOTON, PORTWORX, AZURE_DISK, SCALE_IO, LOCAL, STORAGEOS,
];
const CSI: Source = Source::new("csi", &[], csi);

fn csi(source: &At<'_, '_>, problems: &mut ErrorList) {
    driver_name(&source.get("driver"), problems);
    source.get("volumeHandle").must_be_set("", problems);
    for name in [
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ] {
        let secret = source.get(name);
        if secret.is_set() {
            secret.get("name").must_have(dns_subdomain, problems);
            secret.get("namespace").must_have(dns_label, problems);
        }
    }
}

fn access_modes(modes: &At<'_, '_>, problem: &str, problems: &mut ErrorList) {
    const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
    modes.must_be_set(problem, problems);
    for mode in modes.texts().filter(|mode| !MODES.contains(mode)) {
        problems.add(FieldError::not_supported(modes.path(), mode, &MODES));
    }
    let is_exclusive = |mode: &str| mode == "ReadWriteOncePod";
    let is_shared = |mode: &str| MODES[..3].contains(&mode);
    if modes.texts().any(is_exclusive) && modes.texts().any(is_shared) {
        problems.add(modes.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

pub(super) fn volume(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    access_modes(&spec.get("accessModes"), "", problems);
    capacity(&spec.get("capacity"), problems);
    let reclaim = spec.get("persistentVolumeReclaimPolicy");
    if !reclaim.is_empty() {
        reclaim.must_be_one_of(&["Delete", "Recycle", "Retain"], problems);
    }
    let affinity = spec.get("nodeAffinity");
    let required = affinity.get("required");
    if required.is_set() {
        node_selector(&required, problems);
    } else if affinity.is_set() {
        problems.add(required.required("must specify required node constraints"));
    }
    exactly_one(&spec, SOURCES.iter().chain([&CSI]), problems);
    if spec.get("local").is_set() && !required.is_set() {
        problems.add(affinity.required("Local volume requires node affinity"));
    }
    let path = spec.get("hostPath.path");
    if !path.is_empty() && path.text().bytes().all(|c| c == b'/') && reclaim.text() == "Recycle" {
        problems.add(reclaim.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
    }
    class_and_mode(&spec, problems);
    let attributes = spec.get("volumeAttributesClassName");
    if attributes.is_set() {
        if attributes.is_empty() {
            problems.add(attributes.required("an empty string is disallowed"));
        } else {
            attributes.must_be(dns_subdomain, problems);
        }
        if !spec.get("csi").is_set() {
            problems
                .add(spec.get("csi").required("has to be specified when using volumeAttributesClassName"));
        }
    }
}

fn capacity(capacity: &At<'_, '_>, problems: &mut ErrorList) {
    capacity.must_be_set("", problems);
    if capacity.entries().count() != 1 || !capacity.get("storage").is_set() {
        let shown = capacity.raw().cloned().unwrap_or_default();
        problems.add(FieldError::not_supported(capacity.path(), shown, &["storage"]));
    }
    for (_, size) in capacity.entries() {
        if amount(&size) < 0 {
            let whole = i64::try_from(amount(&size) / 1_000_000_000).unwrap_or(i64::MIN);
            problems.add(size.invalid_as(whole, "must be a valid resource quantity"));
        }
        positive(&size, problems);
    }
}

fn positive(size: &At<'_, '_>, problems: &mut ErrorList) {
    if amount(size) <= 0 {
        problems.add(size.invalid("must be greater than zero"));
    }
}

fn class_and_mode(spec: &At<'_, '_>, problems: &mut ErrorList) {
    if !spec.get("storageClassName").is_empty() {
        spec.get("storageClassName").must_be(dns_subdomain, problems);
    }
    if spec.get("volumeMode").is_set() {
        spec.get("volumeMode").must_be_one_of(&["Block", "Filesystem"], problems);
    }
}

pub(super) fn volume_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    let is_same = |name: &str| same(spec.get(name).raw(), before.get(name).raw());
    let is_csi_same = {
        let without_expansion = |spec: &At<'_, '_>| {
            let mut csi = spec.get("csi").raw().cloned();
            if let Some(Value::Object(csi)) = &mut csi {
                csi.remove("controllerExpandSecretRef");
            }
            csi
        };
        let adds = !before.get("csi.controllerExpandSecretRef").is_set();
        is_same("csi")
            || (adds && same(without_expansion(&spec).as_ref(), without_expansion(&before).as_ref()))
    };
    if !is_csi_same || !SOURCES.iter().all(|source| is_same(source.name)) {
        // Upstream appends a diff.
        let problem = "spec.persistentvolumesource is immutable after creation";
        problems.add(FieldError::forbidden("spec.persistentvolumesource", problem));
    }
    let immutable = |path: &str, name: &str, problem: &str| {
        let shown = spec.get(name).raw().cloned().unwrap_or_default();
        FieldError::invalid(path, shown, problem)
    };
    if !is_same("volumeMode") {
        problems.add(immutable("volumeMode", "volumeMode", "field is immutable"));
    }
    if before.get("nodeAffinity").is_set() && !is_same("nodeAffinity") {
        let problem = "field is immutable, except for updating from beta label to GA";
        problems.add(immutable("nodeAffinity", "nodeAffinity", problem));
    }
    let attributes = spec.get("volumeAttributesClassName");
    if before.get("volumeAttributesClassName").is_set() && !attributes.is_set() {
        problems.add(attributes.forbidden("update from non-nil value to nil is forbidden"));
    }
}

pub(super) fn claim(object: &Map, problems: &mut ErrorList) {
    claim_spec(&At::new(object, "spec"), problems);
}

/// Checks the spec of a claim: of a PersistentVolumeClaim, a template or an ephemeral volume.
pub(super) fn claim_spec(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let modes = spec.get("accessModes");
    modes.must_be_set("at least 1 access mode is required", problems);
    label_selector(&spec.get("selector"), problems);
    if !modes.is_empty() {
        access_modes(&modes, "", problems);
    }
    claim_size(spec, problems);
    class_and_mode(spec, problems);
    data_sources(spec, problems);
    if !spec.get("volumeAttributesClassName").is_empty() {
        spec.get("volumeAttributesClassName").must_be(dns_subdomain, problems);
    }
}

fn claim_size(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let size = spec.get("resources.requests.storage");
    let path = format!("{}[storage]", spec.get("resources").path());
    let shown = At::named(&path, size.raw());
    if !size.is_set() {
        problems.add(shown.required(""));
    } else if amount(&size) <= 0 {
        positive(&shown, problems);
    } else {
        quantity("storage", &shown, problems);
    }
}

fn data_sources(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (source, reference) = (spec.get("dataSource"), spec.get("dataSourceRef"));
    for at in [&source, &reference] {
        if at.is_set() {
            data_source(at, problems);
        }
    }
    let namespace = reference.get("namespace");
    if !namespace.is_empty() {
        namespace.must_be(dns_label, problems);
        if source.is_set() {
            let problem = "may not be specified when dataSourceRef.namespace is specified";
            problems.add(spec.invalid_as(source.path(), problem));
        }
    } else if source.is_set() && reference.is_set() {
        let is_same = ["apiGroup", "kind", "name"]
            .iter()
            .all(|name| source.get(name).raw() == reference.get(name).raw());
        if !is_same {
            problems.add(spec.invalid_as(source.path(), "must match dataSourceRef"));
        }
    }
}

fn data_source(source: &At<'_, '_>, problems: &mut ErrorList) {
    let (group, kind) = (source.get("apiGroup"), source.get("kind"));
    source.get("name").must_be_set("", problems);
    kind.must_be_set("", problems);
    if !group.is_empty() {
        group.must_be(dns_subdomain, problems);
    } else if kind.text() != "PersistentVolumeClaim" {
        let problem = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        problems.add(source.invalid_as(kind.text(), problem));
    }
}

pub(super) fn claim_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    let is_bound = At::new(old, "status.phase").text() == "Bound";
    let is_mutable = |name: &str| match name {
        "volumeName" => before.get("volumeName").is_empty(),
        "storageClassName" => {
            !before.get("storageClassName").is_set() && !spec.get("storageClassName").is_empty()
        }
        "volumeAttributesClassName" => is_bound,
        _ => false,
    };
    let fixed = |spec: &At<'_, '_>| {
        let mut fields = spec.map().cloned().unwrap_or_default();
        fields.retain(|name, _| !is_mutable(name));
        let requests = fields.get_mut("resources").and_then(|resources| resources.get_mut("requests"));
        if let (true, Some(Value::Object(requests))) = (is_bound, requests) {
            requests.remove("storage");
        }
        Value::Object(fields)
    };
    if !same(Some(&fixed(&spec)), Some(&fixed(&before))) {
        // Upstream appends a diff.
        let problem = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        problems.add(spec.forbidden(problem));
    }
    let (size, old_size) = (spec.get("resources.requests.storage"), before.get("resources.requests.storage"));
    if amount(&size) < amount(&old_size) && amount(&size) <= amount(&At::new(old, "status.capacity.storage"))
    {
        problems.add(size.forbidden("field can not be less than status.capacity"));
    }
    At::named("volumeMode", spec.get("volumeMode").raw()).must_equal(&before.get("volumeMode"), problems);
}

pub(super) fn storage_class(object: &Map, problems: &mut ErrorList) {
    let provisioner = At::new(object, "provisioner");
    if !provisioner.is_empty() {
        provisioner.must_be(|name| qualified_name(&name.to_lowercase()), problems);
    }
    parameters(&At::new(object, "parameters"), problems);
    let reclaim = At::new(object, "reclaimPolicy");
    if !reclaim.is_empty() {
        reclaim.must_be_one_of(&["Delete", "Retain"], problems);
    }
    let mode = At::new(object, "volumeBindingMode");
    if mode.is_set() {
        mode.must_be_one_of(&["Immediate", "WaitForFirstConsumer"], problems);
    }
    for term in At::new(object, "allowedTopologies").items() {
        topology_term(&term, problems);
    }
    provisioner.must_be_set("", problems);
}

fn topology_term(term: &At<'_, '_>, problems: &mut ErrorList) {
    let mut keys = Vec::new();
    for expression in term.get("matchLabelExpressions").items() {
        let (key, values) = (expression.get("key"), expression.get("values"));
        values.must_be_set("", problems);
        for (index, value) in values.items().enumerate() {
            if values.texts().take(index).any(|other| other == value.text()) {
                problems.add(value.duplicate(value.text()));
            }
        }
        key.must_be(qualified_name, problems);
        if keys.contains(&key.text()) {
            problems.add(key.duplicate(key.text()));
        }
        keys.push(key.text());
    }
}

fn parameters(parameters: &At<'_, '_>, problems: &mut ErrorList) {
    if parameters.entries().count() > 512 {
        return problems.add(parameters.too_long(512));
    }
    let mut size = 0;
    for (key, value) in parameters.entries() {
        if key.is_empty() {
            problems.add(parameters.invalid_as(key, "field can not be empty."));
        }
        size += key.len() + value.text().len();
    }
    if size > 256 * 1024 {
        problems.add(parameters.too_long(256 * 1024));
    }
}

pub(super) fn storage_class_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    for path in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
        At::new(object, path).must_equal(&At::new(old, path), problems);
    }
}

pub(super) fn attributes_class(object: &Map, problems: &mut ErrorList) {
    let driver = At::new(object, "driverName");
    driver.must_have(|name| qualified_name(&name.to_lowercase()), problems);
    parameters(&At::new(object, "parameters"), problems);
    At::new(object, "parameters").must_be_set("must contain at least one key/value pair", problems);
}

pub(super) fn attachment(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let (inline, name) = (spec.get("source.inlineVolumeSpec"), spec.get("source.persistentVolumeName"));
    let exactly = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (inline.is_set(), name.is_set()) {
        (false, false) => problems.add(spec.get("source").required(exactly)),
        (true, true) => problems.add(spec.get("source").forbidden(exactly)),
        (false, true) => name.must_be_set("must specify non empty persistentVolumeName", problems),
        (true, false) => {}
    }
    spec.get("nodeName").must_be(dns_subdomain, problems);
    if name.is_set() {
        name.must_be(dns_subdomain, problems);
    }
    driver_name(&spec.get("attacher"), problems);
}

pub(super) fn csi_driver(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let policy = spec.get("fsGroupPolicy");
    if policy.is_set() {
        policy.must_be_one_of(&["File", "None", "ReadWriteOnceWithFSType"], problems);
    }
    let modes = spec.get("volumeLifecycleModes");
    for mode in modes.texts().filter(|mode| !matches!(*mode, "Persistent" | "Ephemeral")) {
        problems.add(FieldError::not_supported(modes.path(), mode, &["Persistent", "Ephemeral"]));
    }
}

pub(super) fn csi_driver_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let attach = At::new(object, "spec.attachRequired");
    At::named("spec.attachedRequired", attach.raw())
        .must_equal(&At::new(old, "spec.attachRequired"), problems);
    let path = "spec.volumeLifecycleModes";
    At::new(object, path).must_equal(&At::new(old, path), problems);
}

pub(super) fn csi_capacity(object: &Map, problems: &mut ErrorList) {
    label_selector(&At::new(object, "nodeTopology"), problems);
    At::new(object, "storageClassName").must_be(dns_subdomain, problems);
    non_negative(&At::new(object, "capacity"), problems);
}
