//! The built-in kinds of Kubernetes as kube-apiserver treats them: their defaults, their validation, their conversion
//! between versions, and the tables in which they are printed.
//!
//! The crate computes over JSON values by the tables of `klient-schema`; it has no storage and no tasks. The upstream
//! packages are `k8s.io/kubernetes/pkg/apis` and `pkg/printers`.

pub mod conversion;
pub mod defaults;
pub mod printers;
pub mod validation;
