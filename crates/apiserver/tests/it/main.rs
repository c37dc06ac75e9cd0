//! The server over HTTPS, as its clients see it.

mod client;
mod exchange;
mod replay;
mod same;
