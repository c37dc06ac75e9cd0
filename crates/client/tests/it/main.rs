//! The client over real connections, against the embedded API server and servers that misbehave.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cluster;
#[cfg(feature = "streams")]
mod containers;
mod exec_fixture;
mod formats;
mod front;
#[cfg(feature = "streams")]
mod hostile_server;
mod http2;
mod log;
#[cfg(feature = "streams")]
#[allow(dead_code, reason = "the tests of streams use all of it")]
#[path = "../../../streams/tests/it/raw_spdy.rs"]
mod raw_spdy;
mod test_proxy;

mod apply;
mod changes;
mod conformance;
mod connection_age;
#[cfg(feature = "streams")]
mod copy;
mod credentials;
mod dialers;
mod discovery;
mod discovery_cache;
mod dynamic;
mod errors;
mod exec;
mod exec_errors;
mod go_away;
#[cfg(feature = "streams")]
mod hostile_streams;
mod http_trace;
mod kubeconfig;
mod kubeconfig_files;
mod kubeconfig_validation;
mod lists;
mod metadata;
#[cfg(feature = "metrics")]
mod metrics;
mod names;
mod objects;
mod oidc;
mod openapi;
mod patches;
#[cfg(feature = "streams")]
mod pod_exec;
#[cfg(feature = "streams")]
mod pod_logs;
#[cfg(feature = "streams")]
mod pod_streams;
#[cfg(feature = "streams")]
mod port_forward;
mod priority_and_fairness;
mod proxies;
mod rate_limiter;
mod rest_mapper;
mod retries;
mod rotation;
mod secrets;
mod server_rotation;
mod spans;
mod subresources;
mod transport;
mod undecodable;
mod unread;
mod upgrades;
mod user_agent;
mod warnings;
mod watches;
mod write_log;
