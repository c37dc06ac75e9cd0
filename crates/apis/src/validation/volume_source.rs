//! Volume sources of Pods and PersistentVolumes.

use klient_apimachinery::validation::field::ErrorList;

use super::at::At;
use super::form::{descending_path, dns_label, dns_subdomain, no_backsteps};

/// A kind of volume source: its required fields and further checks.
pub(super) struct Source {
    pub(super) name: &'static str,
    required: &'static [&'static str],
    rest: fn(&At<'_, '_>, &mut ErrorList),
}

impl Source {
    pub(super) const fn new(
        name: &'static str,
        required: &'static [&'static str],
        rest: fn(&At<'_, '_>, &mut ErrorList),
    ) -> Self {
        Source { name, required, rest }
    }

    pub(super) fn check(&self, source: &At<'_, '_>, problems: &mut ErrorList) {
        for name in self.required {
            source.get(name).must_be_set("", problems);
        }
        (self.rest)(source, problems);
    }
}

/// Checks that exactly one of some kinds of source is set, and that one.
pub(super) fn exactly_one<'s>(
    volume: &At<'_, '_>,
    sources: impl IntoIterator<Item = &'s Source>,
    problems: &mut ErrorList,
) {
    let mut is_found = false;
    for source in sources {
        let at = volume.get(source.name);
        if !at.is_set() {
            continue;
        }
        if is_found {
            problems.add(at.forbidden("may not specify more than 1 volume type"));
        } else {
            source.check(&at, problems);
        }
        is_found = true;
    }
    if !is_found {
        problems.add(volume.required("must specify a volume type"));
    }
}

pub(super) fn nothing_more(_: &At<'_, '_>, _: &mut ErrorList) {}

pub(super) const GCE_DISK: Source = Source::new("gcePersistentDisk", &["pdName"], partition);
pub(super) const AWS_DISK: Source = Source::new("awsElasticBlockStore", &["volumeID"], partition);
pub(super) const NFS: Source = Source::new("nfs", &["server", "path"], |nfs, problems| {
    let path = nfs.get("path");
    if !path.text().starts_with('/') {
        problems.add(path.invalid_text("must be an absolute path"));
    }
});
pub(super) const ISCSI: Source = Source::new("iscsi", &["targetPortal", "iqn"], iscsi);
pub(super) const GLUSTERFS: Source = Source::new("glusterfs", &["endpoints", "path"], nothing_more);
pub(super) const FLOCKER: Source = Source::new("flocker", &[], flocker);
pub(super) const RBD: Source = Source::new("rbd", &["monitors", "image"], nothing_more);
pub(super) const CINDER: Source = Source::new("cinder", &["volumeID"], secret_name);
pub(super) const CEPHFS: Source = Source::new("cephfs", &["monitors"], nothing_more);
pub(super) const QUOBYTE: Source = Source::new("quobyte", &["registry", "volume"], nothing_more);
pub(super) const FC: Source = Source::new("fc", &[], fibre_channel);
pub(super) const FLEX: Source = Source::new("flexVolume", &["driver"], flex);
pub(super) const AZURE_FILE: Source = Source::new("azureFile", &["secretName", "shareName"], nothing_more);
pub(super) const VSPHERE: Source = Source::new("vsphereVolume", &["volumePath"], nothing_more);
pub(super) const PHOTON: Source = Source::new("photonPersistentDisk", &["pdID"], nothing_more);
pub(super) const PORTWORX: Source = Source::new("portworxVolume", &["volumeID"], nothing_more);
pub(super) const AZURE_DISK: Source = Source::new("azureDisk", &["diskName", "diskURI"], azure_disk);
pub(super) const STORAGEOS: Source = Source::new("storageos", &["volumeName"], storageos);
pub(super) const SCALE_IO: Source =
    Source::new("scaleIO", &["gateway", "system", "volumeName"], nothing_more);
pub(super) const HOST_PATH: Source = Source::new("hostPath", &["path"], |source, problems| {
    if source.get("path").is_empty() {
        return;
    }
    source.get("path").must_be(no_backsteps, problems);
    if source.get("type").is_set() {
        let types = [
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        ];
        source.get("type").must_be_one_of(&types, problems);
    }
});
pub(super) const LOCAL: Source = Source::new("local", &["path"], |source, problems| {
    source.get("path").must_be(no_backsteps, problems);
});
pub(super) const GIT_REPO: Source = Source::new("gitRepo", &["repository"], |source, problems| {
    source.get("directory").must_be(descending_path, problems);
});

