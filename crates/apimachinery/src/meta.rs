//! meta/v1: the types that all groups share.

/// Version 1.
pub mod v1 {
    pub use crate::generated::meta_v1::*;

    /// What is known of these types, as tables.
    pub mod schema {
        pub use crate::generated::meta_v1_schema::*;
    }
}

mod delete_options;
mod group;
mod object_meta;
mod owner_reference;
mod status;

pub use delete_options::PropagationPolicy;
pub use status::Reason;
