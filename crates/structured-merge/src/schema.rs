//! [`Schema`], the merge schema of a kind.
//!
//! All schemas have one form: a value is a scalar, a list or a map, or may be several of these; lists and maps are
//! atomic or granular. The tables of built-in types are used directly, and the schema of a custom resource is
//! converted once.

mod atom;
mod structural;

use std::sync::Arc;

pub(crate) use atom::{Atom, Fields, Keys, Kind, List, Relation, Scalar, Struct, TypeRef};
use klient_apimachinery::schema::Schema as Table;

use crate::{Error, Map};

/// The merge schema of a kind: fields, list types, keys and defaults.
///
/// ```
/// use klient_structured_merge::Schema;
/// let pods = Schema::builtin(&klient_schema::core_v1::POD);
/// let custom = serde_json::json!({
///     "type": "object",
///     "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
/// });
/// let gadgets = Schema::structural(custom.as_object().expect("an object"), false)?;
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schema(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Builtin(&'static Table),
    Structural(Arc<structural::Type>),
    Deduced,
}

impl Schema {
    /// The schema of an unknown kind: maps are granular, lists are atomic.
    pub const DEDUCED: Schema = Schema(Repr::Deduced);

    /// The schema of a built-in kind, from the table of its struct.
    pub const fn builtin(table: &'static Table) -> Self {
        Schema(Repr::Builtin(table))
    }

    /// The schema of a custom kind, from the `openAPIV3Schema` of one of its versions. `preserve_unknown_fields` is
    /// the definition's `spec.preserveUnknownFields`.
    ///
    /// # Errors
    ///
    /// [`is_schema`](Error::is_schema) if it has an unknown type, list type or map type.
    pub fn structural(openapi: &Map, preserve_unknown_fields: bool) -> Result<Self, Error> {
        let root = structural::Type::root(openapi, preserve_unknown_fields).map_err(Error::schema)?;
        Ok(Schema(Repr::Structural(Arc::new(root))))
    }

    /// The type of the object itself.
    pub(crate) fn root(&self) -> TypeRef<'_> {
        match &self.0 {
            Repr::Builtin(table) => TypeRef::object(table),
            Repr::Structural(root) => TypeRef::structural(root),
            Repr::Deduced => TypeRef::DEDUCED,
        }
    }
}

impl From<&'static Table> for Schema {
    fn from(table: &'static Table) -> Self {
        Schema::builtin(table)
    }
}
