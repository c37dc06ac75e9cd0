//! Strategic merge patch: a merge patch that merges lists by key.
//!
//! [`apply`] applies a patch as the server does, [`three_way`] makes one for client-side apply, and [`diff`] makes one
//! from two objects. Besides fields, patches have directives:
//!
//! - `$patch: replace` in an object removes all existing fields, `$patch: delete` all fields; in an item of a merged
//!   list they remove all existing items, and the existing item with the same key;
//! - `$retainKeys: [FIELD…]` removes other fields of the existing object;
//! - `$setElementOrder/LIST: […]` gives all items of a merged list that the patch's author knows, in order;
//! - `$deleteFromPrimitiveList/LIST: […]` removes values from a list.
//!
//! An object may have fields without a schema as long as nothing in them needs to be merged.

mod conflict;
mod diff;
mod list;
mod map;
mod node;
mod order;

use serde_json::{Map, Value};

use super::PatchError;
use super::precondition::{self, Precondition};
use crate::schema::Schema;
use diff::{Diff, Wanted};
use map::Purpose;
use node::Node;

#[cfg(test)]
pub(super) mod tests;

type Result<T> = std::result::Result<T, PatchError>;
type Object = Map<String, Value>;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ELEMENT_ORDER: &str = "$setElementOrder";
const DELETE_FROM_PRIMITIVE_LIST: &str = "$deleteFromPrimitiveList";

/// Applies `patch` to an object with the struct `schema`.
///
/// New items of merged lists keep their nulls and directives, which decoding of the object then removes.
///
/// # Errors
///
/// If a directive is malformed, an item of a merged list does not have the list's key, or a list's items have several
/// types. The object is then partly changed and should be discarded.
pub fn apply(object: &mut Object, patch: Object, schema: &'static Schema) -> Result<()> {
    map::merge(object, patch, Node::of(schema), Purpose::Apply)
}

/// The patch from `original` to `modified`; empty if they are equal.
///
/// # Errors
///
/// If an item of a merged list does not have the list's key, or a list's items have several types.
pub fn diff(original: &Object, modified: &Object, schema: &'static Schema) -> Result<Object> {
    Diff { wanted: Wanted::All, element_order: true }.maps(original, modified, Node::of(schema), false)
}

/// Options of a three-way patch.
#[derive(Clone, Copy, Debug)]
pub struct ThreeWayOptions<'a> {
    /// True if the patch may change fields that others have changed since `original`.
    pub overwrite: bool,
    /// Fields that the patch must not change.
    pub preconditions: &'a [Precondition<'a>],
}

impl Default for ThreeWayOptions<'_> {
    fn default() -> Self {
        ThreeWayOptions { overwrite: true, preconditions: &[] }
    }
}

/// The patch from `current` to `modified` that also removes fields of `original` that `modified` does not have, and
/// keeps fields that others have added.
///
/// It is not always empty if nothing changed, like that of Kubernetes: a struct that is replaced as a whole is sent
/// each time, and so is the order of an unsorted list of scalars.
///
/// # Errors
///
/// If an item of a merged list does not have the list's key or a list's items have several types,
/// [`is_precondition_failed`](PatchError::is_precondition_failed) if a precondition does not hold,
/// [`is_conflict`](PatchError::is_conflict) if it would overwrite changes and may not.
pub fn three_way(
    original: &Object,
    modified: &Object,
    current: &Object,
    schema: &'static Schema,
    options: ThreeWayOptions<'_>,
) -> Result<Object> {
    let node = Node::of(schema);
    let changes =
        Diff { wanted: Wanted::Changes, element_order: true }.maps(current, modified, node, false)?;
    let mut patch =
        Diff { wanted: Wanted::Deletions, element_order: true }.maps(original, modified, node, false)?;
    map::merge(&mut patch, changes, node, Purpose::Combine)?;
    let patch = precondition::check(patch, options.preconditions)?;
    if !options.overwrite {
        let theirs =
            Diff { wanted: Wanted::All, element_order: false }.maps(original, current, node, false)?;
        if conflict::between(&patch, &theirs, node)? {
            return Err(PatchError::conflict(patch, theirs));
        }
    }
    Ok(patch)
}

fn fail<T>(problem: impl Into<String>) -> Result<T> {
    Err(PatchError::malformed(problem))
}
