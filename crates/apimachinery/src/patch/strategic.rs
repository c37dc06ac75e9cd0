//! Strategic merge patch: a merge patch that knows which lists are merged, and by what key.
//!
//! [`apply`] is what the server does with a patch, [`three_way`] is how a client makes one for apply, and [`diff`]
//! makes one of two objects. Besides fields, patches have directives:
//!
//! - `$patch: replace` in an object keeps nothing of the old one, `$patch: delete` leaves it empty; in an item of a
//!   merged list they drop all old items, and the old item with the same key;
//! - `$retainKeys: [FIELD…]` drops other fields of the old object;
//! - `$setElementOrder/LIST: […]` names all items of a merged list that the patch's author knows, in order;
//! - `$deleteFromPrimitiveList/LIST: […]` takes values out of a list.
//!
//! An object may have fields the schema does not know as long as nothing needs to be merged in them.

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

/// Applies `patch` to an object of the struct `schema`.
///
/// New items of merged lists keep their nulls and directives, which decoding the object then drops.
///
/// # Errors
///
/// If a directive is malformed, an item of a merged list does not have the list's key, or a list's items are of
/// several types. The object is then half changed and to be thrown away.
pub fn apply(object: &mut Object, patch: Object, schema: &'static Schema) -> Result<()> {
    map::merge(object, patch, Node::of(schema), Purpose::Apply)
}

/// The patch that turns `original` into `modified`; empty if they are equal.
///
/// # Errors
///
/// If an item of a merged list does not have the list's key, or a list's items are of several types.
pub fn diff(original: &Object, modified: &Object, schema: &'static Schema) -> Result<Object> {
    Diff { wanted: Wanted::All, element_order: true }.maps(original, modified, Node::of(schema), false)
}

/// How a three-way patch is made.
#[derive(Clone, Copy, Debug)]
pub struct ThreeWayOptions<'a> {
    /// The patch may change what others have changed since `original`.
    pub overwrite: bool,
    /// What the patch may not change.
    pub preconditions: &'a [Precondition<'a>],
}

impl Default for ThreeWayOptions<'_> {
    fn default() -> Self {
        ThreeWayOptions { overwrite: true, preconditions: &[] }
    }
}

/// The patch that brings `current` to `modified`, and removes what `modified` has dropped since `original`, but
/// leaves alone what others have added.
///
/// It is not always empty where nothing changed: a struct that is replaced as a whole is sent each time, and so is
/// the order of a list of plain values that is not sorted. Kubernetes' own is no different.
///
/// # Errors
///
/// If an item of a merged list does not have the list's key or a list's items are of several types,
/// [`is_precondition_failed`](PatchError::is_precondition_failed) if a precondition does not hold,
/// [`is_conflict`](PatchError::is_conflict) if it may not overwrite and would.
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
