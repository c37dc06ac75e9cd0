//! Server-side apply: sequences of writes by several managers, and the resulting objects and owners.

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
