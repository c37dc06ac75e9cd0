//! The queue, its limiters, backoffs and retries, through the public API. Time is tokio's, paused.

#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod script;

mod backoff;
mod delays;
mod drain;
mod foreign;
mod items;
mod limiters;
mod metrics;
mod order;
mod parallel;
mod priorities;
mod random;
mod retry;
mod waiting;
mod work;
