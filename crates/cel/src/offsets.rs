//! [`Offsets`], the places of nodes in the text of an expression.

use cel::common::ast::SourceInfo;

/// The places of nodes in the text.
pub(crate) struct Offsets {
    info: SourceInfo,
    /// The nodes that macros made, with the node of the macro.
    pub(crate) added: Vec<u64>,
    /// The first number of nodes that macros made.
    pub(crate) first_added: u64,
}

impl Offsets {
    pub(crate) fn new(info: SourceInfo, first_added: u64) -> Self {
        Offsets { info, added: Vec::new(), first_added }
    }

    /// The offset of a node in bytes.
    pub(crate) fn of(&self, id: u64) -> usize {
        let origin =
            id.checked_sub(self.first_added).and_then(|index| self.added.get(usize::try_from(index).ok()?));
        let start = self.info.offset_for(*origin.unwrap_or(&id)).map_or(0, |(start, _)| start);
        usize::try_from(start).unwrap_or_default()
    }
}
