//! Files that `cargo xtask page` writes.

pub(crate) mod page;
