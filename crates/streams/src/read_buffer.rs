//! [`ReadBuffer`], the buffers that what arrives on a connection is kept in.

use bytes::{Bytes, BytesMut};

use crate::copying::{buffer, put};

/// The size of a buffer, in bytes.
const SIZE: usize = 64 * 1024;

/// The number of bytes for which there is always room.
const ROOM: usize = SIZE / 2;

/// The number of buffers that are used in turn. While one is filled, readers of streams have parts of the others.
const SPARE: usize = 2;

/// The buffers of a connection. Those that nobody has a part of any more are used again, while they are in the caches of
/// the processor.
#[derive(Default)]
pub(crate) struct ReadBuffer {
    bytes: BytesMut,
    spare: [BytesMut; SPARE],
}

impl ReadBuffer {
    /// The bytes that have arrived and are not taken yet.
    pub(crate) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// The same, with room behind them for more.
    pub(crate) fn with_room(&mut self) -> &mut BytesMut {
        if self.bytes.try_reclaim(ROOM) {
            return &mut self.bytes;
        }
        let size = SIZE.max(self.bytes.len() + ROOM);
        let free = self.spare.iter_mut().find_map(|spare| {
            spare.clear();
            spare.try_reclaim(size).then(|| std::mem::take(spare))
        });
        let mut next = free.unwrap_or_else(|| BytesMut::with_capacity(size));
        put(&self.bytes, &mut next);
        self.bytes.clear();
        let used = std::mem::replace(&mut self.bytes, next);
        self.spare.rotate_right(1);
        self.spare[0] = used;
        &mut self.bytes
    }

    /// Copies bytes, those that are long to a buffer of their own.
    pub(crate) fn copy(&mut self, data: &[u8]) -> Bytes {
        if data.len() > ROOM {
            let mut bytes = buffer(data.len());
            put(data, &mut bytes);
            return bytes.freeze();
        }
        let bytes = self.with_room();
        put(data, bytes);
        bytes.split().freeze()
    }
}

#[test]
fn buffers_are_used_again_when_nobody_has_a_part_of_them() {
    let mut buffer = ReadBuffer::default();
    let mut places = std::collections::BTreeSet::new();
    let mut parts = std::collections::VecDeque::new();
    let mut number = 0_u8;
    for _ in 0..100 {
        let rest = buffer.bytes().to_vec();
        let bytes = buffer.with_room();
        assert!(bytes[..] == rest[..] && bytes.capacity() - bytes.len() >= ROOM);
        while bytes.len() < bytes.capacity() {
            bytes.extend_from_slice(&[number]);
            number = number.wrapping_add(1);
        }
        places.insert(bytes.as_ptr().addr());
        parts.push_back(bytes.split_to(bytes.len() - rest.len() / 2 - 3).freeze());
        if parts.len() > SPARE {
            parts.pop_front();
        }
        let bytes = parts.iter().flatten().chain(buffer.bytes().iter());
        let pairs = bytes.clone().zip(bytes.skip(1));
        assert!(pairs.into_iter().all(|(byte, next)| byte.wrapping_add(1) == *next));
    }
    assert!(places.len() <= 2 * (SPARE + 2), "{} places", places.len());
}
