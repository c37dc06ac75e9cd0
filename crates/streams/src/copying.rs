//! [`put`] and [`buffer`], the copying of long data.
//!
//! From 2 or 4 KiB on, the `memcpy` of glibc before 2.40 uses `rep movsb` on all processors that have it. Some of AMD's
//! take up to twenty times as long for it if the destination is a few bytes ahead of the source within a page. So it often
//! is with buffers of some pages that were allocated one after the other: the allocator puts 16 bytes between them.

use bytes::{BufMut, BytesMut};

/// The number of bytes that are copied at once.
const PIECE: usize = 1024;

/// The size from which a buffer is made longer, and the number of bytes by which it is.
const LONG: usize = 4 * 1024;
const APART: usize = 1024;

/// Appends data to a buffer in pieces that are too short for `rep movsb`.
pub(crate) fn put(data: &[u8], buffer: &mut impl BufMut) {
    for piece in data.chunks(PIECE) {
        buffer.put_slice(piece);
    }
}

/// A buffer for so many bytes. It is longer if that makes some pages, so that the buffer behind it, which may be that of
/// another crate that copies to it at once, begins elsewhere within a page.
pub(crate) fn buffer(bytes: usize) -> BytesMut {
    BytesMut::with_capacity(if bytes < LONG { bytes } else { bytes + APART })
}
