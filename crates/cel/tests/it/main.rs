//! The crate, with the answers of Kubernetes.

mod admission;
mod admission_cases;
mod cases;
mod hostile;
