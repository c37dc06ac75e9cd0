//! [`ByteStream`], a response that is read as it arrives.

use std::pin::pin;
use std::sync::Arc;
use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use klient_apimachinery::codec::Format;

use super::body_record::BodyRecord;
use super::format::format_of;
use super::gunzip::Gunzip;
use super::{Deadline, within};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Problem};
use crate::transport::{self, ResponseBody};

/// The length before each event of a watch in protobuf.
const HEAD: usize = 4;

/// Objects have 3 MiB at most.
const LONGEST_EVENT: usize = 64 << 20;

/// The parts in which a longer line of text comes, so that one without an end takes no more memory.
const LONGEST_LINE: usize = 4 << 20;

/// A response that is read as it arrives. Dropping it ends the request.
pub struct ByteStream {
    call: Arc<Call>,
    format: Format,
    gunzip: Option<Gunzip>,
    body: ResponseBody,
    /// The end of the time-out of the whole response.
    deadline: Option<Deadline>,
    record: Option<BodyRecord>,
    /// Data that arrived and was not taken. Events are taken out of it without being copied.
    arrived: Bytes,
    /// The beginning of an event whose end has not arrived.
    begun: BytesMut,
}

impl ByteStream {
    /// The stream of a response with these headers.
    pub(super) fn new(call: Arc<Call>, headers: &HeaderMap, body: ResponseBody) -> Self {
        let format = format_of(headers);
        let is_gzip = headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
        let gunzip = is_gzip.then(Gunzip::new);
        let (arrived, begun) = (Bytes::new(), BytesMut::new());
        ByteStream { call, format, gunzip, body, deadline: None, record: None, arrived, begun }
    }

    /// The stream with a time-out for all of it.
    pub(super) fn until(self, deadline: Option<Deadline>) -> Self {
        ByteStream { deadline, ..self }
    }

    /// The stream with a record of its body.
    pub(super) fn recorded(self, record: BodyRecord) -> Self {
        ByteStream { record: Some(record), ..self }
    }

    /// The request, for messages.
    pub(crate) fn call(&self) -> &Arc<Call> {
        &self.call
    }

