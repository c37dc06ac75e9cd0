//! The server over HTTPS, as its clients see it.

mod answer;
mod apply;
mod apply_sequences;
mod client;
mod concurrent;
mod connection;
mod custom;
mod definition;
mod delete;
mod discovery;
mod events;
mod exchange;
mod gzip;
mod hostile;
mod identity;
mod list;
mod namespace;
mod numbers;
mod objects;
mod patch;
mod protobuf;
mod replay;
mod same;
mod table;
mod update;
mod watch;
