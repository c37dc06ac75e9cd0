//! The structs that Go's types embed: its errors name them as if they were fields.

/// Fields of a PersistentVolume's spec that are not in its source.
const OF_VOLUMES: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// The embedded structs around a field of a struct, the outermost first. Nearly all fields have none.
pub(super) fn embedded(schema: &str, field: &str) -> &'static [&'static str] {
    match (schema, field) {
        (
            "ConfigMapEnvSource"
            | "ConfigMapKeySelector"
            | "ConfigMapProjection"
            | "ConfigMapVolumeSource"
            | "SecretEnvSource"
            | "SecretKeySelector"
            | "SecretProjection",
            "name",
        ) => &["LocalObjectReference"],
        ("EphemeralContainer", field) if field != "targetContainerName" => &["EphemeralContainerCommon"],
        ("IngressRule", "http") => &["IngressRuleValue"],
        ("NamedRuleWithOperations", "apiGroups" | "apiVersions" | "resources" | "scope") => {
            &["RuleWithOperations", "Rule"]
        }
        ("NamedRuleWithOperations", "operations") => &["RuleWithOperations"],
        ("PersistentVolumeSpec", field) if !OF_VOLUMES.contains(&field) => &["PersistentVolumeSource"],
        ("Probe", "exec" | "grpc" | "httpGet" | "tcpSocket") => &["ProbeHandler"],
        ("RuleWithOperations", "apiGroups" | "apiVersions" | "resources" | "scope") => &["Rule"],
        ("Volume", field) if field != "name" => &["VolumeSource"],
        _ => &[],
    }
}
