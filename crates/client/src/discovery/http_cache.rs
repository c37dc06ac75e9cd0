//! [`HttpCache`], responses on disk with their ETags, as client-go's `httpcache` keeps them.
//!
//! The file of a URL is named by its SHA-256, and holds the SHA-256 of what follows: status line, headers and body of
//! the response. A file that was cut off is the same as none. A response is used only after the server has confirmed it
//! with 304 Not Modified.

use std::fmt::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use ring::digest::{self, SHA256, SHA256_OUTPUT_LEN};

use super::disk::{self, Warning};
use crate::rest::{Request, Response};

/// A folder of responses.
#[derive(Debug)]
pub(super) struct HttpCache {
    folder: PathBuf,
    warning: Warning,
}

/// A response that the server may confirm.
#[derive(Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) etag: String,
    pub(super) body: Bytes,
}

impl HttpCache {
    pub(super) fn new(folder: PathBuf) -> Self {
        HttpCache { folder, warning: Warning::default() }
    }

    /// The response that an earlier request to a URL left.
    pub(super) async fn get(&self, url: &str) -> Option<Stored> {
        let file = self.file(url);
        let read = tokio::task::spawn_blocking(move || parse(std::fs::read(file).ok()?.into()));
        read.await.ok().flatten()
    }

    /// Keeps a response, if it has an ETag.
    pub(super) async fn put(&self, url: &str, request: &Request, response: &Response) {
        let Some(text) = dump(request, response) else { return };
        let file = self.file(url);
        let written = tokio::task::spawn_blocking(move || {
            let sum = digest::digest(&SHA256, &text);
            disk::write(&file, &[sum.as_ref(), &text].concat())
        });
        if let Ok(Err(error)) = written.await {
            self.warning.once(&self.folder, &error);
        }
    }

    fn file(&self, url: &str) -> PathBuf {
        let mut name = String::new();
        for byte in digest::digest(&SHA256, url.as_bytes()).as_ref() {
            let _ = write!(name, "{byte:02x}");
        }
        self.folder.join(name)
    }
}

/// The file's response as Go's `http.ReadResponse` reads it.
fn dump(request: &Request, response: &Response) -> Option<Vec<u8>> {
    let headers = response.headers();
    let no_store = headers.get_all(CACHE_CONTROL).iter().any(|value| contains(value, "no-store"));
    if response.status() != StatusCode::OK || no_store || !headers.contains_key(ETAG) {
        return None;
    }
    let mut text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", response.bytes().len()).into_bytes();
    let mut push = |name: &str, value: &HeaderValue| {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    };
    for (name, shown) in [
        (CACHE_CONTROL, "Cache-Control"),
        (CONTENT_TYPE, "Content-Type"),
        (DATE, "Date"),
        (ETAG, "Etag"),
        (VARY, "Vary"),
    ] {
        headers.get_all(name).iter().for_each(|value| push(shown, value));
    }
    // The value of each header of the request that the response depends on: kubectl compares it with that of its own.
    if headers.get_all(VARY).iter().any(|value| contains(value, "accept"))
        && let Some(accept) = request.header_value(&ACCEPT)
    {
        push("X-Varied-Accept", accept);
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(response.bytes());
    Some(text)
}

fn contains(value: &HeaderValue, wanted: &str) -> bool {
    let text = value.to_str().unwrap_or_default();
    text.split(',').any(|part| part.trim().eq_ignore_ascii_case(wanted))
}

fn parse(file: Bytes) -> Option<Stored> {
    if file.len() < SHA256_OUTPUT_LEN {
        return None;
    }
    let text = file.slice(SHA256_OUTPUT_LEN..);
    if digest::digest(&SHA256, &text).as_ref() != &file[..SHA256_OUTPUT_LEN] {
        return None;
    }
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&text[..end]).ok()?;
    let (status, fields) = head.split_once("\r\n")?;
    let headers: HeaderMap = fields
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.parse::<http::HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
        })
        .collect();
    // Go keeps a chunked body as it came.
    if status.split(' ').nth(1) != Some("200") || headers.contains_key(http::header::TRANSFER_ENCODING) {
        return None;
    }
    Some(Stored { etag: headers.get(ETAG)?.to_str().ok()?.to_owned(), body: text.slice(end + 4..) })
}
