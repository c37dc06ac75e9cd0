//! meta/v1: the types that all groups share.

/// Version 1.
pub mod v1 {
    pub use crate::generated::meta_v1::*;

    /// The schemas of these types.
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
