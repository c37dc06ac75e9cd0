//! [`Files`], the files of a folder over HTTP (Go's `http.FileServer`).
//!
//! Ranges and dates are parsed by crates. `ServeDir` of tower-http and the crate `http-serve` cannot answer: the first refuses
//! several ranges, and neither has lists of folders, or Go's answers to methods and failures.

mod conditions;
mod ranges;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LAST_MODIFIED, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_range::{HttpRange, HttpRangeParseError};
use httpdate::HttpDate;
use klient_client::ResponseBody;
use tokio::sync::mpsc;

use super::answer::{error, escaped, local_redirect, not_found, whole};
use super::path::encoded;
use conditions::Conditions;

/// The part of a file that decides about its type.
const SNIFFED: usize = 512;

/// The number of bytes of a file that are sent at once.
const PART: u64 = 64 * 1024;

/// The files below a folder. Links are followed.
pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn below(folder: &Path) -> Self {
        Files(folder.to_owned())
    }

    /// Answers a request for a path without `..`, relative to the folder.
    pub(super) async fn answer(&self, request: Parts, path: &str) -> Response<ResponseBody> {
        // On Windows, a backslash and a drive lead out of the folder as well.
        let relative = Path::new(path.trim_matches('/'));
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return not_found();
        }
        let file = self.0.join(relative);
        let path = path.to_owned();
        let answered = tokio::task::spawn_blocking(move || answer(&request, &file, &path));
        match answered.await {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => match problem.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => not_found(),
                io::ErrorKind::PermissionDenied => error(StatusCode::FORBIDDEN, "403 Forbidden"),
                _ => error(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error"),
            },
            Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error"),
        }
    }
}

fn answer(request: &Parts, file: &Path, path: &str) -> io::Result<Response<ResponseBody>> {
    let (method, headers) = (&request.method, &request.headers);
    let query = request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == "index.html" {
        return Ok(local_redirect(&format!("./{query}")));
    }
    let is_folder = std::fs::metadata(file)?.is_dir();
    let ends_with_slash = path.is_empty() || path.ends_with('/');
    if is_folder && !ends_with_slash {
        return Ok(local_redirect(&format!("{}/{query}", encoded(name))));
    }
    if !is_folder && ends_with_slash && !path.is_empty() {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return Ok(local_redirect(&format!("../{}{query}", encoded(name))));
    }
    let response = match is_folder {
        false => of_file(method, headers, file)?,
        true => match of_file(method, headers, &file.join("index.html")) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => of_folder(method, headers, file)?,
            index => index?,
        },
    };
    Ok(if method == Method::HEAD { without_body(response) } else { response })
}

/// A file, or the ranges of it that are wanted, which is read as the client reads it.
fn of_file(method: &Method, wanted: &HeaderMap, path: &Path) -> io::Result<Response<ResponseBody>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let size = metadata.len();
    let modified = conditions::last_modified(metadata.modified().ok());
    let for_ranges = match conditions::check(method, wanted, modified) {
        Conditions::Hold { for_ranges } => for_ranges,
        Conditions::Fail(status) => {
            let mut response = empty(status);
            set_last_modified(response.headers_mut(), modified);
            return Ok(response);
        }
    };
    let range = wanted.get(RANGE).filter(|_| for_ranges).map_or(&b""[..], |range| range.as_bytes());
    let mut ranges = match ranges::parse(range, size) {
        Ok(ranges) => ranges,
        // Clients that always ask for a range get a file without content.
        Err(HttpRangeParseError::NoOverlap) if size == 0 => Vec::new(),
        Err(problem) => {
            let (message, length) = match problem {
                HttpRangeParseError::InvalidRange => ("invalid range", None),
                HttpRangeParseError::NoOverlap => ("invalid range: failed to overlap", Some(size)),
            };
            let mut response = error(StatusCode::RANGE_NOT_SATISFIABLE, message);
            if let Some(size) = length {
                set(response.headers_mut(), CONTENT_RANGE, format!("bytes */{size}"));
            }
            return Ok(response);
        }
    };
    // More bytes than the file has are probably an attack, or a client that does not count.
    let total = ranges.iter().try_fold(0_u64, |total, range| total.checked_add(range.length));
    if total.is_none_or(|total| total > size) {
        ranges.clear();
    }
    let mut beginning = Vec::with_capacity(SNIFFED);
    file.by_ref().take(SNIFFED as u64).read_to_end(&mut beginning)?;
    let content_type = content_type(path, &beginning);
    let mut headers = HeaderMap::new();
    let segments = match &ranges[..] {
        [] => vec![Segment::File(HttpRange { start: 0, length: size })],
        [range] => {
            set(&mut headers, CONTENT_RANGE, content_range(range, size));
            vec![Segment::File(*range)]
        }
        ranges => {
            let boundary = boundary();
            set(&mut headers, CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"));
            multipart(ranges, size, content_type, &boundary)
        }
    };
    let left = segments.iter().map(Segment::length).sum();
    let (sender, parts) = mpsc::channel(1);
    if method != Method::HEAD {
        tokio::task::spawn_blocking(move || send(file, segments, &sender));
    }
    let mut response = Response::new(ResponseBody::new(Content { parts, left }));
    if !ranges.is_empty() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set_last_modified(&mut headers, modified);
    *response.headers_mut() = headers;
    Ok(response)
}

