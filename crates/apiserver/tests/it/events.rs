//! [`Events`], the events of a watch.

use std::time::Duration;

use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use crate::answer::text_of;
use crate::client::soon;

/// The events of a watch as they come.
pub(crate) struct Events {
    headers: HeaderMap,
    body: Incoming,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) fn new(headers: HeaderMap, body: Incoming) -> Events {
        Events { headers, body, buffer: Vec::new() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        text_of(&self.headers, name)
    }

    /// The next line, with its end; none behind the last.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8(line).expect("the server writes UTF-8"));
            }
            if !self.more().await {
                assert!(self.buffer.is_empty(), "the stream ends within a line");
                return None;
            }
        }
    }

    /// Waits for more of the answer; false behind its end.
    async fn more(&mut self) -> bool {
        let Some(frame) = soon("an event", self.body.frame()).await else { return false };
        self.buffer.extend(frame.expect("the connection stays").into_data().unwrap_or_default());
        true
    }

    /// The next event in protobuf, without the length before it.
    pub(crate) async fn frame(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some((length, rest)) = self.buffer.split_first_chunk()
                && let length = u32::from_be_bytes(*length) as usize
                && rest.len() >= length
            {
                return Some(self.buffer.drain(..4 + length).skip(4).collect());
            }
            if !self.more().await {
                assert!(self.buffer.is_empty(), "the stream ends within an event");
                return None;
            }
        }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let line = self.line().await?;
        Some(serde_json::from_str(&line).expect("an event is JSON"))
    }

    /// All that is left, be it complete or not.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        while self.more().await {}
        self.buffer
    }

    /// The next event as `ADDED a@7`, by name and version.
    pub(crate) async fn brief(&mut self) -> String {
        match self.next().await {
            None => "the end".to_owned(),
            Some(event) => brief(&event),
        }
    }

    /// Returns true if no event arrives for a moment.
    pub(crate) async fn is_silent(&mut self) -> bool {
        let moment = Duration::from_millis(50);
        self.buffer.is_empty() && tokio::time::timeout(moment, self.body.frame()).await.is_err()
    }
}

/// An event as `ADDED a@7`; a failure as its code and message.
pub(crate) fn brief(event: &Value) -> String {
    let (kind, object) = (event["type"].as_str().unwrap_or("?"), &event["object"]);
    if kind == "ERROR" {
        return format!("ERROR {} {}", object["code"], object["message"].as_str().unwrap_or_default());
    }
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    format!("{kind} {}@{}", text("name"), text("resourceVersion"))
}
