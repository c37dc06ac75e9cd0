//! The signers of `kubernetes.io` that kube-controller-manager runs, and the requests that they sign.

use std::collections::BTreeSet;

use super::CertificateRequest;

/// The signer of clients of the API server.
pub(crate) const KUBE_API_SERVER_CLIENT: &str = "kubernetes.io/kube-apiserver-client";

/// The signer of kubelets as clients of the API server.
const KUBE_API_SERVER_CLIENT_KUBELET: &str = "kubernetes.io/kube-apiserver-client-kubelet";

/// The signer of kubelets as servers.
const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";

/// The longest lifetime of a certificate, in seconds, which is also the default.
const LONGEST: i64 = 365 * 24 * 60 * 60;

/// The shortest lifetime of a certificate, in seconds.
const SHORTEST: i64 = 10 * 60;

/// The lifetime of a certificate for a requested one, both in seconds.
pub(crate) fn lifetime(requested: Option<i64>) -> i64 {
    requested.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST)
}

/// Checks that a signer signs a request; `None` if the signer is not one of this server.
///
/// # Errors
///
/// Upstream's message, which becomes that of the condition `Failed`.
pub(crate) fn check(
    signer: &str,
    request: &CertificateRequest,
    usages: &[&str],
) -> Option<Result<(), String>> {
    match signer {
        KUBE_API_SERVER_CLIENT => Some(check_client(usages)),
        KUBE_API_SERVER_CLIENT_KUBELET => Some(check_kubelet_client(request, usages)),
        KUBELET_SERVING => Some(check_kubelet_serving(request, usages)),
        _ => None,
    }
}

fn check_client(usages: &[&str]) -> Result<(), String> {
    let is_allowed =
        |usage: &&&str| matches!(**usage, "client auth" | "digital signature" | "key encipherment");
    if let Some(usage) = usages.iter().find(|usage| !is_allowed(usage)) {
        return Err(format!("invalid usage for client certificate: {usage}"));
    }
    if !usages.contains(&"client auth") {
        return Err("missing required usage for client certificate: client auth".to_owned());
    }
    Ok(())
}

fn check_kubelet_client(request: &CertificateRequest, usages: &[&str]) -> Result<(), String> {
    let names = &request.alt_names;
    check_organization(request)?;
    for (is_named, what) in
        [(names.has_dns, "DNS"), (names.has_email, "Email"), (names.has_ip, "IP"), (names.has_uri, "URI")]
    {
        if is_named {
            return Err(format!("{what} subjectAltNames are not allowed"));
        }
    }
    check_common_name(request)?;
    check_usages(usages, "client auth")
}

fn check_kubelet_serving(request: &CertificateRequest, usages: &[&str]) -> Result<(), String> {
    let names = &request.alt_names;
    check_organization(request)?;
    if !names.has_dns && !names.has_ip {
        return Err("DNS or IP subjectAltName is required".to_owned());
    }
    for (is_named, what) in [(names.has_email, "Email"), (names.has_uri, "URI")] {
        if is_named {
            return Err(format!("{what} subjectAltNames are not allowed"));
        }
    }
    check_usages(usages, "server auth")?;
    check_common_name(request)
}

fn check_organization(request: &CertificateRequest) -> Result<(), String> {
    if request.subject.organizations == ["system:nodes"] {
        return Ok(());
    }
    Err("subject organization is not system:nodes".to_owned())
}

fn check_common_name(request: &CertificateRequest) -> Result<(), String> {
    if request.subject.common_name.starts_with("system:node:") {
        return Ok(());
    }
    Err("subject common name does not begin with system:node:".to_owned())
}

/// Checks that the usages are those of a kubelet; encipherment is for RSA alone.
fn check_usages(usages: &[&str], purpose: &str) -> Result<(), String> {
    let usages: BTreeSet<&str> = usages.iter().copied().collect();
    let required = BTreeSet::from([purpose, "digital signature"]);
    let with_rsa: BTreeSet<&str> = required.iter().copied().chain(["key encipherment"]).collect();
    if usages == required || usages == with_rsa {
        return Ok(());
    }
    let with_rsa: Vec<&str> = with_rsa.into_iter().collect();
    Err(format!("usages did not match [{}]", with_rsa.join(" ")))
}
