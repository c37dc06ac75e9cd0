//! Rust names for Kubernetes names.

/// The field name k8s-openapi uses for a JSON name: `hostIP` is `host_ip`, `clusterIPs` is `cluster_ips`,
/// `type` is `type_`.
pub(crate) fn field(json: &str) -> String {
    match json {
        "$ref" => return "ref_path".to_owned(),
        "$schema" => return "schema".to_owned(),
        "as" | "continue" | "enum" | "ref" | "type" => return format!("{json}_"),
        _ => {}
    }
    snake(json)
}

/// The name of the `static` of a struct.
pub(crate) fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

/// A name in snake case: `hostIP` is `host_ip`.
///
/// Words are split where a capital follows a small letter, and before the last capital of a run that a small
/// letter follows, unless that letter is the plural `s` of the run.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, &c) in chars.iter().enumerate() {
        if c == '-' || c == '.' || c == '/' {
            out.push('_');
            continue;
        }
        let before = at.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(at + 1);
        let plural = after == Some(&'s') && chars.get(at + 2).is_none_or(|c| c.is_uppercase());
        let starts_word = c.is_uppercase()
            && before
                .is_some_and(|b| !b.is_uppercase() || (after.is_some_and(|a| a.is_lowercase()) && !plural))
            && before != Some('-');
        if starts_word {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// A name with its first letter in upper case.
pub fn pascal(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_in_k8s_openapi() {
        for (json, rust) in [
            ("hostIP", "host_ip"),
            ("clusterIPs", "cluster_ips"),
            ("podCIDRs", "pod_cidrs"),
            ("serverAddressByClientCIDRs", "server_address_by_client_cidrs"),
            ("nonResourceURLs", "non_resource_urls"),
            ("targetWWNs", "target_wwns"),
            ("externalTrafficPolicy", "external_traffic_policy"),
            ("fsGroup", "fs_group"),
            ("setHostnameAsFQDN", "set_hostname_as_fqdn"),
            ("APIGroup", "api_group"),
            ("x-kubernetes-list-map-keys", "x_kubernetes_list_map_keys"),
            ("type", "type_"),
            ("$ref", "ref_path"),
            ("storagePolicyID", "storage_policy_id"),
            ("awsElasticBlockStore", "aws_elastic_block_store"),
        ] {
            assert_eq!(field(json), rust);
        }
        assert_eq!(constant("HTTPGetAction"), "HTTP_GET_ACTION");
        assert_eq!(constant("JSONSchemaProps"), "JSON_SCHEMA_PROPS");
    }
}
