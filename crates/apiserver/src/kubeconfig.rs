//! A kubeconfig for the server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::yaml;
use serde_json::json;

/// A kubeconfig with a bearer token.
pub(crate) fn write(url: &str, ca_pem: &str, token: &str) -> String {
    yaml::to_string(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "klient",
        "clusters": [{
            "name": "klient",
            "cluster": {"server": url, "certificate-authority-data": BASE64.encode(ca_pem)},
        }],
        "users": [{"name": "klient", "user": {"token": token}}],
        "contexts": [{
            "name": "klient",
            "context": {"cluster": "klient", "user": "klient", "namespace": "default"},
        }],
    }))
}
