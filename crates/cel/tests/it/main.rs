//! The crate, with the answers of Kubernetes.

mod admission;
mod cases;
mod hostile;
