//! [`Bodies`], the bodies of responses: small ones are read at once, large ones by turns.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The size limit of a response, in bytes. Upstream has none. An object has 3 MiB at most; this has room for the patch or
/// the conversion of one, with its old and its new state, in base64 and with escapes.
pub(super) const MAX: usize = 16 * 1024 * 1024;

/// The size of a response that is read without waiting for others, in bytes: the limit of requests to the server itself.
const MAX_SMALL: usize = 3 * 1024 * 1024;

/// The number of larger responses that are read or decoded at the same time. Decoded, a response has up to twenty times
/// its size.
const MAX_LARGE_ONES: usize = 2;

/// The bodies of responses. The memory that large ones take at the same time has a limit, as upstream's has not.
pub(super) struct Bodies {
    large: Semaphore,
}

/// A body that has been read; the next large one is read when it is dropped.
pub(super) struct Whole<'a> {
    pub(super) bytes: Bytes,
    _turn: Option<SemaphorePermit<'a>>,
}

/// The problem of a body.
pub(super) enum Problem {
    TooLarge,
    Broken(hyper::Error),
}

impl Bodies {
    pub(super) fn new() -> Self {
        Bodies { large: Semaphore::new(MAX_LARGE_ONES) }
    }

    /// Reads a body to its end. One that is large waits for its turn in the middle.
    ///
    /// # Errors
    ///
    /// If it is too large or ends before its end.
    pub(super) async fn read(&self, mut body: Incoming) -> Result<Whole<'_>, Problem> {
        let (mut bytes, mut turn) = (BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(Problem::Broken)?.into_data() else { continue };
            let size = bytes.len() + data.len();
            if size > MAX {
                return Err(Problem::TooLarge);
            }
            if size > MAX_SMALL && turn.is_none() {
                turn = Some(self.large.acquire().await.expect("nobody closes it"));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Whole { bytes: bytes.freeze(), _turn: turn })
    }
}
