//! The client over real connections, against the embedded API server and servers that misbehave.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cluster;
mod formats;
mod front;
mod log;

mod apply;
mod credentials;
mod discovery;
mod dynamic;
mod errors;
mod kubeconfig;
mod lists;
mod metadata;
mod names;
mod objects;
mod patches;
mod retries;
mod secrets;
mod subresources;
mod transport;
mod undecodable;
mod unread;
mod watches;
