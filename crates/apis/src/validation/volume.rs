//! Volumes of Pods.

use std::collections::{BTreeMap, HashSet};

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::ErrorList;
use serde_json::Value;

use super::at::At;
use super::env::{field_selector, resource_selector};
use super::form::{dns_label, dns_subdomain, file_path};
use super::metadata::of_claim_template;
use super::resources::amount;
use super::security::user;
use super::selector::label_selector;
use super::volume_source::{
    AWS_DISK, AZURE_DISK, AZURE_FILE, CEPHFS, CINDER, FC, FLEX, FLOCKER, GCE_DISK, GIT_REPO, GLUSTERFS,
    HOST_PATH, ISCSI, NFS, PHOTON, PORTWORX, QUOBYTE, RBD, SCALE_IO, STORAGEOS, Source, VSPHERE, driver_name,
    exactly_one, nothing_more,
};

/// Every kind of source a Pod's volume can have, in the order they are looked at.
const SOURCES: [Source; 30] = [
    Source::new("emptyDir", &[], empty_dir),
    HOST_PATH,
    GIT_REPO,
    GCE_DISK,
    AWS_DISK,
    Source::new("secret", &["secretName"], items_of),
    NFS,
    ISCSI,
    GLUSTERFS,
    FLOCKER,
    Source::new("persistentVolumeClaim", &["claimName"], nothing_more),
    RBD,
    CINDER,
    CEPHFS,
    QUOBYTE,
    Source::new("downwardAPI", &[], downward_api),
    FC,
    FLEX,
    Source::new("configMap", &["name"], items_of),
    AZURE_FILE,
    VSPHERE,
    PHOTON,
    PORTWORX,
    AZURE_DISK,
    STORAGEOS,
    Source::new("projected", &[], projected),
    SCALE_IO,
    Source::new("csi", &[], csi),
    Source::new("ephemeral", &["volumeClaimTemplate"], ephemeral),
    Source::new("image", &["reference"], |image, problems| {
        image.get("pullPolicy").must_have_one_of(&["Always", "IfNotPresent", "Never"], problems);
    }),
];

