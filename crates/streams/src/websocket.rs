//! WebSocket below Kubernetes' protocols: the values of the handshake, [`Tunnel`], and channels of
//! [remote commands](crate::remote_command).
//!
//! The frames are those of tungstenite; connections come switched to WebSocket.

pub(crate) mod channels;
mod handshake;
mod tunnel;

use std::io;

use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::connection::BoxConnection;
use crate::error::Error;
use crate::mux::Role;

pub use handshake::{accept_key, new_key};
pub use tunnel::Tunnel;

/// The largest message, in bytes. Go's programs send at most 32 KiB at once.
pub(crate) const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// A connection of WebSocket.
type WebSocket = WebSocketStream<BoxConnection>;

async fn start(connection: BoxConnection, role: Role) -> WebSocket {
    let config = WebSocketConfig::default();
    let config = config.max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let role = match role {
        Role::Client => tokio_tungstenite::tungstenite::protocol::Role::Client,
        Role::Server => tokio_tungstenite::tungstenite::protocol::Role::Server,
    };
    WebSocketStream::from_raw_socket(connection, role, Some(config)).await
}

/// The meaning of a message for a protocol of bytes.
enum Received {
    Data(bytes::Bytes),
    Text(bytes::Bytes),
    /// A ping or pong, which tungstenite answers.
    SignOfLife,
    /// The orderly end.
    End,
}

/// Sorts what arrives.
fn received(message: Option<Result<Message, WsError>>) -> Result<Received, Error> {
    match message {
        Some(Ok(Message::Binary(data))) => Ok(Received::Data(data)),
        Some(Ok(Message::Text(text))) => Ok(Received::Text(text.into())),
        Some(Ok(Message::Close(Some(close)))) if close.code != CloseCode::Normal => {
            let (code, reason) = (u16::from(close.code), close.reason.as_str());
            Err(Error::connection(format!("the peer closed the WebSocket with code {code}: {reason}")))
        }
        Some(Ok(Message::Close(_))) => Ok(Received::End),
        Some(Ok(_)) => Ok(Received::SignOfLife),
        Some(Err(WsError::ConnectionClosed)) | None => Ok(Received::End),
        Some(Err(error)) => Err(failed(error)),
    }
}

/// The error of a connection.
fn failed(error: WsError) -> Error {
    match error {
        WsError::Io(error) => Error::of_io(&error),
        WsError::Capacity(error) => Error::protocol(format!("a message is too large: {error}")),
        WsError::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => Error::unexpected_end(),
        error @ (WsError::Protocol(_) | WsError::Utf8(_)) => Error::protocol(error.to_string()),
        error => Error::connection(error.to_string()),
    }
}

/// The error as that of a read or write.
fn failed_io(error: WsError) -> io::Error {
    failed(error).into_io(io::ErrorKind::ConnectionAborted)
}
