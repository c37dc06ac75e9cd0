//! Secrets and service accounts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::values::{Map, at};

use super::Written;

const MOUNTABLE: &str = "kubernetes.io/enforce-mountable-secrets";

/// Warns of a certificate or key that is no PEM.
pub(super) fn secret(written: Written<'_>, warnings: &mut Vec<String>) {
    if written.at("type").text() != "kubernetes.io/tls" {
        return;
    }
    for (key, input) in [("tls.crt", "certificate"), ("tls.key", "key")] {
        let data = at(written.object, &["data", key]).and_then(|data| data.as_str()).unwrap_or_default();
        let data = BASE64.decode(data).unwrap_or_default();
        if !String::from_utf8_lossy(&data).contains("-----BEGIN ") {
            warnings.push(format!("tls: failed to find any PEM data in {input} input"));
            return;
        }
    }
}

/// Warns of a new annotation of a deprecated feature.
pub(super) fn service_account(written: Written<'_>, warnings: &mut Vec<String>) {
    let has = |object: &Map| at(object, &["metadata", "annotations", MOUNTABLE]).is_some();
    if has(written.object) && !written.old.is_some_and(has) {
        warnings.push(format!(
            "metadata.annotations[{MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access \
             to mounted secrets"
        ));
    }
}
