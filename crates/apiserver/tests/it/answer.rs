//! [`Answer`], what the server said.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

/// An answer as it was sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn read(response: Response<Incoming>) -> Answer {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body comes to its end").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the server writes UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        text_of(&self.headers, name)
    }

    /// The warnings for the client.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.headers.get_all("warning").into_iter();
        let text =
            |warning: &http::HeaderValue| warning.to_str().expect("the server writes ASCII").to_owned();
        let plain = |warning: String| {
            let quoted = warning.strip_prefix("299 - \"").and_then(|quoted| quoted.strip_suffix('"'));
            quoted.expect("a warning has no agent").replace("\\\"", "\"")
        };
        warnings.map(text).map(plain).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The answer's object, which must come with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.json()
    }

    /// The code and message of a refusal.
    #[track_caller]
    pub(crate) fn refusal(&self) -> String {
        let json = self.json();
        assert_eq!(json["status"], "Failure", "{json}");
        assert_eq!(json["code"], self.status.as_u16(), "{json}");
        format!("{} {}", json["code"], json["message"].as_str().unwrap_or_default())
    }
}

pub(crate) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().expect("the server writes ASCII"))
}
