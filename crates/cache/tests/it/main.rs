//! Caches, watching, listing and the smaller caches: against the embedded API server over HTTP, with a front that cuts and
//! refuses; against scripts where time matters; and tables of client-go's tests where neither does.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "random tests print their seed")]

mod cluster;
mod front;
mod proxy;
mod script;
mod stage;

mod consistency;
mod delta_fifo;
mod errors;
mod expiration;
mod factory;
mod faults;
mod handlers;
mod informer;
mod kinds;
mod lists;
mod mutation;
mod pager;
mod retry_watch;
mod spawned;
mod store;
mod undelta_store;
mod unreadable;
mod until;
mod watches;
