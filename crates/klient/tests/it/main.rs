//! klient as its users see it: its accessors, its examples, and what it does not let them write.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod clientset;
mod credentials;
mod custom_resource;
#[allow(clippy::duplicate_mod, reason = "every example brings the cluster it runs on")]
mod examples;
mod generic;
mod in_memory;
mod misuse;
mod names;
mod reconnect;
mod spawned;
