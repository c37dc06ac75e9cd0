//! The signers of `kubernetes.io` that a cluster runs, and the usages of their certificates.
//!
//! ```
//! use klient_certificate::signers;
//! let usages = signers::default_usages(signers::KUBELET_SERVING).unwrap();
//! assert_eq!(usages, ["digital signature", "server auth"]);
//! assert_eq!(signers::default_usages("example.com/signer"), None);
//! ```

/// Signs certificates of clients of the API server: the common name is the user, the organizations are the groups.
pub const KUBE_APISERVER_CLIENT: &str = "kubernetes.io/kube-apiserver-client";

/// Signs certificates of kubelets as clients: the common name is `system:node:NAME`, the organization `system:nodes`,
/// without DNS names and IP addresses.
pub const KUBE_APISERVER_CLIENT_KUBELET: &str = "kubernetes.io/kube-apiserver-client-kubelet";

/// Signs certificates of kubelets as servers: the names are those of [`KUBE_APISERVER_CLIENT_KUBELET`], with a DNS name
/// or an IP address.
pub const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";

/// The usages that a signer of `kubernetes.io` requires of a key that is not RSA; `None` for other signers.
pub fn default_usages(signer_name: &str) -> Option<[&'static str; 2]> {
    const SIGNATURE: &str = "digital signature";
    match signer_name {
        KUBE_APISERVER_CLIENT | KUBE_APISERVER_CLIENT_KUBELET => Some([SIGNATURE, "client auth"]),
        KUBELET_SERVING => Some([SIGNATURE, "server auth"]),
        _ => None,
    }
}