fn partition(disk: &At<'_, '_>, problems: &mut ErrorList) {
    let partition = disk.get("partition");
    if !(0..=255).contains(&partition.number()) {
        problems.add(partition.invalid("must be between 1 and 255, inclusive"));
    }
}

fn secret_name(source: &At<'_, '_>, problems: &mut ErrorList) {
    if source.get("secretRef").is_set() {
        source.get("secretRef.name").must_be_set("", problems);
    }
}

fn iscsi(source: &At<'_, '_>, problems: &mut ErrorList) {
    let iqn = source.get("iqn");
    if !iqn.is_empty() && !["iqn", "eui", "naa"].iter().any(|prefix| iqn.text().starts_with(prefix)) {
        problems.add(iqn.invalid("must be valid format starting with iqn, eui, or naa"));
    }
    source.get("lun").must_be_between(0, 255, problems);
    let needs_secret = source.get("chapAuthDiscovery").flag() || source.get("chapAuthSession").flag();
    if needs_secret && !source.get("secretRef").is_set() {
        problems.add(source.get("secretRef").required(""));
    }
}

fn flocker(source: &At<'_, '_>, problems: &mut ErrorList) {
    let (name, id) = (source.get("datasetName"), source.get("datasetUUID"));
    match (name.is_empty(), id.is_empty()) {
        (true, true) => problems.add(source.required("one of datasetName and datasetUUID is required")),
        (false, false) => {
            let problem = "datasetName and datasetUUID can not be specified simultaneously";
            problems.add(source.invalid_as("resource", problem));
        }
        _ => {}
    }
    if name.text().contains('/') {
        problems.add(name.invalid("must not contain '/'"));
    }
}

fn fibre_channel(source: &At<'_, '_>, problems: &mut ErrorList) {
    let (targets, lun) = (source.get("targetWWNs"), source.get("lun"));
    match (targets.is_empty(), source.get("wwids").is_empty()) {
        (true, true) => {
            problems.add(targets.required("must specify either targetWWNs or wwids, but not both"));
        }
        (false, false) => {
            problems.add(targets.invalid("targetWWNs and wwids can not be specified simultaneously"));
        }
        _ => {}
    }
    if !targets.is_empty() {
        if lun.is_set() {
            lun.must_be_between(0, 255, problems);
        } else {
            problems.add(lun.required("lun is required if targetWWNs is specified"));
        }
    }
}

fn flex(source: &At<'_, '_>, problems: &mut ErrorList) {
    for (key, option) in source.get("options").entries() {
        let namespace = key.split('/').next().unwrap_or_default().to_lowercase();
        let is_in = |domain: &str| namespace == domain || namespace.ends_with(&format!(".{domain}"));
        if is_in("kubernetes.io") || is_in("k8s.io") {
            problems.add(option.invalid_as(key, "kubernetes.io and k8s.io namespaces are reserved"));
        }
    }
}

fn azure_disk(disk: &At<'_, '_>, problems: &mut ErrorList) {
    disk.get("cachingMode").must_be_one_of(&["None", "ReadOnly", "ReadWrite"], problems);
    let kind = disk.get("kind");
    kind.must_be_one_of(&["Dedicated", "Managed", "Shared"], problems);
    let (prefix, form) = if kind.text() == "Managed" {
        let form =
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
        ("/subscriptions/", form)
    } else {
        ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
    };
    if !disk.get("diskURI").text().starts_with(prefix) {
        problems.add(disk.get("diskURI").not_supported(&[form]));
    }
}

fn storageos(source: &At<'_, '_>, problems: &mut ErrorList) {
    for name in ["volumeName", "volumeNamespace"] {
        if !source.get(name).is_empty() {
            source.get(name).must_be(dns_label, problems);
        }
    }
    secret_name(source, problems);
}

/// The name of a CSI driver.
pub(super) fn driver_name(name: &At<'_, '_>, problems: &mut ErrorList) {
    if name.is_empty() {
        return problems.add(name.required(""));
    }
    if name.text().len() > 63 {
        problems.add(name.too_long(63));
    }
    for problem in dns_subdomain(&name.text().to_lowercase()) {
        problems.add(name.invalid(problem));
    }
}
