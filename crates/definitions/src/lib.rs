//! CustomResourceDefinitions from Rust structs.
//!
//! A [`Definition`] has the names of a resource and the schemas of its objects. The schemas are those that
//! [schemars](https://docs.rs/schemars) derives from a struct with serde's attributes, made structural as a server requires.
//! `#[derive(CustomResource)]` of the facade writes all of it.

mod declaration;
mod definition;
mod error;
mod install;
mod lost_fields;
mod structural;

pub use declaration::{Column, Declaration, Rule, Scale};
pub use definition::{Defined, Definition};
pub use error::Error;
pub use install::{Definitions, InstallOptions, Installed};

/// The JSON schema of a type, with all types in it in place.
#[doc(hidden)]
pub fn schema_of<T: schemars::JsonSchema>() -> schemars::Schema {
    let mut settings = schemars::generate::SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>()
}
