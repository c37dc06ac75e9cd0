//! [`Connection`], the bytes below a protocol.

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection that carries bytes in both directions, such as one that a server has switched to another protocol than
/// HTTP.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> Connection for C {}

/// A connection whose type does not matter.
pub(crate) type BoxConnection = Box<dyn Connection>;
