//! [`Lines`], the lines of a response as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use super::stream::ByteStream;
use crate::error::Error;

/// A response together with its pending read.
type Reading = Pin<Box<dyn Future<Output = (ByteStream, Result<Option<Bytes>, Error>)> + Send>>;

/// The lines of a response as they arrive, without their ends: see [`ByteStream::lines`]. Nothing follows an error.
/// Dropping it ends the request.
pub struct Lines {
    reading: Option<Reading>,
}

impl ByteStream {
    /// The lines as a stream, for combination with others.
    pub fn lines(self) -> Lines {
        Lines { reading: Some(read(self)) }
    }
}

fn read(mut stream: ByteStream) -> Reading {
    Box::pin(async move {
        let line = stream.line().await;
        (stream, line)
    })
}

impl Stream for Lines {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let (stream, line) = std::task::ready!(reading.as_mut().poll(context));
        self.reading = matches!(line, Ok(Some(_))).then(|| read(stream));
        Poll::Ready(line.transpose())
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}
