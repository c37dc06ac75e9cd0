//! [`Files`], the files of a folder over HTTP (Go's `http.FileServer`).

use std::io;
use std::path::{Path, PathBuf};

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH};
use http::{HeaderValue, Method, Response, StatusCode};
use klient_client::ResponseBody;

use super::answer::{error, escaped, local_redirect, not_found, whole};
use super::path::encoded;

/// The part of a file that decides about its type.
const SNIFFED: usize = 512;

/// The files below a folder. Links are followed.
pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn below(folder: &Path) -> Self {
        Files(folder.to_owned())
    }

    /// Answers a request for a path without `..`, relative to the folder.
    pub(super) async fn answer(&self, method: &Method, path: &str) -> Response<ResponseBody> {
        let file = self.0.join(path.trim_matches('/'));
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
        false => of_file(file)?,
        true => match of_file(&file.join("index.html")) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => of_folder(file)?,
            index => index?,
        },
    };
    Ok(if method == Method::HEAD { without_body(response) } else { response })
}

fn of_file(file: &Path) -> io::Result<Response<ResponseBody>> {
    let content = std::fs::read(file)?;
    let mut response = whole(StatusCode::OK, content_type(file, &content), content);
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    Ok(response)
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
    Ok(whole(StatusCode::OK, "text/html; charset=utf-8", page))
}

fn without_body(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let length = http_body::Body::size_hint(response.body()).exact();
    let mut response = response.map(|_| ResponseBody::new(http_body_util::Empty::<bytes::Bytes>::new()));
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}

/// The type of a file by its extension, as Go's `mime.TypeByExtension` without files of the system, else by its content.
fn content_type(file: &Path, content: &[u8]) -> &'static str {
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
            let beginning = &content[..content.len().min(SNIFFED)];
            let is_text = |byte: &u8| matches!(byte, 0x09 | 0x0A | 0x0C | 0x0D | 0x1B | 0x20..);
            match beginning.iter().all(is_text) {
                true => "text/plain; charset=utf-8",
                false => "application/octet-stream",
            }
        }
    }
}
