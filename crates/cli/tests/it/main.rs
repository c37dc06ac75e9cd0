//! Tests of the `klient` program through its command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api_resources;
mod apply;
mod attach;
mod cases;
mod config;
mod convert;
mod counting_front;
mod cp;
mod create;
mod credentials;
mod cutting;
mod demo;
mod diff;
mod discovery_cache;
mod exec;
mod explain;
mod flags;
mod front;
mod gateway;
mod gateway_documents;
mod generate;
mod impersonation;
mod klog;
mod kuberc;
mod logs;
mod manifest;
mod manifests;
mod names;
mod playground;
mod pods;
mod port_forward;
mod proxy;
mod raw;
mod recorded;
mod recording_front;
mod reverse_proxy;
mod run;
mod running;
mod server;
mod server_side;
mod session;
mod signals;
mod sort_by;
mod terminal;
mod transcripts;
mod watch;

/// The program under test.
const KLIENT: &str = env!("CARGO_BIN_EXE_klient");
