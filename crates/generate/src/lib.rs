//! Rust code from CustomResourceDefinitions: types, a clientset, informers and apply configurations.
//!
//! `klient generate` of the command line is this crate. A build script uses it directly:
//!
//! ```no_run
//! // build.rs
//! use klient_generate::{Options, generate, read};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     println!("cargo::rerun-if-changed=crds");
//!     let folder = std::env::var("OUT_DIR")?;
//!     generate(&read(["crds"])?, &Options::default())?.write(folder + "/crds.rs")?;
//!     Ok(())
//! }
//! ```
//!
//! ```text
//! // src/main.rs
//! mod crds {
//!     include!(concat!(env!("OUT_DIR"), "/crds.rs"));
//! }
//! ```
//!
//! The generated code needs the crates `klient` and `serde`, the latter with its feature `derive`. Structs within a kind have
//! serde's traits by [`custom_fields!`](klient_apimachinery::custom_fields), for which the compiler needs less time than for
//! serde's derives.
//!
//! # Types
//!
//! A group is a module, a version a module in it: `cert_manager_io::v1::Certificate`. All served versions are generated.
//!
//! - The struct of a kind is declared with [`custom_resource!`](klient_apimachinery::custom_resource): it has scope,
//!   status and scale of the definition, and objects keep the fields that it does not know.
//! - A nested type is named by its kind and the path of fields: `.spec.issuerRef` of `Certificate` is
//!   `CertificateSpecIssuerRef`; an item of a list, or a value of a map, has the singular: `.spec.rules[]` of `HTTPRoute`
//!   is `HTTPRouteSpecRule`. So a type keeps its name when the definition gets other fields. Where two paths give one name,
//!   the shorter path has it, then what is no item, then the first in alphabetical order; the other has the plural, or an
//!   underscore before its field.
//! - A type that several fields have, with the same fields and documentation, is generated once and has the names of all of
//!   them.
//! - Fields are in snake case, with an underscore behind a keyword (`type_`).
//! - Scalars that may be absent are `Option`, structs `Option<Box<_>>`, lists and maps are empty. `spec` is always
//!   there, and is not sent if it is that of `Default`. Fields that the definition requires are no `Option`; the server, not
//!   the compiler, refuses an object in which they are not set.
//! - A string with an `enum` is an enum of [`string_enum!`](klient_apimachinery::string_enum), which has a variant for
//!   other values. A definition may allow more values later.
//! - `x-kubernetes-int-or-string` is `IntOrString`, or `Quantity` if its pattern is that of quantities; dates are `Time`,
//!   base64 is `ByteString`, values without a schema are JSON. What has exactly the shape of `Condition` or
//!   `LabelSelector` has that type, and `metadata` of an embedded object is `ObjectMeta`.
//! - What the server validates (limits, patterns, rules in CEL) is in the documentation of the fields.
//!
//! # Determinism
//!
//! The code depends on the definitions and options alone, not on the order of files, and is formatted as rustfmt does by
//! default.

mod clientset;
mod definition;
mod documentation;
mod error;
mod generate;
mod generated;
mod input;
mod kind;
mod model;
mod names;
mod package;
mod same;
mod schema;
mod shapes;
mod source;
mod ty;
mod type_names;

pub use definition::Definition;
pub use error::Error;
pub use generate::{Options, generate};
pub use generated::{Generated, GeneratedFile};
pub use input::{parse, read};