    /// The format the answer is in.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.begun.is_empty() {
            return Ok(Some(self.begun.split().freeze()));
        }
        if !self.arrived.is_empty() {
            return Ok(Some(std::mem::take(&mut self.arrived)));
        }
        self.read().await
    }

    /// The next event of a watch: a line of JSON, or a frame of protobuf.
    pub(crate) async fn event(&mut self) -> Result<Option<Bytes>, Error> {
        match self.format {
            Format::Json => self.whole_line().await,
            Format::Protobuf => self.frame().await,
        }
    }

    /// The next event, if it is here already.
    pub(crate) fn buffered_event(&mut self) -> Option<Bytes> {
        match self.format {
            Format::Json => self.split_line(),
            Format::Protobuf => self.split_frame().ok().flatten(),
        }
    }

    /// The next frame without its length.
    async fn frame(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(frame) = self.split_frame()? {
                return Ok(Some(frame));
            }
            if !self.more("the answer ended in the middle of an event").await? {
                return Ok(None);
            }
        }
    }

    fn split_frame(&mut self) -> Result<Option<Bytes>, Error> {
        if self.begun.is_empty() {
            match self.frame_end(&self.arrived)? {
                Some(end) if end <= self.arrived.len() => {
                    return Ok(Some(self.arrived.split_to(end).split_off(HEAD)));
                }
                _ => self.begin(),
            }
            return Ok(None);
        }
        self.complete(HEAD);
        let Some(end) = self.frame_end(&self.begun)? else { return Ok(None) };
        self.complete(end);
        let is_complete = self.begun.len() == end;
        Ok(is_complete.then(|| self.begun.split().freeze().split_off(HEAD)))
    }

    /// The end of the frame at the beginning of `bytes`, once its length has arrived.
    fn frame_end(&self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let Some(head) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > LONGEST_EVENT {
            let problem = Problem(format!("an event of {length} bytes is longer than any object"));
            return Err(Error::new(ErrorKind::Decode, self.call.to_string(), problem));
        }
        Ok(Some(HEAD + length))
    }

    /// Keeps the data as the beginning of an event.
    fn begin(&mut self) {
        self.begun.extend_from_slice(&std::mem::take(&mut self.arrived));
    }

    /// Adds data to the begun event until it has a length, or no more data has arrived.
    fn complete(&mut self, length: usize) {
        let missing = length.saturating_sub(self.begun.len()).min(self.arrived.len());
        self.begun.extend_from_slice(&self.arrived.split_to(missing));
    }

    fn split_line(&mut self) -> Option<Bytes> {
        let Some(at) = self.arrived.iter().position(|byte| *byte == b'\n') else {
            self.begin();
            return None;
        };
        let mut line = self.arrived.split_to(at + 1);
        line.truncate(at);
        if !self.begun.is_empty() {
            self.begun.extend_from_slice(&line);
            line = self.begun.split().freeze();
        }
        Some(line)
    }

    /// The next line, without its end; `None` at the end. The last line may have no end. One that is longer than 4 MiB
    /// comes in parts of that length.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn line(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(line) = self.split_line() {
                return Ok(Some(line));
            }
            // What is left is the beginning of a next part, which is not empty.
            if self.begun.len() > LONGEST_LINE {
                return Ok(Some(self.begun.split_to(LONGEST_LINE).freeze()));
            }
            match self.read().await? {
                Some(chunk) => self.arrived = chunk,
                None if self.begun.is_empty() => return Ok(None),
                None => return Ok(Some(self.begun.split().freeze())),
            }
        }
    }

    /// The next line, which fails if it has no end.
    async fn whole_line(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(line) = self.split_line() {
                return Ok(Some(line));
            }
            if self.begun.len() > LONGEST_EVENT {
                let problem =
                    Problem(format!("an event of more than {LONGEST_EVENT} bytes is longer than any object"));
                return Err(Error::new(ErrorKind::Decode, self.call.to_string(), problem));
            }
            if !self.more("the answer ended in the middle of a line").await? {
                return Ok(None);
            }
        }
    }

    /// Reads on when all that has arrived is begun; false at the end, which fails in the middle of an event.
    async fn more(&mut self, cut: &str) -> Result<bool, Error> {
        match self.read().await? {
            Some(chunk) => self.arrived = chunk,
            None if self.begun.is_empty() => return Ok(false),
            None => {
                let problem = Problem(cut.to_owned());
                return Err(Error::new(ErrorKind::Connection, self.call.to_string(), problem));
            }
        }
        Ok(true)
    }

    /// All of it.
    pub(super) async fn whole(self) -> Result<Bytes, Error> {
        self.at_most(usize::MAX).await
    }

    /// All of it, or the parts until there are so many bytes.
    pub(super) async fn at_most(mut self, length: usize) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while whole.len() < length
            && let Some(chunk) = self.chunk().await?
        {
            // Most answers come in one piece.
            if whole.is_empty() && self.body.is_end_stream() && self.gunzip.is_none() {
                self.end_record();
                return Ok(chunk);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = match self.deadline {
            None => self.read_chunk().await,
            deadline => {
                let call = self.call.clone();
                within(deadline, &call, pin!(self.read_chunk())).await
            }
        }?;
        match (&chunk, self.record.as_mut()) {
            (Some(chunk), Some(record)) => record.push(chunk),
            (Some(_), None) => {}
            (None, _) => self.end_record(),
        }
        Ok(chunk)
    }

    fn end_record(&mut self) {
        if let Some(record) = self.record.take() {
            record.end();
        }
    }

    async fn read_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(gunzip) = &mut self.gunzip {
                let part = gunzip.part().map_err(|error| self.unreadable(error))?;
                if !part.is_empty() {
                    return Ok(Some(part));
                }
            }
            let Some(frame) = self.body.frame().await else { break };
            let frame =
                frame.map_err(|error| Error::new(transport::kind(&*error), self.call.to_string(), error))?;
            let Ok(data) = frame.into_data() else { continue };
            match &mut self.gunzip {
                Some(gunzip) => gunzip.push(data),
                None if !data.is_empty() => return Ok(Some(data)),
                None => {}
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
        Error::new(ErrorKind::Decode, self.call.to_string(), error)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a stream", self.call)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http::header::CONTENT_TYPE;

    use super::*;

    struct Chunks(VecDeque<Bytes>);

    impl http_body::Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|chunk| Ok(http_body::Frame::data(chunk))))
        }
    }

    fn stream(content_type: &str, chunks: impl Iterator<Item = Bytes>) -> ByteStream {
        let body = ResponseBody::new(Chunks(chunks.collect()));
        let response = http::Response::builder().header(CONTENT_TYPE, content_type).body(body);
        let call = Call {
            method: http::Method::GET,
            uri: http::Uri::from_static("/watch"),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
            first_byte: None,
        };
        let (head, body) = response.expect("the header is one").into_parts();
        ByteStream::new(Arc::new(call), &head.headers, body)
    }

    const EVENTS: [&str; 5] = ["one", "", "a longer event", "x", "the last"];

    async fn check(content_type: &str, answer: &[u8]) {
        for length in 1..=answer.len() {
            let mut stream = stream(content_type, answer.chunks(length).map(Bytes::copy_from_slice));
            let mut events = Vec::new();
            while let Some(event) = stream.event().await.expect("the answer is whole") {
                events.push(event);
                events.extend(std::iter::from_fn(|| stream.buffered_event()));
            }
            assert_eq!(events, EVENTS, "{content_type} in pieces of {length}");
        }
        let mut cut = stream(content_type, [Bytes::copy_from_slice(&answer[..answer.len() - 1])].into_iter());
        for event in &EVENTS[..4] {
            assert_eq!(cut.event().await.expect("it is whole").as_deref(), Some(event.as_bytes()));
        }
        let error = format!("{:?}", cut.event().await.expect_err("it is cut off"));
        assert!(error.contains("the answer ended in the middle of"), "{error}");
    }

    #[tokio::test]
    async fn events_are_the_same_however_the_answer_is_cut() {
        check("application/json", (EVENTS.join("\n") + "\n").as_bytes()).await;
        let framed = |event: &&str| [&(event.len() as u32).to_be_bytes(), event.as_bytes()].concat();
        let frames: Vec<u8> = EVENTS.iter().flat_map(framed).collect();
        check("application/vnd.kubernetes.protobuf;stream=watch", &frames).await;
    }

    #[tokio::test]
    async fn what_was_not_taken_as_lines_comes_as_chunks() {
        let pieces = ["a\nb", "c\nd", "e"].map(|piece| Bytes::from_static(piece.as_bytes()));
        let mut stream = stream("application/json", pieces.into_iter());
        let line = stream.line().await.expect("it is whole");
        assert_eq!(line.as_deref(), Some(&b"a"[..]));
        assert_eq!(stream.buffered_event(), None);
        let mut rest = Vec::new();
        while let Some(chunk) = stream.chunk().await.expect("nothing fails") {
            rest.extend_from_slice(&chunk);
        }
        assert_eq!(rest, b"bc\nde");
    }

    #[tokio::test]
    async fn a_line_without_an_end_comes_in_parts_and_such_an_event_is_refused() {
        let endless = || std::iter::repeat_n(Bytes::from(vec![b'a'; 1 << 20]), 65);
        let end = [Bytes::from_static(b"b\nc\n")];
        let mut lines = stream("text/plain", endless().chain(end));
        let mut lengths = Vec::new();
        while let Some(line) = lines.line().await.expect("nothing fails") {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [vec![4 << 20; 16], vec![(1 << 20) + 1, 1]].concat());
        let mut events = stream("application/json", endless());
        let error = format!("{:?}", events.event().await.expect_err("no object is so long"));
        assert!(error.contains("longer than any object"), "{error}");
    }

    #[tokio::test]
    async fn the_last_line_of_a_text_may_have_no_end() {
        let pieces = ["a\nb", "c\nd", "e"].map(|piece| Bytes::from_static(piece.as_bytes()));
        let mut stream = stream("text/plain", pieces.into_iter());
        let mut lines = Vec::new();
        while let Some(line) = stream.line().await.expect("nothing fails") {
            lines.push(line);
        }
        assert_eq!(lines, ["a", "bc", "de"]);
    }
}
