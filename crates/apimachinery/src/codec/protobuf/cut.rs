//! Removal of `managedFields` from an object's protobuf.

use super::wire::{Input, Problem, WireType, varint};

/// The number of `managedFields` in `ObjectMeta`.
const MANAGED_FIELDS: u32 = 17;

/// Copies an object, whose metadata has this number, without its `managedFields`. An object without them, or with an
/// unusual encoding, is copied unchanged.
pub(crate) fn without_managed_fields(bytes: &[u8], metadata: u32) -> Box<[u8]> {
    match find(bytes, metadata) {
        Ok(Some(found)) => found.cut(bytes),
        _ => bytes.into(),
    }
}

/// The positions of the metadata's length, of its bytes, and of `managedFields` in them.
struct Found {
    length: usize,
    begin: usize,
    end: usize,
    cut: std::ops::Range<usize>,
}

fn find(bytes: &[u8], metadata: u32) -> Result<Option<Found>, Problem> {
    let mut input = Input(bytes);
    let at = |input: &Input<'_>| bytes.len() - input.0.len();
    let mut found = None;
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        if number != metadata {
            input.skip(wire)?;
            continue;
        }
        // Kubernetes does not write metadata in several pieces.
        if found.is_some() || wire != WireType::Bytes {
            return Ok(None);
        }
        let length = at(&input);
        let inner = input.bytes()?;
        let (begin, end) = (at(&input) - inner.len(), at(&input));
        found = Some((length, begin, end));
    }
    let Some((length, begin, end)) = found else { return Ok(None) };
    let cut = managed_fields(&bytes[begin..end])?;
    Ok(cut.map(|cut| Found { length, begin, end, cut: begin + cut.start..begin + cut.end }))
}

/// The range of the entries, if they are adjacent.
fn managed_fields(metadata: &[u8]) -> Result<Option<std::ops::Range<usize>>, Problem> {
    let mut input = Input(metadata);
    let mut cut: Option<std::ops::Range<usize>> = None;
    while !input.is_empty() {
        let begin = metadata.len() - input.0.len();
        let (number, wire) = input.tag()?;
        input.skip(wire)?;
        if number != MANAGED_FIELDS {
            continue;
        }
        let end = metadata.len() - input.0.len();
        match &mut cut {
            _ if wire != WireType::Bytes => return Ok(None),
            Some(cut) if cut.end == begin => cut.end = end,
            Some(_) => return Ok(None),
            None => cut = Some(begin..end),
        }
    }
    Ok(cut)
}

impl Found {
    fn cut(&self, bytes: &[u8]) -> Box<[u8]> {
        let left = self.end - self.begin - self.cut.len();
        let (head, head_length) = varint(left as u64);
        let length = bytes.len() - (self.begin - self.length) + head_length - self.cut.len();
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&bytes[..self.length]);
        out.extend_from_slice(&head[..head_length]);
        out.extend_from_slice(&bytes[self.begin..self.cut.start]);
        out.extend_from_slice(&bytes[self.cut.end..]);
        out.into_boxed_slice()
    }
}
