//! Watching, listing and the smaller caches: against the embedded API server over HTTP, with a front that cuts and
//! refuses; against scripts where time matters; and tables of client-go's tests where neither does.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cluster;
mod front;
mod script;

mod consistency;
mod delta_fifo;
mod expiration;
mod mutation;
mod pager;
mod retry_watch;
mod undelta_store;
mod until;
