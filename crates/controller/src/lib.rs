//! Kubernetes controllers: client-go's `leaderelection`, `record` and `events`, and the reconcile loop of
//! controller-runtime.

pub mod events;
