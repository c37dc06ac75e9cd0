//! The commands, one each.

pub(crate) mod api_resources;
pub(crate) mod apply;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod get;
pub(crate) mod server;
pub(crate) mod version;
