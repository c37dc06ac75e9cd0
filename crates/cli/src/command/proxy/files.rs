//! [`Files`], the files of a folder over HTTP (Go's `http.FileServer`).

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_TYPE, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use klient_client::ResponseBody;
use tokio::sync::mpsc;

use super::answer::{error, escaped, local_redirect, not_found, whole};
use super::path::encoded;

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
    pub(super) async fn answer(&self, method: &Method, path: &str) -> Response<ResponseBody> {
        // On Windows, a backslash and a drive lead out of the folder as well.
        let relative = Path::new(path.trim_matches('/'));
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return not_found();
        }
        let file = self.0.join(relative);
        let (method, path) = (method.clone(), path.to_owned());
        let answered = tokio::task::spawn_blocking(move || answer(&method, &file, &path));
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

fn answer(method: &Method, file: &Path, path: &str) -> io::Result<Response<ResponseBody>> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == "index.html" {
        return Ok(local_redirect("./"));
    }
    let is_folder = std::fs::metadata(file)?.is_dir();
    let ends_with_slash = path.is_empty() || path.ends_with('/');
    if is_folder && !ends_with_slash {
        return Ok(local_redirect(&format!("{}/", encoded(name))));
    }
    if !is_folder && ends_with_slash && !path.is_empty() {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return Ok(local_redirect(&format!("../{}", encoded(name))));
    }
    let response = match is_folder {
        false => of_file(method, file)?,
        true => match of_file(method, &file.join("index.html")) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => of_folder(file)?,
            index => index?,
        },
    };
    Ok(if method == Method::HEAD { without_body(response) } else { response })
}

/// A file, which is read as the client reads it.
fn of_file(method: &Method, path: &Path) -> io::Result<Response<ResponseBody>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let length = metadata.len();
    let mut beginning = Vec::with_capacity(SNIFFED);
    file.by_ref().take(SNIFFED as u64).read_to_end(&mut beginning)?;
    file.rewind()?;
    let (sender, parts) = mpsc::channel(1);
    if method != Method::HEAD {
        tokio::task::spawn_blocking(move || send(file.take(length), &sender));
    }
    let mut response = Response::new(ResponseBody::new(Content { parts, left: length }));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path, &beginning)));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    set_last_modified(headers, &metadata);
    Ok(response)
}

/// Sets the time of the last change, where the file system has it.
fn set_last_modified(headers: &mut HeaderMap, metadata: &Metadata) {
    let time = metadata.modified().ok().map(httpdate::fmt_http_date);
    if let Some(time) = time.and_then(|time| HeaderValue::try_from(time).ok()) {
        headers.insert(LAST_MODIFIED, time);
    }
}

/// Sends a file in parts, until its end or until nobody receives them.
fn send(mut file: io::Take<File>, sender: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut part = Vec::new();
        let read = match file.by_ref().take(PART).read_to_end(&mut part) {
            Ok(0) => return,
            read => read.map(|_| part.into()),
        };
        let is_over = read.is_err();
        if sender.blocking_send(read).is_err() || is_over {
            return;
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
fn of_folder(folder: &Path) -> io::Result<Response<ResponseBody>> {
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
    set_last_modified(response.headers_mut(), &std::fs::metadata(folder)?);
    Ok(response)
}

fn without_body(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let length = http_body::Body::size_hint(response.body()).exact();
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
