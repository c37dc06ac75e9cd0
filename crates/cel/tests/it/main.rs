//! The crate, with the answers of Kubernetes.

mod cases;
mod hostile;
