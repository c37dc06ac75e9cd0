//! Cases that hold on every API server, through the public API alone.
//!
//! They are held against an embedded server each, or, if `KLIENT_JUDGE` names a kubeconfig, against the server of that:
//! `cargo xtask e2e` does so with a real kube-apiserver. The assertions are those of kube-apiserver 1.37; a difference of
//! the embedded server is a branch on [`TestCluster::embedded`](test_cluster::TestCluster::embedded) with its reason.

#[cfg(feature = "streams")]
mod kubelet;
mod test_cluster;

mod authorization;
mod certificates;
mod disruptions;
mod documents;
mod exec;
mod impersonation;
mod metadata;
mod names;
mod proxies;
mod scales;
#[cfg(feature = "streams")]
mod streams;
mod throttling;
mod tokens;
mod warnings;
mod watches;
