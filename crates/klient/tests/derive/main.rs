//! `#[derive(CustomResource)]`, on the embedded server, or on the server of the kubeconfig that `KLIENT_JUDGE` names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unexpected_cfgs, reason = "the shapes have the feature `kube` in another program")]

mod apply;
mod cluster;
mod definitions;
mod install;
mod kube;
mod markers;
mod misuse;
mod schemas;
mod versions;
#[cfg(feature = "webhook")]
mod webhook;
