//! [`ByteStream`], an answer that is read as it comes.

use std::fmt;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use crate::error::{Error, ErrorKind, Problem};
use crate::transport::ResponseBody;

/// An answer that is read as it comes. Dropping it ends the request.
pub struct ByteStream {
    /// The request, for messages.
    pub(crate) what: String,
    body: ResponseBody,
    buffer: BytesMut,
}

impl ByteStream {
    pub(super) async fn new(what: String, response: http::Response<ResponseBody>) -> Result<Self, Error> {
        Ok(ByteStream { what, body: response.into_body(), buffer: BytesMut::new() })
    }

    /// The next part, as it came; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.buffer.is_empty() {
            return Ok(Some(self.buffer.split().freeze()));
        }
        self.read().await
    }

    /// The next line, if it is here already.
    pub(crate) fn buffered_line(&mut self) -> Option<Bytes> {
        self.split_line(0)
    }

    fn split_line(&mut self, searched: usize) -> Option<Bytes> {
        let at = self.buffer[searched..].iter().position(|byte| *byte == b'\n')?;
        let mut line = self.buffer.split_to(searched + at + 1).freeze();
        line.truncate(line.len() - 1);
        Some(line)
    }

    /// The next line, without its end; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the answer ends in the middle of a line.
    pub async fn line(&mut self) -> Result<Option<Bytes>, Error> {
        let mut searched = 0;
        loop {
            if let Some(line) = self.split_line(searched) {
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            match self.read().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None if self.buffer.is_empty() => return Ok(None),
                None => {
                    let problem = Problem("the answer ended in the middle of a line".to_owned());
                    return Err(Error::new(ErrorKind::Connection, self.what.clone(), problem));
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Error::new(ErrorKind::Connection, self.what.clone(), error))?;
            match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a stream", self.what)
    }
}
