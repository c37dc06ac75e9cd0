//! [`ByteStream`], an answer that is read as it comes.

use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_ENCODING;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use klient_apimachinery::codec::Format;

use super::gunzip::Gunzip;
use super::negotiate::format_of;
use crate::error::{Error, ErrorKind, Problem};
use crate::transport::ResponseBody;

/// The length before each event of a watch in protobuf.
const HEAD: usize = 4;

/// Objects have 3 MiB at most.
const LONGEST_FRAME: usize = 64 << 20;

/// An answer that is read as it comes. Dropping it ends the request.
pub struct ByteStream {
    /// The request, for messages.
    pub(crate) what: String,
    format: Format,
    gunzip: Option<Gunzip>,
    body: ResponseBody,
    buffer: BytesMut,
}

impl ByteStream {
    pub(super) fn new(what: String, response: http::Response<ResponseBody>) -> Self {
        let format = format_of(response.headers());
        let is_gzip = response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
        let gunzip = is_gzip.then(Gunzip::new);
        ByteStream { what, format, gunzip, body: response.into_body(), buffer: BytesMut::new() }
    }

    /// The format the answer is in.
    pub(crate) fn format(&self) -> Format {
        self.format
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

    /// The next event of a watch: a line of JSON, or a frame of protobuf.
    pub(crate) async fn event(&mut self) -> Result<Option<Bytes>, Error> {
        match self.format {
            Format::Json => self.line().await,
            Format::Protobuf => self.frame().await,
        }
    }

    /// The next event, if it is here already.
    pub(crate) fn buffered_event(&mut self) -> Option<Bytes> {
        match self.format {
            Format::Json => self.split_line(0),
            Format::Protobuf => self.split_frame().ok().flatten(),
        }
    }

    /// The next frame: what stands behind its length.
    async fn frame(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(frame) = self.split_frame()? {
                return Ok(Some(frame));
            }
            match self.read().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(self.cut("the answer ended in the middle of an event")),
            }
        }
    }

    fn split_frame(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(head) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > LONGEST_FRAME {
            let problem = Problem(format!("an event of {length} bytes is longer than any object"));
            return Err(Error::new(ErrorKind::Decode, self.what.clone(), problem));
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(HEAD + length).freeze();
        Ok(Some(frame.split_off(HEAD)))
    }

    fn cut(&self, problem: &str) -> Error {
        Error::new(ErrorKind::Connection, self.what.clone(), Problem(problem.to_owned()))
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
                None => return Err(self.cut("the answer ended in the middle of a line")),
            }
        }
    }

    /// All of it.
    pub(super) async fn whole(mut self) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            // Most answers come in one piece.
            if whole.is_empty() && self.body.is_end_stream() && self.gunzip.is_none() {
                return Ok(chunk);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Error::new(ErrorKind::Connection, self.what.clone(), error))?;
            let Ok(data) = frame.into_data() else { continue };
            let data = match &mut self.gunzip {
                Some(gunzip) => gunzip.push(&data).map_err(|error| self.unreadable(error))?,
                None => data,
            };
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        match self.gunzip.take() {
            Some(mut gunzip) => {
                let rest = gunzip.finish().map_err(|error| self.unreadable(error))?;
                Ok(Some(rest).filter(|rest| !rest.is_empty()))
            }
            None => Ok(None),
        }
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::new(ErrorKind::Decode, self.what.clone(), error)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a stream", self.what)
    }
}
