//! Tests of lines, through the macros of klog and those of `tracing`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bad_input;
mod composition;
mod context;
mod debug_flags;
mod events;
mod files;
mod flags;
mod handles;
mod http_trace;
#[allow(dead_code, reason = "its examples are programs of their own, too")]
mod programs;
mod structured;
mod table;
mod verbosity;
