//! Controllers that react to changes, as those of kube-apiserver and kube-controller-manager do.

mod certificate_signing_request;
mod custom_resource_definition;
mod disruption;
mod kubelet;
mod namespace;
mod validating_admission_policy;

use crate::state::Controller;

/// The controllers of kube-apiserver, and the kubelet of the built-in containers.
pub(crate) const API_SERVER: &[&dyn Controller] =
    &[&custom_resource_definition::CustomResourceDefinitions, &kubelet::Kubelet];

/// The controllers of kube-apiserver and kube-controller-manager, and that kubelet.
pub(crate) const ALL: &[&dyn Controller] = &[
    &custom_resource_definition::CustomResourceDefinitions,
    &namespace::Namespaces,
    &certificate_signing_request::CertificateSigningRequests,
    &disruption::PodDisruptionBudgets,
    &validating_admission_policy::ValidatingAdmissionPolicies,
    &kubelet::Kubelet,
];
