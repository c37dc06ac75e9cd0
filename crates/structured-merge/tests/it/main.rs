//! Server-side apply, told as stories of objects and those who write them.

mod csa_upgrade;
mod custom;
mod lists;
mod live;
mod managed_fields;
mod maps;
mod ownership;
mod random;
mod scale;
mod typed;
mod versions;
