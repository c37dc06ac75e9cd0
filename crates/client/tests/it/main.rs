//! The client over real connections, against the embedded API server and servers that misbehave.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cluster;
mod exec_fixture;
mod formats;
mod front;
mod log;

mod apply;
mod credentials;
mod discovery;
mod discovery_cache;
mod dynamic;
mod errors;
mod exec;
mod exec_errors;
mod kubeconfig;
mod lists;
mod metadata;
mod names;
mod objects;
mod oidc;
mod openapi;
mod patches;
mod rest_mapper;
mod retries;
mod rotation;
mod secrets;
mod subresources;
mod transport;
mod undecodable;
mod unread;
mod watches;