/// Checks the volumes of a Pod with this name, and gives those that can be mounted.
pub(super) fn volumes<'v>(
    volumes: &At<'_, 'v>,
    pod_name: &str,
    problems: &mut ErrorList,
) -> BTreeMap<&'v str, &'v Value> {
    let mut known = BTreeMap::new();
    let claim_of = |volume: &At<'_, '_>| format!("{pod_name}-{}", volume.get("name").text());
    let is_made = |volume: &At<'_, '_>| !pod_name.is_empty() && volume.get("ephemeral").is_set();
    let made: Vec<String> = volumes.items().filter(is_made).map(|volume| claim_of(&volume)).collect();
    for volume in volumes.items() {
        let before = problems.0.len();
        let name = volume.get("name");
        exactly_one(&volume, &SOURCES, problems);
        if is_made(&volume) {
            for problem in dns_subdomain(&claim_of(&volume)) {
                problems.add(name.invalid(format!("PVC name {}: {problem}", quoted(claim_of(&volume)))));
            }
        }
        name.must_have(dns_label, problems);
        if known.contains_key(name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        if let (true, Some(value)) = (problems.0.len() == before, volume.raw()) {
            known.insert(name.text(), value);
        }
        let claim = volume.get("persistentVolumeClaim.claimName");
        if claim.is_set() && made.iter().any(|made| made == claim.text()) {
            problems.add(claim.invalid("must not reference a PVC that gets created for an ephemeral volume"));
        }
    }
    known
}

fn empty_dir(source: &At<'_, '_>, problems: &mut ErrorList) {
    let limit = source.get("sizeLimit");
    if amount(&limit) < 0 {
        problems.add(limit.forbidden("SizeLimit field must be a valid resource quantity"));
    }
}

fn mode(mode: &At<'_, '_>, problems: &mut ErrorList) {
    if !(0..=0o777).contains(&mode.number()) {
        problems.add(mode.invalid("must be a number between 0 and 0777 (octal), both inclusive"));
    }
}

/// Checks the items and default mode of sources that project files.
fn files(source: &At<'_, '_>, problems: &mut ErrorList) {
    mode(&source.get("defaultMode"), problems);
    user(&source.get("defaultUser"), problems);
}

fn items_of(source: &At<'_, '_>, problems: &mut ErrorList) {
    files(source, problems);
    for item in source.get("items").items() {
        key_to_path(&item, problems);
    }
}

fn key_to_path(item: &At<'_, '_>, problems: &mut ErrorList) {
    item.get("key").must_be_set("", problems);
    item.get("path").must_be_set("", problems);
    item.get("path").must_be(file_path, problems);
    mode(&item.get("mode"), problems);
    user(&item.get("user"), problems);
}

const FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

fn downward_api(source: &At<'_, '_>, problems: &mut ErrorList) {
    files(source, problems);
    for item in source.get("items").items() {
        downward_file(&source.holding(item.raw()), problems);
    }
}

fn downward_file(file: &At<'_, '_>, problems: &mut ErrorList) {
    file.get("path").must_be_set("", problems);
    file.get("path").must_be(file_path, problems);
    let (field, resource) = (file.get("fieldRef"), file.get("resourceFieldRef"));
    if field.is_set() {
        field_selector(&field, &FIELDS, problems);
        if resource.is_set() {
            let problem = "fieldRef and resourceFieldRef can not be specified simultaneously";
            problems.add(file.invalid_as("resource", problem));
        }
    } else if resource.is_set() {
        resource_selector(&resource, true, problems);
    } else {
        problems.add(file.required("one of fieldRef and resourceFieldRef is required"));
    }
    mode(&file.get("mode"), problems);
    user(&file.get("user"), problems);
}

fn projected(volume: &At<'_, '_>, problems: &mut ErrorList) {
    files(volume, problems);
    let mut paths = HashSet::new();
    let mut take = |path: &str, shown: &str, problems: &mut ErrorList| {
        if !paths.insert(path.to_owned()) {
            problems.add(volume.invalid_as(shown, "conflicting duplicate paths"));
        }
    };
    for source in volume.get("sources").items() {
        for kind in ["secret", "configMap"] {
            let projection = source.get(kind);
            if projection.is_set() {
                projection.get("name").must_be_set("", problems);
            }
            for item in projection.get("items").items() {
                key_to_path(&item, problems);
                match item.get("path").text() {
                    "" => {}
                    path => take(path, projection.get("name").text(), problems),
                }
            }
        }
        let downward = source.get("downwardAPI");
        for item in downward.get("items").items() {
            downward_file(&downward.holding(item.raw()), problems);
            match item.get("path").text() {
                "" => {}
                path => take(path, path, problems),
            }
        }
        token(&source.get("serviceAccountToken"), volume, problems);
        let bundle = source.get("clusterTrustBundle");
        if bundle.is_set() {
            trust_bundle(&bundle, problems);
            take(bundle.get("path").text(), bundle.get("path").text(), problems);
        }
        let kinds = [
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
            "podCertificate",
        ];
        if kinds.iter().filter(|kind| source.get(kind).is_set()).count() > 1 {
            problems.add(source.forbidden("may not specify more than 1 volume type per source"));
        }
    }
}

fn token(token: &At<'_, '_>, volume: &At<'_, '_>, problems: &mut ErrorList) {
    if !token.is_set() {
        return;
    }
    let lifetime = token.get("expirationSeconds");
    if lifetime.number() < 600 {
        problems.add(lifetime.invalid("may not specify a duration less than 10 minutes"));
    } else if lifetime.number() > 1 << 32 {
        problems.add(lifetime.invalid("may not specify a duration larger than 2^32 seconds"));
    }
    let path = volume.holding(token.raw());
    path.get("path").must_have(file_path, problems);
    user(&token.get("user"), problems);
}

fn trust_bundle(bundle: &At<'_, '_>, problems: &mut ErrorList) {
    let (name, signer, selector) =
        (bundle.get("name"), bundle.get("signerName"), bundle.get("labelSelector"));
    match (name.is_set(), signer.is_set()) {
        (true, true) => problems.add(bundle.invalid("only one of name and signerName may be used")),
        (true, false) => {
            name.must_be_set("must be a valid object name", problems);
            if selector.is_set() {
                problems.add(selector.invalid("labelSelector must be unset if name is specified"));
            }
        }
        (false, true) => {
            signer.must_be_set("must be a valid signer name", problems);
            label_selector(&selector, problems);
        }
        (false, false) => problems.add(bundle.required("either name or signerName must be specified")),
    }
    bundle.get("path").must_be_set("", problems);
    bundle.get("path").must_be(file_path, problems);
}

fn csi(source: &At<'_, '_>, problems: &mut ErrorList) {
    driver_name(&source.get("driver"), problems);
    if source.get("nodePublishSecretRef").is_set() {
        source.get("nodePublishSecretRef.name").must_have(dns_subdomain, problems);
    }
}

fn ephemeral(source: &At<'_, '_>, problems: &mut ErrorList) {
    let template = source.get("volumeClaimTemplate");
    if template.is_set() {
        of_claim_template(&template.get("metadata"), problems);
        super::storage::claim_spec(&template.get("spec"), problems);
    }
}