/// A part of a body.
enum Segment {
    File(HttpRange),
    Text(String),
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Segment::File(range) => range.length,
            Segment::Text(text) => text.len() as u64,
        }
    }
}

/// The parts of several ranges, as Go's `mime/multipart` writes them.
fn multipart(ranges: &[HttpRange], size: u64, content_type: &str, boundary: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        let end = if index > 0 { "\r\n" } else { "" };
        let range_header = content_range(range, size);
        segments.push(Segment::Text(format!(
            "{end}--{boundary}\r\nContent-Range: {range_header}\r\nContent-Type: {content_type}\r\n\r\n"
        )));
        segments.push(Segment::File(*range));
    }
    segments.push(Segment::Text(format!("\r\n--{boundary}--\r\n")));
    segments
}

/// The value of `Content-Range`. The last byte of an empty range is in front of its first, as Go writes it.
fn content_range(range: &HttpRange, size: u64) -> String {
    let last = i128::from(range.start) + i128::from(range.length) - 1;
    format!("bytes {}-{last}/{size}", range.start)
}

/// A boundary that no file has by chance.
fn boundary() -> String {
    (0..30).map(|_| format!("{:02x}", fastrand::u8(..))).collect()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: String) {
    headers.insert(name, HeaderValue::try_from(value).expect("the value has visible characters only"));
}

fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::new(http_body_util::Full::<Bytes>::default()));
    *response.status_mut() = status;
    response
}

fn set_last_modified(headers: &mut HeaderMap, modified: Option<HttpDate>) {
    if let Some(modified) = modified {
        set(headers, LAST_MODIFIED, modified.to_string());
    }
}

/// Sends the segments of a body in parts, until their end or until nobody receives them.
fn send(mut file: File, segments: Vec<Segment>, sender: &mpsc::Sender<io::Result<Bytes>>) {
    for segment in segments {
        let length = segment.length();
        let range = match segment {
            Segment::File(range) => range,
            Segment::Text(text) => {
                if sender.blocking_send(Ok(text.into())).is_err() {
                    return;
                }
                continue;
            }
        };
        if let Err(error) = file.seek(SeekFrom::Start(range.start)) {
            // Nobody may receive it any more.
            let _ = sender.blocking_send(Err(error));
            return;
        }
        let mut content = file.by_ref().take(length);
        while content.limit() > 0 {
            let mut part = Vec::new();
            let read = match content.by_ref().take(PART).read_to_end(&mut part) {
                // It was cut while it was read, which the receiver counts.
                Ok(0) => return,
                read => read.map(|_| part.into()),
            };
            let is_over = read.is_err();
            if sender.blocking_send(read).is_err() || is_over {
                return;
            }
        }
    }
}

/// The content of a file as a body.
struct Content {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    /// The number of bytes that have not been sent.
    left: u64,
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match ready!(self.parts.poll_recv(context)) {
            Some(Ok(part)) => {
                self.left = self.left.saturating_sub(part.len() as u64);
                Some(Ok(Frame::data(part)))
            }
            Some(Err(error)) => Some(Err(error)),
            // It was cut while it was read.
            None if self.left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A list of the names in a folder.
fn of_folder(method: &Method, headers: &HeaderMap, folder: &Path) -> io::Result<Response<ResponseBody>> {
    let modified = conditions::last_modified(std::fs::metadata(folder)?.modified().ok());
    if !conditions::is_modified(method, headers, modified) {
        return Ok(empty(StatusCode::NOT_MODIFIED));
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    let mut page =
        "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n".to_owned();
    for name in names {
        page += &format!("<a href=\"{}\">{}</a>\n", encoded(&name), escaped(&name));
    }
    page += "</pre>\n";
    let mut response = whole(StatusCode::OK, "text/html; charset=utf-8", page);
    set_last_modified(response.headers_mut(), modified);
    Ok(response)
}

fn without_body(response: Response<ResponseBody>) -> Response<ResponseBody> {
    // A redirect and a 304 have none.
    let is_whole = response.headers().contains_key(CONTENT_TYPE);
    let length = http_body::Body::size_hint(response.body()).exact().filter(|_| is_whole);
    let mut response = response.map(|_| ResponseBody::new(http_body_util::Empty::<Bytes>::new()));
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}

/// The type of a file by its extension, as Go's `mime.TypeByExtension` without files of the system, else by its content.
fn content_type(file: &Path, beginning: &[u8]) -> &'static str {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "avif" => "image/avif",
        "css" => "text/css; charset=utf-8",
        "gif" => "image/gif",
        "htm" | "html" => "text/html; charset=utf-8",
        "jpeg" | "jpg" => "image/jpeg",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        "webp" => "image/webp",
        "xml" => "text/xml; charset=utf-8",
        _ => {
            let is_text = |byte: &u8| matches!(byte, 0x09 | 0x0A | 0x0C | 0x0D | 0x1B | 0x20..);
            match beginning.iter().all(is_text) {
                true => "text/plain; charset=utf-8",
                false => "application/octet-stream",
            }
        }
    }
}
